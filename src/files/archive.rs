//! A ZIP archive of files: each file inside becomes an upload of its own. Names inside are shown and
//! lead to no path; whatever is written lies under a name of ours. Sizes that the archive claims are
//! not believed: bytes are counted as they come. Knows nothing of what the files mean.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::gunzip::{is_gzip, name_inside, unpacked_max};
use super::receive::CopyError;
use super::upload_file::TempUpload;
use super::{DataDir, FileError};
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::{ARCHIVE_DIRECTORY_BYTES_MAX, ARCHIVE_RATIO_MAX, BULK_FILES_MAX};

/// Why an archive, or a file inside, was refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The archive or the file inside is cut off or broken.
    #[error("the ZIP archive is cut off, broken or split over several files")]
    Damaged,
    /// More files than an upload may have.
    #[error("the ZIP archive has more than {BULK_FILES_MAX} files")]
    TooManyFiles,
    /// A file inside needs a password.
    #[error("the file is encrypted inside of the ZIP archive")]
    Encrypted,
    /// A file inside is packed in a way that is not known here.
    #[error("the file is packed by a method other than deflate")]
    Method,
    /// A file inside is far larger than it is packed.
    #[error(
        "the file is more than {ARCHIVE_RATIO_MAX} times as large as it is inside of the ZIP archive"
    )]
    Expands,
    /// The disk, or the limit of an upload.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ArchiveError {
    /// The code of the answer.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Damaged => ErrorCode::CorruptArchive,
            Self::TooManyFiles => ErrorCode::TooManyFiles,
            Self::Encrypted => ErrorCode::PasswordProtected,
            Self::Method => ErrorCode::UnsupportedFormat,
            Self::Expands => ErrorCode::ExpandsTooLarge,
            Self::File(fault) => fault.code(),
        }
    }
}

/// A file of an archive: its name and its bytes, or why it was refused.
pub type ArchivedFile = (String, Result<TempUpload, ArchiveError>);

/// Names inside by which an archive is a document of its own: workbooks, text documents, books.
const OF_DOCUMENTS: [&str; 4] =
    ["[content_types].xml", "mimetype", "meta-inf/manifest.xml", "xl/workbook.xml"];

impl DataDir {
    /// The files of `upload` when that is a ZIP archive of files, of at most `limit` bytes in all.
    /// `None` when it is anything else, a workbook included. Blocks.
    ///
    /// # Errors
    /// When it is such an archive and cannot be opened, or has too many files.
    pub fn unpack(
        self: &Arc<Self>,
        upload: &TempUpload,
        limit: u64,
    ) -> Result<Option<Vec<ArchivedFile>>, ArchiveError> {
        let unreadable = |source| FileError::store("read the upload", source);
        let mut file = File::open(&upload.path).map_err(unreadable)?;
        if !is_zip(&mut file).map_err(unreadable)? {
            return Ok(None);
        }
        check_directory(&mut file, upload.size)?;
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(from_zip)?;
        if archive.file_names().flatten().any(|name| is_of_document(&name)) {
            return Ok(None);
        }
        let mut left = limit;
        let mut files = Vec::new();
        for index in 0..archive.len() {
            let Some((name, unpacked)) = self.unpack_one(&mut archive, index, left, limit)? else {
                continue;
            };
            if files.len() >= BULK_FILES_MAX {
                return Err(ArchiveError::TooManyFiles);
            }
            if let Ok(upload) = &unpacked {
                left = left.saturating_sub(upload.size);
            }
            files.push((name, unpacked));
        }
        Ok(Some(files))
    }

