//! The inspection of an upload: everything that is decided about a file before its first row is
//! read, with the header and the first rows.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::child::ReadPermit;
use super::csv_rows::CsvRows;
use super::error::{ReadError, WorkbookFault};
use super::sniff::{self, Content};
use super::spool::SpoolRows;
use super::transcode::TextFile;
use super::workbook::{ConvertMode, ConvertRequest, SAMPLE_ROWS};
use super::{RowSource, decimal, declared_format, delimiter, encoding, failed_rows_file};
use crate::domain::detected::{DecimalSeparator, Detected, Format};
use crate::domain::limits::{COLUMNS_MAX, SNIFF_BYTES};
use crate::domain::options::Options;
use crate::domain::row::RawRow;

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
    match sniff::content(&head) {
        Content::Other(found) => Err(ReadError::Unsupported { found: found.to_owned() }),
        Content::Zip | Content::Compound => inspect_workbook(upload, options, permit, stop),
        Content::Text => inspect_csv(upload, options, header_score, &head),
    }
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

fn inspect_csv(
    upload: &Upload<'_>,
    options: &Options,
    header_score: &dyn Fn(&[&str]) -> usize,
    head: &[u8],
) -> Result<Inspection, ReadError> {
    let failed = ReadError::io("read the file");
    let asked = options.encoding.as_deref();
    let chosen = encoding::decide(upload.path, head, asked, upload.valid_utf8)?;
    let open = || TextFile::open(upload.path, chosen.encoding, chosen.bom).map_err(&failed);
    let mut start = Vec::with_capacity(SNIFF_BYTES);
    open()?.take(SNIFF_BYTES as u64).read_to_end(&mut start).map_err(&failed)?;
    declared_format::check(upload.file_name, upload.media_type, Format::Csv)?;

    let declared = delimiter::declared(&start);
    let below = declared.map(|_| 2);
    let wanted = options.header_row.or(below);
    let sign = options
        .delimiter
        .or(declared)
        .unwrap_or_else(|| delimiter::find(&start, wanted, header_score));

    let mut rows = CsvRows::new(open()?, u8::try_from(sign).unwrap_or(b','));
    let mut row = RawRow::new();
    loop {
        if !rows.next_row(&mut row)? {
            return Err(match options.header_row {
                Some(row) => ReadError::NoHeader { row },
                None => ReadError::Empty,
            });
        }
        if wanted.is_none_or(|wanted| row.row_number >= wanted) {
            break;
        }
    }
    if let Some(wanted) = options.header_row.filter(|wanted| *wanted != row.row_number) {
        return Err(ReadError::NoHeader { row: wanted });
    }
    let header_row = row.row_number;
    let header = header_of(&row)?;
    rows.set_header_cells(header.len());
    let mut sample = Vec::new();
    while sample.len() < SAMPLE_ROWS && rows.next_row(&mut row)? {
        sample.push(row.clone());
    }
    let cells = sample.iter().flat_map(RawRow::cells).map(|(text, _)| text);
    let decimal = decimal::decide(options.decimal, sign, cells);
    failed_rows_file::restore_sample(&mut sample, &header);
    Ok(Inspection {
        format: Format::Csv,
        delimiter: Some(sign),
        encoding: Some(chosen.name()),
        bom: chosen.bom,
        sheet: None,
        sheets: Vec::new(),
        header_row,
        decimal,
        header,
        sample,
    })
}

fn inspect_workbook(
    upload: &Upload<'_>,
    options: &Options,
    permit: &ReadPermit,
    stop: &AtomicBool,
) -> Result<Inspection, ReadError> {
    let child = permit.child();
    let failed = ReadError::io("inspect the workbook");
    let request = ConvertRequest {
        path: upload.path.to_owned(),
        format: None,
        mode: ConvertMode::Head { sheet: options.sheet.clone(), header_row: options.header_row },
        memory_bytes: child.memory_bytes,
    };
    let folder = upload.path.parent().unwrap_or(Path::new("."));
    let output = tempfile::tempfile_in(folder).map_err(&failed)?;
    child.run(&request, output.try_clone().map_err(&failed)?, stop)?;
    let mut rows = SpoolRows::from_file(output)?;
    let head = rows.head().clone();
    declared_format::check(upload.file_name, upload.media_type, head.format)?;
    let mut row = RawRow::new();
    if !rows.next(&mut row)? {
        return Err(WorkbookFault::Empty.into());
    }
    let header_row = row.row_number;
    let header = header_of(&row)?;
    let mut sample = Vec::new();
    while rows.next(&mut row)? {
        sample.push(row.clone());
    }
    failed_rows_file::restore_sample(&mut sample, &header);
    Ok(Inspection {
        format: head.format,
        delimiter: None,
        encoding: None,
        bom: false,
        sheet: Some(head.sheet),
        sheets: head.sheets,
        header_row,
        decimal: options.decimal,
        header,
        sample,
    })
}

/// The header's cells up to the last one with content.
fn header_of(row: &RawRow) -> Result<Vec<String>, ReadError> {
    let mut header: Vec<String> = row.cells().map(|(text, _)| text.to_owned()).collect();
    let filled = header.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |at| at + 1);
    header.truncate(filled);
    if filled > COLUMNS_MAX {
        return Err(ReadError::TooManyColumns { found: filled });
    }
    Ok(failed_rows_file::restore_header(header))
}
