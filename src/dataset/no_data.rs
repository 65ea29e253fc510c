//! Rows of a file that are no data: the header once more, rows that hold nothing but what a
//! spreadsheet fills in, and totals. A row decides it by itself, so that every pass through the
//! file decides alike.

use super::value::boolean;
use crate::domain::row::{CellKind, RawRow, is_error_word};

/// A column of the file, as far as a row without data is known by it.
#[derive(Debug, Clone, Default)]
pub(super) struct FileColumn {
    /// The cell of the header, trimmed.
    pub(super) header: String,
    /// It feeds a column of the dataset.
    pub(super) is_fed: bool,
    /// That column is a truth value.
    pub(super) is_boolean: bool,
}

/// True for a row whose cells are those of the header.
pub(super) fn is_header(row: &RawRow, columns: &[FileColumn]) -> bool {
    let text_at = |at| row.cell(at).map_or("", |(text, _)| without_mark(text));
    let mut all = (0..row.len().max(columns.len()))
        .map(|at| (text_at(at), columns.get(at).map_or("", |column| column.header.as_str())));
    all.all(|(text, header)| text.eq_ignore_ascii_case(header))
}

/// True for a row of names of the file's columns that stand in other places than in the header.
pub(super) fn is_other_header(row: &RawRow, columns: &[FileColumn]) -> bool {
    let texts = row.cells().map(|(text, _)| without_mark(text)).filter(|text| !text.is_empty());
    let is_name = |text: &str| columns.iter().any(|it| it.header.eq_ignore_ascii_case(text));
    let mut names = 0;
    texts.inspect(|_| names += 1).all(is_name) && names > 1
}

/// The text of a cell without white space around it and without the byte order mark that a part of
/// a file that was put together begins with.
pub(super) fn without_mark(text: &str) -> &str {
    text.trim().trim_start_matches('\u{feff}').trim_start()
}

/// True for a row that holds nothing but truth values and zeros. Cells of columns that are not
/// imported may hold numbers and errors too: formulas that were filled down.
pub(super) fn is_default(row: &RawRow, columns: &[FileColumn]) -> bool {
    let is_default = |(at, (text, kind)): (usize, (&str, CellKind))| {
        let text = text.trim();
        let column = columns.get(at);
        match kind {
            CellKind::Missing | CellKind::Boolean => true,
            CellKind::Error => column.is_some_and(|column| !column.is_fed),
            CellKind::Text | CellKind::Number => {
                let is_unfed = column.is_some_and(|column| !column.is_fed);
                let is_boolean = column.is_some_and(|column| column.is_boolean);
                is_zero(text)
                    || is_truth_value(text)
                    || (is_boolean && boolean::parse(text).is_some())
                    || (is_unfed && (is_error_word(text) || !text.chars().any(char::is_alphabetic)))
            }
            _ => false,
        }
    };
    row.fault.is_none() && row.cells().enumerate().all(is_default)
}

fn is_truth_value(text: &str) -> bool {
    ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Nothing, a zero with or without decimals, percent or currency signs, or the dash that a
/// spreadsheet shows for it.
fn is_zero(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(c, '0' | '.' | ',' | '-' | '–' | '%' | '$' | '£' | '¥' | '\u{20a0}'..='\u{20c0}')
            || c.is_whitespace()
    })
}

/// Words that stand in the place of a key where the row is a total.
const TOTALS: [&str; 27] = [
    "total",
    "totals",
    "grand total",
    "sub total",
    "subtotal",
    "summe",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
    "insgesamt",
    "total général",
    "total general",
    "sous-total",
    "sous total",
    "suma",
    "suma total",
    "totale",
    "totale generale",
    "subtotale",
    "soma",
    "total geral",
    "totaal",
    "subtotaal",
    "eindtotaal",
    "totaux",
    "totales",
    "kul yog",
];

/// Bytes of the longest of them.
const TOTAL_BYTES_MAX: usize = 15;

