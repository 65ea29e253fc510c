//! Holding a job where a test wants it, until the test lets it go.

use std::path::{Path, PathBuf};

/// A file: as long as it is there, the server waits at a failpoint.
#[derive(Debug)]
pub(crate) struct Hold(PathBuf);

impl Hold {
    /// Makes the file in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let file = folder.join("held");
        std::fs::write(&file, "").expect("the folder can be written to");
        Self(file)
    }

    /// The value of `FAILPOINTS` that holds the server at `failpoint`.
    pub(crate) fn at(&self, failpoint: &str) -> String {
        format!("{failpoint}=return(hold:{})", self.0.display())
    }

    /// Lets the server go on.
    pub(crate) fn release(self) {
        std::fs::remove_file(self.0).expect("nobody else removes it");
    }
}
