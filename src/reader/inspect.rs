//! The inspection of an upload: everything that is decided about a file before its first row is
//! read, with the header and the first rows.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::child::ReadPermit;
use super::companion::companion;
use super::error::ReadError;
use super::format::{self, FileStart, InspectRequest, declared};
use super::inspection::{Inspection, Upload};
use super::sniff::{self, Content};
use crate::domain::detected::Format;
use crate::domain::known_header::KnownHeader;
use crate::domain::limits::SNIFF_BYTES;
use crate::domain::options::Options;

/// Finds out what the file is and reads its header and first rows. Blocks; a workbook is opened by
/// a child process, which is killed when `stop` is set. `know` says which columns of the dataset a
/// row would feed if it were the header; `home_encoding` is what a guess prefers.
///
/// # Errors
/// Why the file cannot be imported, with a code that a request is refused with;
/// [`ReadError::Stopped`] after `stop` was set.
pub fn inspect(
    upload: &Upload<'_>,
    options: &Options,
    home_encoding: Option<&str>,
    know: &dyn Fn(&[&str]) -> KnownHeader,
    permit: &ReadPermit,
    stop: &AtomicBool,
) -> Result<Inspection, ReadError> {
    if upload.size == 0 {
        return Err(ReadError::Empty);
    }
    let head = read_head(upload.path).map_err(ReadError::io("read the file"))?;
    if let Some(found) = companion(upload.file_name, &head, upload.size) {
        return Err(ReadError::Companion(found));
    }
    let content = sniff::content(&head);
    let declared = declared::declared(upload.file_name, upload.media_type);
    let start = FileStart { content, bytes: &head, declared };
    let Some(format) = format::recognised(&start) else {
        let Content::Other(found) = content else { return Err(ReadError::Empty) };
        return Err(ReadError::Unsupported { found: found.to_owned() });
    };
    let check_declared =
        |found: Format| declared::check(upload.file_name, upload.media_type, found);
    if !format.is_workbook() {
        check_declared(format.id())?;
    }
    let check_declared = &check_declared;
    let head = &head;
    format.inspect(&InspectRequest {
        upload,
        head,
        options,
        home_encoding,
        know,
        check_declared,
        permit,
        stop,
    })
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