    /// A file inside; nothing for folders and for what systems put beside files.
    fn unpack_one(
        &self,
        archive: &mut ZipArchive<BufReader<File>>,
        index: usize,
        left: u64,
        limit: u64,
    ) -> Result<Option<ArchivedFile>, ArchiveError> {
        let (name, packed, is_encrypted) = {
            let raw = archive.by_index_raw(index).map_err(from_zip)?;
            let lossy = |_| String::from_utf8_lossy(raw.name_raw()).into_owned();
            let name = raw.name().map_or_else(lossy, Cow::into_owned);
            if raw.is_dir() || is_of_system(&name) {
                return Ok(None);
            }
            (name, raw.compressed_size(), raw.encrypted())
        };
        let unpacked = if is_encrypted {
            Err(ArchiveError::Encrypted)
        } else {
            match archive.by_index(index) {
                Ok(file) => {
                    let expected = unpacked_max(packed);
                    self.copy(gunzipped(file), expected.min(left)).map_err(|fault| match fault {
                        CopyError::Source(_) => ArchiveError::Damaged,
                        CopyError::TooLong if expected < left => ArchiveError::Expands,
                        CopyError::TooLong => FileError::TooLarge { limit }.into(),
                        CopyError::File(fault) => fault.into(),
                    })
                }
                Err(fault) => Err(from_zip(fault)),
            }
        };
        match unpacked {
            // The disk is at fault, not the file.
            Err(ArchiveError::File(fault)) if fault.code().status() >= 500 => Err(fault.into()),
            unpacked => Ok(Some((name_inside(&name).to_owned(), unpacked))),
        }
    }
}

/// The bytes of a file inside; those inside of it, when it is packed with gzip itself.
fn gunzipped<'a>(file: impl Read + 'a) -> Box<dyn Read + 'a> {
    let mut file = BufReader::new(file);
    // A fault comes again with the first byte.
    if file.fill_buf().is_ok_and(is_gzip) {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    }
}

/// True of the first bytes of an archive.
fn is_zip(file: &mut File) -> io::Result<bool> {
    let mut head = [0; 4];
    let mut read = 0;
    while let Some(rest) = head.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => return Ok(false),
            bytes => read += bytes,
        }
    }
    Ok(head == *b"PK\x03\x04")
}

/// The end of an archive (APPNOTE.TXT, 4.3.16), without the comment behind it.
const END_BYTES: usize = 22;

/// Refuses a directory that is large or is not where it should be, before anybody reads it into
/// memory.
fn check_directory(file: &mut File, size: u64) -> Result<(), ArchiveError> {
    let damaged = |_| ArchiveError::Damaged;
    let tail = size.min(u64::from(u16::MAX) + END_BYTES as u64);
    file.seek(SeekFrom::Start(size - tail)).map_err(damaged)?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let at = memchr::memmem::rfind(&bytes, b"PK\x05\x06").ok_or(ArchiveError::Damaged)?;
    let end = bytes.get(at..at + END_BYTES).ok_or(ArchiveError::Damaged)?;
    let [.., low, high, _, _, _, _, _, _, _, _, _, _] = end else {
        return Err(ArchiveError::Damaged);
    };
    let entries = usize::from(u16::from_le_bytes([*low, *high]));
    let number = |at: usize| {
        let bytes = end.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_le_bytes).map(u64::from).ok_or(ArchiveError::Damaged)
    };
    let (length, start) = (number(12)?, number(16)?);
    if entries > 2 * BULK_FILES_MAX || length > ARCHIVE_DIRECTORY_BYTES_MAX {
        return Err(ArchiveError::TooManyFiles);
    }
    if start + length == size - tail + at as u64 { Ok(()) } else { Err(ArchiveError::Damaged) }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn from_zip(error: ZipError) -> ArchiveError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            ArchiveError::Encrypted
        }
        ZipError::UnsupportedArchive(_) => ArchiveError::Method,
        _ => ArchiveError::Damaged,
    }
}

fn is_of_document(name: &str) -> bool {
    OF_DOCUMENTS.contains(&name.replace('\\', "/").to_ascii_lowercase().as_str())
}

/// Files that macOS and Windows put beside those of the user.
fn is_of_system(name: &str) -> bool {
    let name = name.replace('\\', "/");
    let last = Path::new(&name).file_name().and_then(|last| last.to_str()).unwrap_or_default();
    name.starts_with("__MACOSX/")
        || matches!(last.to_ascii_lowercase().as_str(), ".ds_store" | "thumbs.db" | "desktop.ini")
        || last.starts_with("._")
        || name.ends_with('/')
}

#[cfg(test)]
mod tests;
