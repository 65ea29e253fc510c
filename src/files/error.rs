//! What can go wrong with files on disk.

use std::io;
use std::path::PathBuf;

use crate::domain::error_code::ErrorCode;

/// A failed operation on the data directory.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is larger than the limit.
    #[error("the file is larger than {} ({limit} bytes), the most that this server takes", bytesize::ByteSize(*.limit).display().iec())]
    TooLarge {
        /// Bytes at most.
        limit: u64,
    },
    /// The disk or the quota is full.
    #[error("there is no room left in the data directory")]
    StorageFull {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An upload could not be stored.
    #[error("failed to {doing}")]
    Store {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error("the data directory `{}` cannot be used: {why}", path.display())]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// The reason and the way out.
        why: String,
        /// What the system said, where it did.
        #[source]
        source: Option<io::Error>,
    },
}

impl FileError {
    /// The code that a client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::StorageFull { .. } => ErrorCode::StorageFull,
            Self::Store { .. } | Self::Unusable { .. } => ErrorCode::Internal,
        }
    }

    /// Wraps what the system said while `doing` something; a full disk is told apart.
    pub(super) fn store(doing: &'static str, source: io::Error) -> Self {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        if full.contains(&source.kind()) {
            Self::StorageFull { source }
        } else {
            Self::Store { doing, source }
        }
    }
}
