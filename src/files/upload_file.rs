//! An upload that came in whole and lies among the unfinished files. It is removed again unless a
//! storage takes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::FileError;
use super::blocking::blocking;
use super::folders::remove_all;
use super::utf8::Utf8Check;
use crate::domain::hexadecimal::hex;

/// Bytes of a download that are looked through at a time.
const LOOK_BYTES: usize = 256 << 10;

/// A file that came in whole and lies among the unfinished ones: it can be read, but it is not
/// durable, and no client has an answer yet.
///
/// Dropped without having been [stored](super::Storage::store), it is removed again.
#[derive(Debug)]
pub struct TempUpload {
    /// Where it lies for now.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal in lower case.
    pub sha256: String,
    /// True when all of it is valid UTF-8.
    pub valid_utf8: bool,
    pub(super) file: File,
    pub(super) stored: bool,
}

impl TempUpload {
    /// A file that was downloaded, looked through. It stays when this is dropped.
    pub(super) async fn of_download(path: PathBuf) -> Result<Self, FileError> {
        let look = move || {
            let (mut hash, mut utf8, mut size) = (Sha256::new(), Utf8Check::default(), 0);
            let mut file = File::open(&path)?;
            let mut buffer = vec![0; LOOK_BYTES];
            loop {
                let count = file.read(&mut buffer)?;
                let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                    break;
                };
                hash.update(bytes);
                utf8.push(bytes);
                size += bytes.len() as u64;
            }
            let (sha256, valid_utf8) = (hex(&hash.finalize()), utf8.is_valid());
            Ok(Self { path, size, sha256, valid_utf8, file, stored: true })
        };
        blocking("look through the download", look).await
    }

    /// Lets `take` move the file away; it is ours no more when that succeeds. Blocks.
    pub(super) fn give(
        mut self,
        take: impl FnOnce(&File, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        take(&self.file, &self.path)?;
        self.stored = true;
        Ok(())
    }
}

impl Drop for TempUpload {
    fn drop(&mut self) {
        if !self.stored {
            remove_soon(std::mem::take(&mut self.path));
        }
    }
}

/// Removes an unneeded file, off the runtime: freeing a large file takes the disk some time.
pub(super) fn remove_soon(path: PathBuf) {
    let doomed = Doomed(path);
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        let span = tracing::Span::current();
        runtime.spawn_blocking(move || span.in_scope(|| drop(doomed)));
    }
}

/// A path that is removed when this is dropped: also by a runtime that ends before it comes to the
/// work.
struct Doomed(PathBuf);

impl Drop for Doomed {
    fn drop(&mut self) {
        let Self(path) = self;
        if let Err(fault) = remove_all(path) {
            tracing::warn!(
                event = "upload_left",
                path = %path.display(),
                error = %fault,
                "unneeded upload could not be removed"
            );
        }
    }
}
