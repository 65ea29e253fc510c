//! Bytes to rows: finds out what an uploaded file is, reads text, and has workbooks read by a child
//! process.
//!
//! Knows nothing of datasets beyond what one of them knows of a header's cells, and nothing of jobs, databases and HTTP. Everything here blocks: call it from a thread of its own.

mod child;
mod companion;
mod csv_record;
mod csv_rows;
mod data_rows;
mod delimiter;
mod dialect;
mod encoding;
pub mod error;
mod failed_rows_file;
mod format;
mod header_search;
mod inspect;
mod inspection;
mod json_elements;
mod json_object;
mod meet_list;
mod merged;
mod object_rows;
mod row_source;
mod sniff;
mod spool;
mod swallowed_rows;
mod transcode;
pub mod workbook;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;

pub use child::{Child, ReadPermit};
pub use companion::Companion;
pub use encoding::short_text;
pub use error::{ReadError, WorkbookFault};
pub use format::{ending_of_media_type, endings, is_workbook};
pub use inspect::{inspect, may_be_workbook};
pub use inspection::{HeaderPlace, Inspection, Upload};
pub use meet_list::MeetListFault;
pub use row_source::RowSource;

use self::workbook::{ConvertMode, ConvertRequest};
use crate::domain::detected::{Detected, Format};

/// The format that the ending of a file name declares, if it is one of ours.
#[must_use]
pub fn format_by_name(file_name: &str) -> Option<Format> {
    format::declared::by_name(file_name)
}

/// Opens the rows behind the header of a file that was inspected. Of a workbook, `path` is the spool
/// file that [`convert`] wrote.
///
/// # Errors
/// When the file cannot be opened or is not what the inspection found.
pub fn open(path: &Path, detected: &Detected) -> Result<Box<dyn RowSource>, ReadError> {
    format::by_id(detected.format).open(path, detected)
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
