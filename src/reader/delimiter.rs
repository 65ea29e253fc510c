//! The delimiter of a text: what gives the header the most columns that the dataset knows, then
//! what gives the rows the same number of cells as the header.

use super::csv_rows::CsvRows;
use super::dialect;
use super::header_search::{self, FoundHeader, KnowHeader};
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

/// Where the header is looked for at the beginning of a text.
pub(crate) struct HeaderSearch<'a> {
    /// The beginning; it may end within a row, even within quotes.
    pub(crate) sample: &'a [u8],
    /// The first row that may be the header.
    pub(crate) first_row: Option<u32>,
    /// Rows that may be.
    pub(crate) rows_max: usize,
    /// What the dataset knows of a row.
    pub(crate) know: &'a KnowHeader<'a>,
}

impl HeaderSearch<'_> {
    /// The header of the text with this delimiter.
    pub(crate) fn find(&self, delimiter: char) -> Option<FoundHeader> {
        let rows: Vec<RawRow> = self.rows(delimiter).take(self.rows_max).collect();
        header_search::find(&rows, self.know)
    }

    /// The rows that are not blank, from the first that may be the header.
    fn rows(&self, delimiter: char) -> impl Iterator<Item = RawRow> {
        let first_row = self.first_row.unwrap_or_default();
        let dialect = dialect::find(self.sample, u8::try_from(delimiter).unwrap_or(b','));
        let mut rows = CsvRows::new(self.sample, dialect);
        let next = move || {
            let mut row = RawRow::new();
            // An error just ends the sample.
            matches!(rows.next_row(&mut row), Ok(true)).then_some(row)
        };
        std::iter::from_fn(next).skip_while(move |row| row.row_number.get() < first_row)
    }
}

/// Finds the delimiter of a text. The first one with which the header has every required column is
/// right: with another one these columns would lie in one cell.
pub(crate) fn find(search: &HeaderSearch<'_>) -> char {
    let mut best = (',', Fit { known: 0, even: 0, cells: 0 });
    for candidate in CANDIDATES {
        let Some(header) = search.find(candidate) else { continue };
        if header.known.is_complete && header.known.columns() > 1 {
            return candidate;
        }
        let fit = fit(search, candidate, &header);
        if fit > best.1 {
            best = (candidate, fit);
        }
    }
    best.0
}

fn fit(search: &HeaderSearch<'_>, delimiter: char, header: &FoundHeader) -> Fit {
    let rows = search.rows(delimiter).skip(header.data_at()).take(ROWS_LOOKED_AT);
    // A row whose quotes are broken fits no header.
    let cells = |row: RawRow| if row.fault.is_some() { 0 } else { row.len() };
    let mut counts: Vec<usize> = rows.map(cells).collect();
    if counts.len() > 1 && counts.len() < ROWS_LOOKED_AT {
        counts.pop();
    }
    let (cells, known) = (header.known.cells.len(), header.known.columns());
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
    use crate::domain::known_header::{KnownColumn, KnownHeader};

    fn know(cells: &[&str]) -> KnownHeader {
        let column = |cell: &&str| {
            let index = ["SKU", "Name", "Price", "Qty"].iter().position(|name| name == cell)?;
            Some(KnownColumn { index, is_required: index < 2 })
        };
        let cells: Vec<_> = cells.iter().map(column).collect();
        let is_fed = |index| cells.iter().flatten().any(|known| known.index == index);
        let is_complete = is_fed(0) && is_fed(1);
        KnownHeader { cells, is_complete }
    }

    fn search(text: &str, first_row: Option<u32>, rows_max: usize) -> char {
        find(&HeaderSearch { sample: text.as_bytes(), first_row, rows_max, know: &know })
    }

    fn found(text: &str) -> char {
        search(text, None, 30)
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
        assert_eq!(search(text, Some(3), 1), ',');
        assert_eq!(found(text), ',');
        assert_eq!(found("# made by; a, b and c\n# 2\nSKU;Name;Price\n1;a;2,50\n"), ';');
    }
}
