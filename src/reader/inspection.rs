//! What an inspection is given and what it finds.

use std::path::Path;

use super::error::ReadError;
use super::failed_rows_file;
use crate::domain::detected::{DecimalSeparator, Detected, Format};
use crate::domain::limits::COLUMNS_MAX;
use crate::domain::row::RawRow;

/// Rows after the header that an inspection reads.
pub(super) const SAMPLE_ROWS: usize = 20;

/// A file as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// Where it lies.
    pub path: &'a Path,
    /// The name that the client gave it.
    pub file_name: &'a str,
    /// The media type that the client gave it.
    pub media_type: Option<&'a str>,
    /// It is UTF-8 from the first byte to the last.
    pub valid_utf8: bool,
    /// Its bytes.
    pub size: u64,
}

/// What a file is and how it is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// By content.
    pub format: Format,
    /// CSV: the delimiter.
    pub delimiter: Option<char>,
    /// CSV: the encoding's WHATWG name in lower case.
    pub encoding: Option<String>,
    /// CSV: a byte order mark stands at the start.
    pub bom: bool,
    /// Workbook: the sheet that is read.
    pub sheet: Option<String>,
    /// Workbook: every worksheet.
    pub sheets: Vec<String>,
    /// The row of the header as a spreadsheet shows it.
    pub header_row: u32,
    /// How the file writes decimals.
    pub decimal: DecimalSeparator,
    /// The header's cells as they stand in the file, without empty ones at the end.
    pub header: Vec<String>,
    /// The first data rows, at most twenty, as the job will read them.
    pub sample: Vec<RawRow>,
}

impl Inspection {
    /// What a job keeps of it, with the name of the column that each cell of the header feeds.
    #[must_use]
    pub fn into_detected(self, columns: Vec<Option<String>>) -> Detected {
        Detected {
            format: self.format,
            delimiter: self.delimiter,
            encoding: self.encoding,
            bom: self.bom,
            sheet: self.sheet,
            header_row: self.header_row,
            decimal: self.decimal,
            header: self.header,
            columns,
        }
    }
}

/// The header's cells up to the last one with content.
pub(super) fn header_of(row: &RawRow) -> Result<Vec<String>, ReadError> {
    let mut header: Vec<String> = row.cells().map(|(text, _)| text.to_owned()).collect();
    let filled = header.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
    header.truncate(filled);
    if filled > COLUMNS_MAX {
        return Err(ReadError::TooManyColumns { found: filled });
    }
    Ok(failed_rows_file::restore_header(header))
}
