//! The dialect of a delimited text: which sign stands around its texts, and how that sign is written
//! inside of one. Decided from the file's beginning.

use memchr::memmem;

use super::csv_record::Dialect;
use super::csv_rows::CsvRows;
use crate::domain::limits::SNIFF_BYTES;
use crate::domain::row::{RawRow, RowFault};

/// Finds the dialect of the text that begins with `start`.
pub(super) fn find(start: &[u8], delimiter: u8) -> Dialect {
    let standard = Dialect::new(delimiter);
    let single = Dialect { quote: b'\'', ..standard };
    if is_single_quoted(start, single) {
        return single;
    }
    let escaped = Dialect { has_backslash_escapes: true, ..standard };
    let is_escaped = memmem::find(start, b"\\\"").is_some()
        && faulty_rows(start, escaped) < faulty_rows(start, standard);
    if is_escaped { escaped } else { standard }
}

/// The first cell of every row behind the header stands in single quotes, and all of them follow the
/// rules.
fn is_single_quoted(start: &[u8], single: Dialect) -> bool {
    let (mut rows, mut row) = (CsvRows::new(start, single), RawRow::new());
    let mut read = 0_u64;
    while matches!(rows.next_row(&mut row), Ok(true)) {
        let is_cut = start.len() >= SNIFF_BYTES;
        if is_cut && matches!(row.fault, Some(RowFault::QuoteNeverClosed { .. })) {
            break;
        }
        if row.fault.is_some() || (read > 0 && !rows.first_is_quoted()) {
            return false;
        }
        read += 1;
    }
    read > 1
}

/// Rows that break the rules of the dialect. The start may be cut within a row, which costs every
/// dialect the same.
fn faulty_rows(start: &[u8], dialect: Dialect) -> usize {
    let (mut rows, mut row) = (CsvRows::new(start, dialect), RawRow::new());
    let mut faulty = 0;
    while matches!(rows.next_row(&mut row), Ok(true)) {
        faulty += usize::from(row.fault.is_some());
    }
    faulty
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Dialect {
        find(text.as_bytes(), b',')
    }

    #[test]
    fn a_backslash_is_an_escape_where_quotes_fit_only_then() {
        let standard = Dialect::new(b',');
        let escaped = Dialect { has_backslash_escapes: true, ..standard };
        assert_eq!(found("SKU,Name\nA,\"24\\\" wide\"\nB,\"plain\"\n"), escaped);
        assert_eq!(found("SKU,Name\nA,\"C:\\dir\\\",1\nB,\"x\\\"\n"), standard);
        assert_eq!(found("SKU,Name\nA,24\\\" wide\n"), standard);
        assert_eq!(found("SKU,Name\nA,\"24\"\" wide\"\n"), standard);
    }

    #[test]
    fn single_quotes_are_quotes_where_every_row_begins_with_one() {
        let single = Dialect { quote: b'\'', ..Dialect::new(b',') };
        assert_eq!(found("'SKU','Name'\n'A','Lamp, small'\n'B','it''s'\n"), single);
        assert_eq!(found("SKU,Name\n'A','Lamp'\n'B',Table\n"), single);
        for other in [
            "SKU,Name\n'A','Lamp'\nB,Table\n",
            "SKU,Name\n'0001,Lamp\n'0002,Table\n",
            "SKU,Name\n'n' bolt,Lamp\n'm' bolt,Table\n",
            "'SKU','Name'\n",
        ] {
            assert_eq!(found(other), Dialect::new(b','), "{other}");
        }
    }
}
