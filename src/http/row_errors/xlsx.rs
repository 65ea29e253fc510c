//! Failed rows as a workbook, written to a temporary file row by row: memory stays flat.

use std::io;
use std::path::Path;

use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::columns::{Columns, ListedRow, explanation};
use crate::domain::error_code::ErrorCode;
use crate::domain::failed_list::escape_formula;
use crate::files::is_disk_full;
use crate::http::download::TempFile;

/// Rows below the header that one sheet holds.
pub(in crate::http) const ROWS_MAX: u64 = 1_048_575;

/// Columns that one sheet holds.
const COLUMNS_MAX: usize = 16_384;

/// Characters (UTF-16 units, as the format counts) that one cell holds.
const CELL_UNITS_MAX: usize = 32_767;

/// A workbook that could not be made.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum WorkbookError {
    /// The failed rows could not be read.
    #[error("failed to read the failed rows")]
    Rows(#[source] io::Error),
    /// The file could not be written.
    #[error("failed to write the workbook")]
    File(#[source] io::Error),
    /// The workbook could not be written.
    #[error("failed to write the workbook")]
    Write(#[from] XlsxError),
}

impl WorkbookError {
    /// The code that a client sees.
    pub(in crate::http) fn code(&self) -> ErrorCode {
        match self {
            Self::File(fault) | Self::Write(XlsxError::IoError(fault)) if is_disk_full(fault) => {
                ErrorCode::StorageFull
            }
            Self::Rows(_) | Self::File(_) | Self::Write(_) => ErrorCode::Internal,
        }
    }
}

/// Writes the workbook into `tmp` and opens it; the file has no name any more.
///
/// All cells are strings, which no spreadsheet takes for formulas: they need no apostrophe. Only one
/// that has one before a formula gets another, since one is taken away when the list comes in again.
pub(in crate::http) fn write<T: Into<ListedRow>>(
    columns: &Columns,
    rows: impl Iterator<Item = io::Result<T>>,
    tmp: &Path,
) -> Result<TempFile, WorkbookError> {
    let mut book = Workbook::new();
    book.set_tempdir(tmp)?;
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet_with_constant_memory()?;
    for (place, title) in columns.header().take(COLUMNS_MAX).enumerate() {
        let Ok(place) = u16::try_from(place) else { break };
        let title = if title.starts_with('\'') { escape_formula(title) } else { title.into() };
        sheet.write_string_with_format(0, place, cut(&title), &bold)?;
    }
    for (index, row) in rows.enumerate() {
        let listed: ListedRow = row.map_err(WorkbookError::Rows)?.into();
        let row = &listed.row;
        let number = row.row_number.to_string();
        let why = explanation(row);
        let cells = columns
            .own_cells(row)
            .chain([number.as_str()])
            .chain(columns.outcome(&listed))
            .chain([why.as_str()])
            .chain(columns.surplus(row))
            .take(COLUMNS_MAX);
        let below = u32::try_from(index + 1).unwrap_or(u32::MAX);
        for (place, cell) in cells.enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let Ok(place) = u16::try_from(place) else { break };
            let cell = if cell.starts_with('\'') { escape_formula(cell) } else { cell.into() };
            sheet.write_string(below, place, cut(&cell))?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    let mut file = tempfile::tempfile_in(tmp).map_err(WorkbookError::File)?;
    book.save_to_writer(&mut file)?;
    TempFile::written(file).map_err(WorkbookError::File)
}

/// The text that fits into a cell; `…` marks a cut. The CSV contains the whole text.
pub(in crate::http) fn cut(cell: &str) -> String {
    if cell.len() <= CELL_UNITS_MAX || cell.encode_utf16().count() <= CELL_UNITS_MAX {
        return cell.to_owned();
    }
    let mut units = 0;
    let mut short: String = cell
        .chars()
        .take_while(|c| {
            units += c.len_utf16();
            units < CELL_UNITS_MAX
        })
        .collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader, Xlsx};

    use super::super::columns::tests::{detected, failed};
    use super::*;
    use crate::http::download::Pieces;

    fn bytes(mut file: TempFile) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let piece = file.next_piece().unwrap();
            if piece.is_empty() {
                return bytes;
            }
            bytes.extend(piece);
        }
    }

    #[test]
    fn a_spreadsheet_reads_the_cells_as_texts() {
        let tmp = tempfile::tempdir().unwrap();
        let columns = Columns::of(Some(&detected(&["SKU", "Note"], ',')));
        let long = "ä".repeat(40_000);
        let rows = [failed(&["007", "=2+3"]), failed(&["", &long, "extra"])];
        let file = write(&columns, rows.into_iter().map(Ok), tmp.path()).unwrap();
        let mut book = Xlsx::new(io::Cursor::new(bytes(file))).unwrap();
        let range = book.worksheet_range_at(0).unwrap().unwrap();
        let text = |row: u32, column: u32| match range.get_value((row, column)) {
            Some(Data::String(text)) => text.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(text(0, 3), "_error");
        assert_eq!((text(1, 0), text(1, 1)), ("007".to_owned(), "=2+3".to_owned()));
        assert_eq!(text(1, 2), "7");
        assert_eq!(text(2, 1).encode_utf16().count(), CELL_UNITS_MAX);
        assert_eq!(text(2, 4), "extra");
        assert_eq!(std::fs::read_dir(tmp.path()).unwrap().count(), 0);
    }
}
