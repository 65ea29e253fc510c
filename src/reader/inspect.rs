//! The inspection of an upload: everything that is decided about a file before its first row is
//! read, with the header and the first rows.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::child::ReadPermit;
use super::error::ReadError;
use super::failed_rows_file;
use super::format::{self, FileStart, InspectRequest, declared};
use super::sniff::{self, Content};
use crate::domain::detected::{DecimalSeparator, Detected, Format};
use crate::domain::limits::{COLUMNS_MAX, SNIFF_BYTES};
use crate::domain::options::Options;
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

/// Finds out what the file is and reads its header and first rows. Blocks; a workbook is opened by
/// a child process, which is killed when `stop` is set. `header_score` says how many of a header's
/// cells the dataset knows.
///
/// # Errors
/// Why the file cannot be imported, with a code that a request is refused with;
/// [`ReadError::Stopped`] after `stop` was set.
pub fn inspect(
    upload: &Upload<'_>,
    options: &Options,
    header_score: &dyn Fn(&[&str]) -> usize,
    permit: &ReadPermit,
    stop: &AtomicBool,
) -> Result<Inspection, ReadError> {
    if upload.size == 0 {
        return Err(ReadError::Empty);
    }
    let head = read_head(upload.path).map_err(ReadError::io("read the file"))?;
    let content = sniff::content(&head);
    let declared = declared::declared(upload.file_name, upload.media_type);
    let start = FileStart { content, bytes: &head, declared };
    let Some(format) = format::recognised(&start) else {
        let Content::Other(found) = content else { return Err(ReadError::Empty) };
        return Err(ReadError::Unsupported { found: found.to_owned() });
    };
    if !format.is_workbook() {
        declared::check(upload.file_name, upload.media_type, format.id())?;
    }
    format.inspect(&InspectRequest { upload, head: &head, options, header_score, permit, stop })
}

/// True for a file that [`inspect`] has opened by a child process, if it is no text. Reads a few
/// bytes.
///
/// # Errors
/// When the file cannot be read.
pub fn may_be_workbook(path: &Path) -> Result<bool, ReadError> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(8).read_to_end(&mut head));
    read.map_err(ReadError::io("read the file"))?;
    Ok(matches!(sniff::content(&head), Content::Zip | Content::Compound))
}

fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(SNIFF_BYTES);
    File::open(path)?.take(SNIFF_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
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
