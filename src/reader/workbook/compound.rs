//! Compound files ([MS-CFB]): its streams distinguish an XLS workbook from an encrypted
//! package and from a Word document.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use cfb::CompoundFile;

use super::fault::{corrupt, unreadable};
use crate::reader::error::WorkbookFault;

/// What a compound file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contents {
    Xls,
    /// A package under a password.
    EncryptedPackage,
}

/// Says what the compound file at `path` holds.
pub(super) fn contents(path: &Path) -> Result<Contents, WorkbookFault> {
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let file = CompoundFile::open(file).map_err(|_| corrupt("its container is broken"))?;
    let is_there = |name: &str| file.is_stream(name);
    let found = if is_there("EncryptedPackage") {
        return Ok(Contents::EncryptedPackage);
    } else if is_there("Workbook") || is_there("Book") {
        return Ok(Contents::Xls);
    } else if is_there("WordDocument") {
        "a Word document"
    } else if is_there("PowerPoint Document") {
        "a PowerPoint presentation"
    } else if file.read_root_storage().any(|entry| entry.name().starts_with("__substg1.0")) {
        "an Outlook message"
    } else {
        "an Office file without a workbook"
    };
    Err(WorkbookFault::Unsupported { found: found.to_owned() })
}
