//! The uploaded file of a job, to be read, wherever it lies.

use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// The uploaded file of a job, to be read. A copy that was fetched goes with this value.
#[derive(Debug)]
pub struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) fetched: Option<TempPath>,
    pub(super) is_own: bool,
}

impl SourceFile {
    /// Where it lies: a local file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.fetched.as_deref().unwrap_or(&self.path)
    }

    /// True when nobody but this server could have changed it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.is_own
    }
}
