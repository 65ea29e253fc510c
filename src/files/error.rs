//! What can go wrong with files, on disk and in a bucket.
//!
//! Messages may become a job's and so be shown to clients: they name a file by its job and name, and
//! its storage by its kind. Where that storage lies on this machine only the log says, at the start.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use crate::domain::error_code::ErrorCode;
use crate::domain::limits::ARCHIVE_RATIO_MAX;

/// A failed operation on the data directory or the storage.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is larger than the limit.
    #[error("the file is larger than {} ({limit} bytes), the most that this server takes", bytesize::ByteSize(*.limit).display().iec())]
    TooLarge {
        /// Bytes at most.
        limit: u64,
    },
    /// A file that is packed with gzip cannot be unpacked.
    #[error("the file is packed with gzip, and is cut off or broken")]
    DamagedGzip {
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// A file is far larger than it is packed.
    #[error("the file is more than {ARCHIVE_RATIO_MAX} times as large as it is packed with gzip")]
    Expands,
    /// The disk or the quota is full.
    #[error("there is no space left in the {directory}")]
    StorageFull {
        /// The kind of folder.
        directory: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The disk has free space, but less than must stay free after the write.
    #[error("the disk of the {directory} has {} free and needs {} with the rest that stays free (LOADBAY_MIN_FREE)", bytesize::ByteSize(*.free).display().iec(), bytesize::ByteSize(*.needed).display().iec())]
    InsufficientSpace {
        /// The kind of folder.
        directory: &'static str,
        /// Bytes that are free.
        free: u64,
        /// Bytes that must be.
        needed: u64,
    },
    /// A file of a job is not there.
    #[error("failed to {action}: it is not there")]
    Missing {
        /// What was being done.
        action: Cow<'static, str>,
    },
    /// The files lie in the folder of another server.
    #[error("the job's files lie in the folder of another server")]
    Elsewhere,
    /// The storage does not answer, or not as it should; it may do so later.
    #[error("failed to {action}")]
    Unavailable {
        /// What was being done.
        action: Cow<'static, str>,
        /// What it said.
        #[source]
        source: Box<object_store::Error>,
    },
    /// A file could not be stored or read.
    #[error("failed to {action}")]
    Store {
        /// What was being done.
        action: Cow<'static, str>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The data directory or the shared folder cannot be used.
    #[error("the {directory} `{}` cannot be used: {why}", path.display())]
    Unusable {
        /// The kind of folder.
        directory: &'static str,
        /// The directory.
        path: PathBuf,
        /// The reason and the way out.
        why: String,
        /// What the system said, where it did.
        #[source]
        source: Option<io::Error>,
    },
    /// Another server has locked the data directory.
    #[error("the data directory `{}` cannot be used: another server uses it; give this one its own LOADBAY_DATA_DIR", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The file with certificates of authorities cannot be used.
    #[error("{variable} names `{}`, {why}", path.display())]
    Authorities {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it: completes the sentence.
        why: String,
    },
    /// A variable `AWS_…` has a value that cannot be read.
    #[error("{variable} has a value that cannot be read; it takes {takes}")]
    Variable {
        /// Its name; never its value, which may be a secret.
        variable: String,
        /// What would be right.
        takes: &'static str,
    },
}

impl FileError {
    /// The code that a client sees.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::DamagedGzip { .. } => ErrorCode::CorruptArchive,
            Self::Expands => ErrorCode::ExpandsTooLarge,
            Self::StorageFull { .. } | Self::InsufficientSpace { .. } => ErrorCode::StorageFull,
            Self::Missing { .. } => ErrorCode::SourceUnreadable,
            Self::Elsewhere => ErrorCode::FilesOnOtherServer,
            Self::Unavailable { .. } => ErrorCode::StorageUnavailable,
            Self::Store { source, .. } if is_transient_io(source) => ErrorCode::StorageUnavailable,
            Self::Store { .. }
            | Self::Unusable { .. }
            | Self::InUse { .. }
            | Self::Authorities { .. }
            | Self::Variable { .. } => ErrorCode::Internal,
        }
    }

    /// True when the same work may succeed later, without anybody doing anything here: a storage
    /// that is away for a while.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Store { source, .. } => is_transient_io(source),
            Self::TooLarge { .. }
            | Self::DamagedGzip { .. }
            | Self::Expands
            | Self::StorageFull { .. }
            | Self::InsufficientSpace { .. }
            | Self::Missing { .. }
            | Self::Elsewhere
            | Self::Unusable { .. }
            | Self::InUse { .. }
            | Self::Authorities { .. }
            | Self::Variable { .. } => false,
        }
    }

    /// What tests make places of this layer fail with.
    pub(crate) fn broken(action: &'static str) -> Self {
        Self::Store { action: action.into(), source: io::Error::other("a test lets it fail") }
    }

    /// Wraps an answer of the system; a full disk and a missing file have variants of their own.
    pub(super) fn store(action: impl Into<Cow<'static, str>>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::StorageFull { directory: DATA, source }
            }
            io::ErrorKind::NotFound => Self::Missing { action: action.into() },
            _ => Self::Store { action: action.into(), source },
        }
    }

    /// Wraps what a list of failed rows failed with, which may be a fault of ours underneath.
    pub(crate) fn from_io(action: &'static str, fault: io::Error) -> Self {
        fault.downcast::<Self>().unwrap_or_else(|fault| Self::store(action, fault))
    }

    /// The same fault with the kind of folder that is full.
    pub(super) fn within(self, directory: &'static str) -> Self {
        match self {
            Self::StorageFull { source, .. } => Self::StorageFull { directory, source },
            other => other,
        }
    }
}

/// What messages call the data directory.
pub(super) const DATA: &str = "data directory";

/// What messages call the folder that servers share.
pub(super) const SHARED: &str = "shared folder";

impl From<FileError> for io::Error {
    /// Keeps what [`is_transient_io`] and those who look for a full disk need to know.
    fn from(fault: FileError) -> Self {
        let kind = match &fault {
            FileError::StorageFull { .. } | FileError::InsufficientSpace { .. } => {
                io::ErrorKind::StorageFull
            }
            FileError::Missing { .. } => io::ErrorKind::NotFound,
            FileError::Unavailable { .. } => io::ErrorKind::NotConnected,
            FileError::Store { source, .. } => source.kind(),
            FileError::TooLarge { .. }
            | FileError::DamagedGzip { .. }
            | FileError::Expands
            | FileError::Elsewhere
            | FileError::Unusable { .. }
            | FileError::InUse { .. }
            | FileError::Authorities { .. }
            | FileError::Variable { .. } => io::ErrorKind::Other,
        };
        Self::new(kind, fault)
    }
}

/// True when a disk, or what its user may take of it, is full.
#[must_use]
pub fn is_disk_full(fault: &io::Error) -> bool {
    matches!(fault.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// True when the same work on files may succeed later: a network, or a disk behind one, that is away.
#[must_use]
pub fn is_transient_io(fault: &io::Error) -> bool {
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