/// True for a row that is a total by its key. A name that happens to be such a word has other texts
/// beside it, so at most one cell besides the key may begin with a letter.
pub(super) fn is_total(row: &RawRow, key_cell: usize) -> bool {
    let Some((key, CellKind::Text)) = row.cell(key_cell) else { return false };
    // Most keys differ here.
    let first = key.trim_start().bytes().next().unwrap_or_default().to_ascii_lowercase();
    if !matches!(first, b't' | b's' | b'g' | b'z' | b'i' | b'e' | b'k') {
        return false;
    }
    let key = key.trim().trim_end_matches([':', '=']).trim_end();
    // No word is longer: no key is put into small letters for nothing.
    if key.len() > TOTAL_BYTES_MAX || !TOTALS.contains(&key.to_lowercase().as_str()) {
        return false;
    }
    let begins = |text: &str| text.trim().starts_with(char::is_alphabetic);
    let others = row.cells().enumerate().filter(|(at, _)| *at != key_cell);
    others.filter(|(_, (text, _))| begins(text)).count() < 2
}

/// The bit of the first letter. Texts that begin with another sign share one, those beyond ASCII
/// too.
pub(super) fn letter(text: &str) -> u32 {
    match text.bytes().next().map(|first| first.to_ascii_lowercase()) {
        Some(first @ b'a'..=b'z') => 1 << (first - b'a'),
        Some(first) if !first.is_ascii() => 1 << 31,
        Some(_) => 1 << 30,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> RawRow {
        let mut row = RawRow::new();
        for cell in cells {
            row.push(CellKind::Text, cell);
        }
        row
    }

    fn columns() -> Vec<FileColumn> {
        let column = |header: &str, is_fed, is_boolean| FileColumn {
            header: header.to_owned(),
            is_fed,
            is_boolean,
        };
        vec![
            column("SKU", true, false),
            column("Name", true, false),
            column("Active", true, true),
            column("Margin", false, false),
        ]
    }

    #[test]
    fn the_header_comes_again_in_its_own_letters_or_others() {
        for cells in [
            &["SKU", "Name", "Active", "Margin"][..],
            &["\u{feff}sku", " NAME ", "active", "margin", ""],
        ] {
            assert!(is_header(&row(cells), &columns()), "{cells:?}");
        }
        for cells in [&["SKU", "Name", "Active", "x"][..], &["SKU", "Name"], &["SKU", "A", "", ""]]
        {
            assert!(!is_header(&row(cells), &columns()), "{cells:?}");
        }
    }

    #[test]
    fn a_header_in_another_order_is_known() {
        assert!(is_other_header(&row(&["Name", "SKU", "Active"]), &columns()));
        assert!(!is_other_header(&row(&["Name", "", ""]), &columns()));
        assert!(!is_other_header(&row(&["Name", "SKU", "x"]), &columns()));
    }

    #[test]
    fn defaults_are_truth_values_and_zeros() {
        for cells in [
            &["", "", "FALSE", ""][..],
            &["", "", "no", "12.5"],
            &["", "0", "", ""],
            &["", "0.00", "TRUE", "#"],
            &["", "-", "", ""],
            &["", "0,00 €", "0", ""],
        ] {
            assert!(is_default(&row(cells), &columns()), "{cells:?}");
        }
        for cells in [
            &["", "no", "", ""][..],
            &["", "", "", "Red"],
            &["", "1", "", ""],
            &["", "", "maybe", ""],
        ] {
            assert!(!is_default(&row(cells), &columns()), "{cells:?}");
        }
        assert!(is_default(&row(&["", "", "", "#DIV/0!"]), &columns()));
        assert!(!is_default(&row(&["", "#DIV/0!", "", ""]), &columns()));
        let mut error = row(&["", "", ""]);
        error.push(CellKind::Error, "#N/A");
        assert!(is_default(&error, &columns()));
        let mut error = row(&["", ""]);
        error.push(CellKind::Error, "#N/A");
        assert!(!is_default(&error, &columns()));
    }

    #[test]
    fn totals_are_known_by_their_key() {
        for cells in
            [&["Total", "2 items", "1"][..], &["GRAND TOTAL:", "", "9"], &["Total général", "", ""]]
        {
            assert!(is_total(&row(cells), 0), "{cells:?}");
        }
        for cells in [
            &["T-1", "Total", "1"][..],
            &["Total", "Total SE", "Paris"],
            &["Totals-1", "", ""],
            &["", "Total", ""],
        ] {
            assert!(!is_total(&row(cells), 0), "{cells:?}");
        }
    }
}
