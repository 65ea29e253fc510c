//! An upload that came in whole: first among the unfinished files, then stored to stay. What becomes
//! of neither is removed again. Where it stays is the storage's.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{Storage, remove_all};

/// A file that came in whole and lies among the unfinished ones: it can be read, but it is not
/// durable and nobody was promised anything.
///
/// Dropped without having been [kept](super::Storage::keep), it is removed again.
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

/// A file that is stored to stay: whatever happens to the power, it is there.
///
/// Dropped without [`keep`](StoredUpload::keep), it is removed again.
#[derive(Debug)]
pub struct StoredUpload {
    /// The name of its folder.
    pub uuid: Uuid,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal in lower case.
    pub sha256: String,
    /// True when all of it is valid UTF-8.
    pub valid_utf8: bool,
    storage: Storage,
    kept: bool,
}

impl TempUpload {
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

impl StoredUpload {
    /// A file that is about to be stored under a new name; whatever of it is there already is
    /// removed again unless it is kept.
    pub(super) fn begin(storage: Storage, upload: &TempUpload) -> Self {
        Self {
            uuid: Uuid::new_v4(),
            size: upload.size,
            sha256: upload.sha256.clone(),
            valid_utf8: upload.valid_utf8,
            storage,
            kept: false,
        }
    }

    /// The file belongs to a job now: it stays.
    pub fn keep(mut self) -> Uuid {
        self.kept = true;
        self.uuid
    }
}

impl Drop for TempUpload {
    fn drop(&mut self) {
        if !self.stored {
            remove_soon(std::mem::take(&mut self.path));
        }
    }
}

impl Drop for StoredUpload {
    fn drop(&mut self) {
        if !self.kept {
            self.storage.remove_soon(self.uuid);
        }
    }
}

/// Removes what nobody needs, off the runtime: freeing a large file takes the disk some time.
pub(super) fn remove_soon(path: PathBuf) {
    let doomed = Doomed(path);
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn_blocking(move || drop(doomed));
    }
}

/// A path that is removed when this is dropped: also by a runtime that ends before it comes to the
/// work.
struct Doomed(PathBuf);

impl Drop for Doomed {
    fn drop(&mut self) {
        let Self(path) = self;
        if let Err(fault) = remove_all(path) {
            tracing::warn!(path = %path.display(), error = %fault, "an upload that nobody needs was not removed");
        }
    }
}
