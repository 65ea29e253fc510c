//! Bytes to rows: finds out what an uploaded file is, reads CSV, and has workbooks read by a child
//! process.
//!
//! Knows nothing of datasets beyond how many cells of a header one of them recognises, and nothing
//! of jobs, databases and HTTP. Everything here blocks: call it from a thread of its own.

mod child;
mod csv_rows;
mod decimal;
mod declared_format;
mod delimiter;
mod encoding;
pub mod error;
mod failed_rows_file;
mod inspect;
mod sniff;
mod spool;
mod transcode;
pub mod workbook;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

pub use child::{Child, ReadPermit};
pub use declared_format::EXTENSIONS;
pub use error::{ReadError, WorkbookFault};
pub use inspect::{Inspection, Upload, inspect, may_be_workbook};

use self::csv_rows::CsvRows;
use self::transcode::TextFile;
use self::workbook::{ConvertMode, ConvertRequest};
use crate::domain::detected::Detected;
use crate::domain::row::RawRow;

/// Gives the data rows of a file one after another.
pub trait RowSource: Send {
    /// Reads the next row that is not blank into `row`. False at the end.
    ///
    /// # Errors
    /// When the file cannot be read further; [`ReadError::position`] says where that was.
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError>;
}

/// The data rows of a CSV file.
#[derive(Debug)]
struct CsvFile {
    rows: CsvRows<TextFile>,
    header_row: u32,
}

/// Opens a CSV file as [`inspect()`] found it. Gives the rows after the header.
///
/// # Errors
/// When the file cannot be opened, or `detected` names an encoding that does not exist.
pub fn open_csv(path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
    let label = detected.encoding.as_deref().unwrap_or("utf-8");
    let text = TextFile::open(path, encoding::by_label(label)?, detected.bom)
        .map_err(ReadError::io("open the file"))?;
    let delimiter = u8::try_from(detected.delimiter.unwrap_or(',')).unwrap_or(b',');
    let mut rows = CsvRows::new(text, delimiter);
    rows.set_header_cells(detected.header.len());
    let rows = CsvFile { rows, header_row: detected.header_row };
    Ok(failed_rows_file::restore_cells(rows, &detected.header))
}

impl RowSource for CsvFile {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        while self.rows.next_row(row)? {
            if row.row_number > self.header_row {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Converts the sheet of a workbook to a spool file in a child process; blocks until that ended.
/// The spool appears under its name only when it is whole.
///
/// # Errors
/// What is wrong with the workbook, how the child ended, or [`ReadError::Stopped`] after `stop` was
/// set and the child was killed.
pub fn convert(
    path: &Path,
    detected: &Detected,
    spool: &Path,
    permit: &ReadPermit,
    stop: &AtomicBool,
) -> Result<(), ReadError> {
    let child = permit.child();
    let failed = ReadError::io("write the converted rows");
    let unfinished = spool.with_extension("part");
    let request = ConvertRequest {
        path: path.to_owned(),
        format: Some(detected.format),
        mode: ConvertMode::All {
            sheet: detected.sheet.clone().unwrap_or_default(),
            header_row: detected.header_row,
            columns: detected.header.len(),
        },
        memory_bytes: child.memory_bytes,
    };
    let output = File::create(&unfinished).map_err(&failed)?;
    let result = child
        .run(&request, output, stop)
        .and_then(|()| std::fs::rename(&unfinished, spool).map_err(&failed));
    if result.is_err() {
        // It is of no use, and the next attempt begins it anew.
        let _ = std::fs::remove_file(&unfinished);
    }
    result
}

/// Opens the spool file that [`convert`] wrote of a workbook. Gives the rows after the header.
///
/// # Errors
/// [`ReadError::SpoolDamaged`] when the file is not whole.
pub fn open_spool(spool: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
    Ok(failed_rows_file::restore_cells(spool::SpoolRows::open(spool)?, &detected.header))
}
