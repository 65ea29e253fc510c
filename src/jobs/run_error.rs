//! Why a run of a job could not go on: what the job ends with, or waits for.

use std::io;
use std::time::Duration;

use super::mirror_check::MirrorFault;
use crate::dataset::PlanFault;
use crate::domain::error_code::ErrorCode;
use crate::files::{FetchError, FileError, is_disk_full, is_transient_io};
use crate::reader::ReadError;
use crate::store::StoreError;

/// Why a job could not continue.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// Asked to stop; `Stop` knows why. Not an end of the job.
    #[error("the job is stopped")]
    Stopped,
    /// The dataset is gone or has changed.
    #[error("there is no dataset `{0}` any more")]
    NoDataset(String),
    /// The dataset has lost a column that the file feeds.
    #[error(transparent)]
    Plan(#[from] PlanFault),
    /// The file.
    #[error(transparent)]
    Read(ReadError),
    /// The stored file has other bytes than the upload.
    #[error("the stored file is not the one that was uploaded")]
    SourceChanged,
    /// The stored file, or a temporary file of ours.
    #[error("could not {doing}")]
    Io {
        /// Completes "could not …".
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The storage, or the space on the disk.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The file could not be downloaded.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The download is tried again after a pause, which needs no slot.
    #[error("the download waits for its server")]
    DownloadWaits {
        /// How long.
        pause: Duration,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// The file is not here: the job ended before it was downloaded.
    #[error("the file of the job was not downloaded")]
    NotDownloaded,
    /// The file that was downloaded is none that can be imported.
    #[error("{why}")]
    Refused {
        /// What an upload of it is refused with.
        code: ErrorCode,
        /// Why.
        why: String,
    },
    /// More rows failed than `maxErrors`.
    #[error("{failed} rows failed; `maxErrors` allows {allowed} of this file")]
    TooManyErrors {
        /// Failed rows.
        failed: u64,
        /// What the upload asked for.
        allowed: u64,
    },
    /// A row failed, and the upload has `atomic=true`.
    #[error("{failed} rows failed, and the upload has `atomic=true`; no row was written")]
    AtomicFailed {
        /// Failed rows.
        failed: u64,
    },
    /// The transaction of a whole file is lost; the file is begun again.
    #[error("the transaction of the file broke off")]
    BrokenOff(#[source] StoreError),
    /// The file does not have more records than `mirrorMax`.
    #[error(
        "the file does not have {absent} of {in_scope} records, and `mirrorMax` allows {allowed} to be removed; none was removed"
    )]
    TooManyRemoved {
        /// Records that would be removed.
        absent: u64,
        /// Records in scope before the job began.
        in_scope: u64,
        /// What the upload allows.
        allowed: u64,
    },
    /// The file is certain to lack more records than `mirrorMax`: it was not begun.
    #[error(
        "the file has {keys} keys for {in_scope} records, so at least {absent} would be removed, and `mirrorMax` allows {allowed}; nothing was written"
    )]
    TooFewKeys {
        /// Records that the file can stand for at most.
        keys: u64,
        /// Records that would be removed at least.
        absent: u64,
        /// Records in scope.
        in_scope: u64,
        /// What the upload allows.
        allowed: u64,
    },
    /// No mirror can be made of the file.
    #[error(transparent)]
    Mirror(#[from] MirrorFault),
    /// A row failed, and the upload has `onError=abort`.
    #[error("a row failed, and the upload has `onError=abort`")]
    Aborted,
    /// The job that is to be rolled back is gone, or its journal is.
    #[error("job {0} left nothing to roll back")]
    NothingToUndo(i64),
    /// The dataset has another table, key or column than when the job began, which may have written
    /// some of its rows.
    #[error(
        "the job began into {then}, but the dataset goes into {now} now; define the dataset as it was and retry the job, or upload the file again"
    )]
    Redefined {
        /// Where its rows went.
        then: String,
        /// Where the rest would go.
        now: String,
    },
    /// The table is not what the definition says any more.
    #[error(
        "the dataset does not fit its table any more: {faults}; bring both together, then retry the job"
    )]
    TableChanged {
        /// What is wrong, one sentence each.
        faults: String,
    },
    /// The same for the job that is to be rolled back.
    #[error(
        "job {undone} was imported into {then}, but the dataset goes into {now} now; to roll the job back, define the dataset as it was"
    )]
    GoesElsewhere {
        /// The job that is to be rolled back.
        undone: i64,
        /// Where its rows went.
        then: String,
        /// Where they would be looked for.
        now: String,
    },
    /// More rows than can be numbered.
    #[error("the file has more than {} rows", crate::domain::limits::ROWS_MAX)]
    TooManyRows,
    /// The counts do not add up: a fault of ours that must be seen.
    #[error("{processed} rows have an outcome, but the file has {total}")]
    Unaccounted {
        /// Rows with an outcome.
        processed: u64,
        /// Rows of the file.
        total: u64,
    },
    /// A thread of ours panicked.
    #[error("the code that ran the job crashed")]
    Panicked,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ReadError> for RunError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stopped => Self::Stopped,
            error => Self::Read(error),
        }
    }
}

impl RunError {
    /// True when code of the server panicked: a fault that may not come again.
    pub(super) fn is_panic(&self) -> bool {
        matches!(self, Self::Panicked | Self::Store(StoreError::WriterDied))
    }

    /// True when the job can continue once the disk has space or the storage is back.
    pub(super) fn is_temporary(&self) -> bool {
        matches!(self, Self::DownloadWaits { .. })
            || matches!(self.code(), ErrorCode::StorageFull | ErrorCode::StorageUnavailable)
    }

    /// The code that the job ends with.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::NoDataset(_)
            | Self::Redefined { .. }
            | Self::TableChanged { .. }
            | Self::GoesElsewhere { .. } => ErrorCode::DatasetChanged,
            Self::Plan(fault) => fault.code(),
            Self::Read(ReadError::Io { source, .. }) | Self::Io { source, .. } => code_of(source),
            Self::Read(error) => error.code(),
            Self::SourceChanged => ErrorCode::SourceChanged,
            Self::Files(fault @ FileError::Store { .. }) if !fault.is_transient() => {
                ErrorCode::SourceUnreadable
            }
            Self::Files(fault) => fault.code(),
            Self::Fetch(fault) | Self::DownloadWaits { source: fault, .. } => fault.code(),
            Self::NotDownloaded => ErrorCode::SourceUnreadable,
            Self::Refused { code, .. } => *code,
            Self::TooManyErrors { .. } => ErrorCode::TooManyErrors,
            Self::AtomicFailed { .. } => ErrorCode::AtomicFailed,
            Self::TooManyRemoved { .. } | Self::TooFewKeys { .. } => ErrorCode::TooManyRemoved,
            Self::Mirror(fault) => fault.code(),
            Self::Aborted => ErrorCode::AbortedOnError,
            Self::NothingToUndo(_) => ErrorCode::NothingToUndo,
            Self::TooManyRows => ErrorCode::TooManyRows,
            Self::Store(error) | Self::BrokenOff(error) => error.code(),
            Self::Stopped | Self::Unaccounted { .. } | Self::Panicked => ErrorCode::Internal,
        }
    }
}

/// What the disk, or the network before it, means for a job.
pub(super) fn code_of(fault: &io::Error) -> ErrorCode {
    match fault {
        _ if is_disk_full(fault) => ErrorCode::StorageFull,
        _ if is_transient_io(fault) => ErrorCode::StorageUnavailable,
        _ => ErrorCode::SourceUnreadable,
    }
}
