//! The delimiter of a text: what gives the header the most columns that the dataset knows, then
//! what gives the rows the same number of cells as the header.

use super::csv_rows::CsvRows;
use crate::domain::row::RawRow;

/// What is tried, in the order that breaks ties.
const CANDIDATES: [char; 4] = [',', ';', '\t', '|'];

/// Rows that are looked at.
const ROWS_LOOKED_AT: usize = 500;

/// How well a delimiter fits; larger is better, from the first field on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    /// Header cells that the dataset knows.
    known: usize,
    /// Rows of a hundred with as many cells as the header, which has several.
    even: usize,
    /// Cells of the header, if there are several.
    cells: usize,
}

/// The `sep=` line that spreadsheet programs write before the header: its delimiter.
pub(crate) fn declared(sample: &[u8]) -> Option<char> {
    let end = memchr::memchr2(b'\n', b'\r', sample).unwrap_or(sample.len());
    let line = std::str::from_utf8(sample.get(..end)?).ok()?.trim_matches([' ', '"']);
    let (word, sign) = line.split_at_checked(4)?;
    let mut signs = sign.chars();
    let sign = signs.next()?;
    (word.eq_ignore_ascii_case("sep=") && signs.next().is_none() && CANDIDATES.contains(&sign))
        .then_some(sign)
}

/// Finds the delimiter of `sample`, the text's beginning, whose header is in row `header_row` or,
/// without that, the first row that is not blank. `score` says how many of a header's cells the
/// dataset knows.
pub(crate) fn find(
    sample: &[u8],
    header_row: Option<u32>,
    score: &dyn Fn(&[&str]) -> usize,
) -> char {
    let mut best = (',', Fit { known: 0, even: 0, cells: 0 });
    for candidate in CANDIDATES {
        let fit = fit(sample, candidate, header_row, score);
        if fit > best.1 {
            best = (candidate, fit);
        }
    }
    best.0
}

fn fit(
    sample: &[u8],
    delimiter: char,
    header_row: Option<u32>,
    score: &dyn Fn(&[&str]) -> usize,
) -> Fit {
    let mut rows = CsvRows::new(sample, u8::try_from(delimiter).unwrap_or(b','));
    let mut row = RawRow::new();
    let mut header: Option<(usize, usize)> = None;
    let mut counts = Vec::with_capacity(ROWS_LOOKED_AT);
    // The sample may end within a row, even within quotes: an error just ends it.
    while counts.len() < ROWS_LOOKED_AT && matches!(rows.next_row(&mut row), Ok(true)) {
        if header_row.is_some_and(|wanted| row.row_number.get() < wanted) {
            continue;
        }
        if header.is_some() {
            counts.push(row.len());
            continue;
        }
        let cells: Vec<&str> = row.cells().map(|(text, _)| text).collect();
        let filled = cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
        header = Some((filled, score(&cells)));
    }
    if counts.len() > 1 && counts.len() < ROWS_LOOKED_AT {
        counts.pop();
    }
    let (cells, known) = header.unwrap_or_default();
    let even = counts.iter().filter(|count| **count == cells).count();
    let even = match (cells, counts.len()) {
        (0 | 1, _) => 0,
        (_, 0) => 100,
        (_, rows) => even * 100 / rows,
    };
    Fit { known, even, cells: if cells > 1 { cells } else { 0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(cells: &[&str]) -> usize {
        cells.iter().filter(|cell| ["SKU", "Name", "Price", "Qty"].contains(*cell)).count()
    }

    fn found(text: &str) -> char {
        find(text.as_bytes(), None, &known)
    }

    #[test]
    fn each_delimiter_is_found() {
        for sign in CANDIDATES {
            let text = "SKU,Name,Price\n1,a,2.50\n2,b,3.00\n".replace(',', &sign.to_string());
            assert_eq!(found(&text), sign);
        }
    }

    #[test]
    fn decimal_commas_do_not_pass_for_delimiters() {
        assert_eq!(found("SKU;Price;Qty\nA;1,50;2,5\nB;2,50;3,5\n"), ';');
        assert_eq!(found("Art;Preis;Menge\nA;1,50;2,5\nB;2,50;3,5\n"), ';');
    }

    #[test]
    fn a_short_header_is_not_fooled_by_its_rows() {
        assert_eq!(found("SKU;Name\n1;a, b, c\n2;d, e, f\n3;g, h, i\n"), ';');
        assert_eq!(found("x;y\n1;a, b, c\n2;d, e, f\n"), ';');
        assert_eq!(found("SKU\na|b\nc|d\n"), ',');
    }

    #[test]
    fn delimiters_inside_quotes_do_not_count() {
        assert_eq!(found("SKU,Name\n1,\"a;b;c\"\n2,\"d;e;\nf\"\n"), ',');
        assert_eq!(found("\"a;b\",\"c;d\"\n\"1;2\",\"3;4\"\n"), ',');
    }

    #[test]
    fn one_column_is_a_file_too() {
        assert_eq!(found("SKU\n1\n2\n"), ',');
    }

    #[test]
    fn lines_of_commas_do_not_become_a_header_of_one_cell() {
        assert_eq!(found(",,,\n,,,\n"), ',');
    }

    #[test]
    fn the_sep_line_is_read() {
        assert_eq!(declared(b"sep=;\r\nSKU;Name"), Some(';'));
        assert_eq!(declared(b"\"sep=|\"\nSKU"), Some('|'));
        assert_eq!(declared(b"SEP=\t\n"), Some('\t'));
        assert_eq!(declared(b"sep=,;\n"), None);
        assert_eq!(declared(b"separator\n"), None);
    }

    #[test]
    fn the_header_may_be_further_down() {
        let text = "Price list; of all; our; goods\n\nSKU,Name,Price\n1,a,2\n2,b,3\n";
        assert_eq!(find(text.as_bytes(), Some(3), &known), ',');
    }
}
