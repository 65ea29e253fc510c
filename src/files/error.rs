//! What can go wrong with files, on disk and in a bucket.

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
    /// There is room, but not enough to leave the rest free that must stay.
    #[error("the data directory's disk has {} free and needs {}", bytesize::ByteSize(*.free).display().iec(), bytesize::ByteSize(*.needed).display().iec())]
    NoRoom {
        /// Bytes that are free.
        free: u64,
        /// Bytes that must be.
        needed: u64,
    },
    /// A file of a job is not there.
    #[error("failed to {doing}: it is not there")]
    Missing {
        /// What was being done.
        doing: &'static str,
    },
    /// The files lie in the folder of another server.
    #[error("the job's files lie in the folder of another server")]
    Elsewhere,
    /// The storage does not answer, or not as it should; it may do so later.
    #[error("failed to {doing}")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        #[source]
        source: Box<object_store::Error>,
    },
    /// A file could not be stored or read.
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
            Self::StorageFull { .. } | Self::NoRoom { .. } => ErrorCode::StorageFull,
            Self::Missing { .. } => ErrorCode::SourceUnreadable,
            Self::Elsewhere => ErrorCode::FilesElsewhere,
            Self::Unavailable { .. } => ErrorCode::StorageUnavailable,
            Self::Store { source, .. } if may_pass(source) => ErrorCode::StorageUnavailable,
            Self::Store { .. } | Self::Unusable { .. } => ErrorCode::Internal,
        }
    }

    /// True when the same work may succeed later, without anybody doing anything here: a storage
    /// that is away for a while.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Store { source, .. } => may_pass(source),
            Self::TooLarge { .. }
            | Self::StorageFull { .. }
            | Self::NoRoom { .. }
            | Self::Missing { .. }
            | Self::Elsewhere
            | Self::Unusable { .. } => false,
        }
    }

    /// What tests make places of this layer fail with.
    pub(super) fn broken(doing: &'static str) -> Self {
        Self::Store { doing, source: io::Error::other("a test lets it fail") }
    }

    /// Wraps what the system said while `doing` something; a full disk and a missing file are told
    /// apart.
    pub(super) fn store(doing: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::StorageFull { source }
            }
            io::ErrorKind::NotFound => Self::Missing { doing },
            _ => Self::Store { doing, source },
        }
    }

    /// Wraps what a bucket said while `doing` something. What is not certain to last may pass: a
    /// key that was withdrawn is given again, a bucket that was renamed comes back.
    pub(super) fn bucket(doing: &'static str, source: object_store::Error) -> Self {
        match source {
            object_store::Error::NotFound { .. } => Self::Missing { doing },
            source => Self::Unavailable { doing, source: Box::new(source) },
        }
    }
}

impl From<FileError> for io::Error {
    /// Keeps what [`may_pass`] and those who look for a full disk need to know.
    fn from(fault: FileError) -> Self {
        let kind = match &fault {
            FileError::StorageFull { .. } | FileError::NoRoom { .. } => io::ErrorKind::StorageFull,
            FileError::Missing { .. } => io::ErrorKind::NotFound,
            FileError::Unavailable { .. } => io::ErrorKind::NotConnected,
            FileError::Store { source, .. } => source.kind(),
            FileError::TooLarge { .. } | FileError::Elsewhere | FileError::Unusable { .. } => {
                io::ErrorKind::Other
            }
        };
        Self::new(kind, fault)
    }
}

/// True when what failed on files may succeed later: a network, or a disk behind one, that is away.
#[must_use]
pub fn may_pass(fault: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        fault.kind(),
        Kind::NotConnected
            | Kind::TimedOut
            | Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::NetworkDown
            | Kind::NetworkUnreachable
            | Kind::HostUnreachable
            | Kind::StaleNetworkFileHandle
            | Kind::ResourceBusy
    )
}
