//! A list of failed rows that comes in again: its cells as they stood in the file that failed.
//!
//! Such a list is known by its own columns ([`is_failed_list`]). In it, and in no other file, the
//! apostrophe that kept a spreadsheet from taking a cell for a formula is taken away again, and
//! cells that say that they have no value (`#VALUE!`, U+FFFD) are read as such: an
//! uncorrected row fails again instead of storing the error text.

use super::RowSource;
use super::error::ReadError;
use crate::domain::failed_list::{is_failed_list, unescape_formula};
use crate::domain::row::{CellKind, RawRow, is_error_word};

/// The rows of a list of failed rows.
#[derive(Debug)]
struct FailedRowsFile<R> {
    rows: R,
    spare: RawRow,
}

/// The rows of a file with this header; those of a list of failed rows are restored.
pub(super) fn restore_cells<R: RowSource + 'static>(
    rows: R,
    header: &[String],
) -> Box<dyn RowSource> {
    if is_failed_list(header) {
        Box::new(FailedRowsFile { rows, spare: RawRow::new() })
    } else {
        Box::new(rows)
    }
}

/// The header of a list of failed rows, restored; any other as it is.
pub(super) fn restore_header(mut header: Vec<String>) -> Vec<String> {
    if is_failed_list(&header) {
        for cell in &mut header {
            *cell = unescape_formula(cell).to_owned();
        }
    }
    header
}

/// The first rows of a file with this header, as [`restore_cells`] gives them.
pub(super) fn restore_sample(sample: &mut [RawRow], header: &[String]) {
    if is_failed_list(header) {
        let mut spare = RawRow::new();
        for row in sample {
            restore_row(row, &mut spare);
        }
    }
}

/// Restores a row; the memory of `spare` is reused.
fn restore_row(row: &mut RawRow, spare: &mut RawRow) {
    spare.clear();
    (spare.row_number, spare.line) = (row.row_number, row.line);
    (spare.fault, spare.warning) = (row.fault.take(), row.warning);
    spare.is_hidden = row.is_hidden;
    for (index, (text, kind)) in row.cells().enumerate() {
        spare.push(restore_kind(text, kind), unescape_formula(text));
        if let Some(number) = row.number(index) {
            spare.set_number(number);
        }
    }
    std::mem::swap(row, spare);
}

impl<R: RowSource> RowSource for FailedRowsFile<R> {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        if !self.rows.next(row)? {
            return Ok(false);
        }
        restore_row(row, &mut self.spare);
        Ok(true)
    }
}

fn restore_kind(text: &str, kind: CellKind) -> CellKind {
    if kind != CellKind::Text {
        kind
    } else if is_error_word(text) {
        CellKind::Error
    } else if text.contains('\u{FFFD}') {
        CellKind::BadEncoding
    } else {
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_number::RowNumber;

    struct One(Option<Vec<&'static str>>);

    impl RowSource for One {
        fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
            row.clear();
            let Some(cells) = self.0.take() else { return Ok(false) };
            (row.row_number, row.line) = (RowNumber::new(7), 9);
            for cell in cells {
                row.push(CellKind::Text, cell);
            }
            Ok(true)
        }
    }

    fn read(header: &[&str], cells: &[&'static str]) -> Vec<(String, CellKind)> {
        let header: Vec<_> = header.iter().map(ToString::to_string).collect();
        let mut rows = restore_cells(One(Some(cells.to_vec())), &header);
        let mut row = RawRow::new();
        assert!(rows.next(&mut row).unwrap());
        assert_eq!((row.row_number.get(), row.line), (7, 9));
        let cells = row.cells().map(|(text, kind)| (text.to_owned(), kind)).collect();
        assert!(!rows.next(&mut row).unwrap());
        cells
    }

    #[test]
    fn only_a_list_of_failed_rows_is_turned_back() {
        let cells = ["'=SUM(1)", "''=x", "'tis", "-1", "#N/A", "a\u{FFFD}"];
        let texts = |header: &[&str]| -> Vec<String> {
            read(header, &cells).into_iter().map(|(text, _)| text).collect()
        };
        assert_eq!(texts(&["SKU", "_row"]), ["=SUM(1)", "'=x", "'tis", "-1", "#N/A", "a\u{FFFD}"]);
        assert_eq!(texts(&["SKU", "Name"]), cells);
        let kinds: Vec<_> = read(&["_error"], &cells).into_iter().map(|(_, kind)| kind).collect();
        assert_eq!(kinds[3..], [CellKind::Text, CellKind::Error, CellKind::BadEncoding]);
    }
}
