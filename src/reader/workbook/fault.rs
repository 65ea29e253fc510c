//! How an error of a library or of the system becomes a fault of the workbook.

use std::fmt::Display;

use crate::reader::error::WorkbookFault;

/// The cell at `row` and `column`, from 0, as a spreadsheet names it: `B7`.
pub(super) fn place((row, column): (u32, u32)) -> String {
    let (mut letters, mut rest) = (Vec::new(), u64::from(column) + 1);
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", u64::from(row) + 1)
}

/// A sheet that cannot be read from some cell on. The words of the library that noticed it would
/// tell nobody what to do.
pub(super) fn sheet_broken(sheet: &str, cell: Option<(u32, u32)>) -> WorkbookFault {
    let sheet = crate::domain::row_error::shown(sheet);
    match cell {
        Some(cell) => corrupt(format_args!(
            "sheet `{sheet}` cannot be read from about cell {} on",
            place(cell)
        )),
        None => corrupt(format_args!("sheet `{sheet}` cannot be read")),
    }
}

/// A fault of the content.
pub(super) fn corrupt(detail: impl Display) -> WorkbookFault {
    WorkbookFault::Corrupt { detail: detail.to_string() }
}

/// An answer of the system while the workbook was read.
pub(super) fn unreadable(error: impl Display) -> WorkbookFault {
    WorkbookFault::Unreadable { detail: error.to_string() }
}

/// An answer of the system while the converted rows were written.
pub(super) fn not_written(error: std::io::Error) -> WorkbookFault {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    let kind = error.kind();
    if kind == StorageFull || kind == QuotaExceeded {
        WorkbookFault::DiskFull
    } else if kind == FileTooLarge {
        WorkbookFault::Expands { detail: error.to_string() }
    } else {
        unreadable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_names_that_a_spreadsheet_shows() {
        for (cell, name) in [((0, 0), "A1"), ((6, 25), "Z7"), ((1, 26), "AA2"), ((0, 702), "AAA1")]
        {
            assert_eq!(place(cell), name);
        }
        assert_eq!(place((1_048_575, 16_383)), "XFD1048576");
    }
}
