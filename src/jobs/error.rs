//! What can go wrong with jobs, for those who ask about them.

use std::io;
use std::time::Duration;

use uuid::Uuid;

use super::mirror_check::MirrorFault;
pub(super) use super::run_error::RunError;
use super::run_error::code_of;
use super::version::VersionFault;
use crate::dataset::HeaderFault;
use crate::domain::action::Action;
use crate::domain::bulk::RefusedFile;
use crate::domain::error_chain::error_chain;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::limits::SAVED_MAPPINGS_MAX;
use crate::domain::saved_mapping::MappingName;
use crate::domain::selection::RetryRows;
use crate::domain::warning::{Warning, Warnings};
use crate::files::{FetchError, FileError};
use crate::reader::{HeaderPlace, ReadError};
use crate::store::StoreError;

/// Why a question or a command about a job was refused.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// There is no such job.
    #[error("there is no job {0}")]
    NotFound(i64),
    /// There is no room for the rows of a workbook.
    #[error("cannot make room for the rows of the workbook")]
    NoRoom(#[source] io::Error),
    /// The job does not allow it now.
    #[error("job {} is {} and cannot take `{}`", job.id, job.status, action.as_str())]
    InvalidState {
        /// The action that was requested.
        action: Action,
        /// The job as it stands.
        job: Box<Job>,
    },
    /// The job is processing and moves: it is not taken from its server.
    #[error(
        "job {} last moved {} s ago; `force` takes one that has stood still for {} s",
        job.id,
        still_for.as_secs(),
        whole_seconds(*stuck_after)
    )]
    NotStuck {
        /// The job as it stands.
        job: Box<Job>,
        /// How long ago it last changed, by the database's clock.
        still_for: Duration,
        /// How long it must stand still to be taken.
        stuck_after: Duration,
    },
    /// Another job rolls it back and needs its journal.
    #[error(
        "job {} is being rolled back by job {by} and cannot be deleted until that has ended; wait for job {by} or cancel it",
        job.id
    )]
    RolledBack {
        /// The job as it stands.
        job: Box<Job>,
        /// The job that rolls it back.
        by: i64,
    },
    /// The job has ended: there is nothing left to change.
    #[error("job {} is {} and changes no more", job.id, job.status)]
    HasEnded {
        /// The job as it stands.
        job: Box<Job>,
    },
    /// The job has not ended: which rows are left is not known yet.
    #[error("job {} is {}; which rows it leaves is known when it has ended", job.id, job.status)]
    NotEnded {
        /// The job as it stands.
        job: Box<Job>,
    },
    /// There are no such rows to import again.
    #[error("job {job} has no rows for a retry of `{}`", rows.as_str())]
    NothingToRetry {
        /// The job.
        job: i64,
        /// Which of its rows were asked for.
        rows: RetryRows,
    },
    /// The uploaded file is none that can be imported.
    #[error(transparent)]
    File(ReadError),
    /// The columns of the uploaded file do not fit the dataset.
    #[error("the header of the file does not fit the dataset")]
    Header {
        /// What is wrong.
        faults: Vec<HeaderFault>,
        /// The row that was taken for the header, if it was looked for.
        place: Option<HeaderPlace>,
    },
    /// The file raises warnings, and the upload has `strict=true`.
    #[error("{}", sentences(.0))]
    Strict(Warnings),
    /// The upload has `mode=newer`, and there are no versions.
    #[error(transparent)]
    Version(#[from] VersionFault),
    /// The upload has `mode=mirror`, or an option of it, and no mirror can be made.
    #[error(transparent)]
    Mirror(#[from] MirrorFault),
    /// The job's file cannot be read as rows.
    #[error("{why}")]
    Source {
        /// The code that a job would end with.
        code: ErrorCode,
        /// Why, with all causes.
        why: String,
    },
    /// The key belongs to another upload.
    #[error(
        "this Idempotency-Key belongs to job {job}, which has another file, dataset or other options; use a new key"
    )]
    IdempotencyMismatch {
        /// The job that has the key.
        job: i64,
    },
    /// The key belongs to a bulk.
    #[error(
        "this Idempotency-Key belongs to bulk {0}, which has other files, another dataset or other options; use a new key"
    )]
    KeyOfBulk(Uuid),
    /// There is no such bulk.
    #[error("there is no bulk {0}")]
    NoBulk(Uuid),
    /// Every job of the bulk has ended.
    #[error("all jobs of bulk {0} have ended; there is nothing to cancel")]
    BulkEnded(Uuid),
    /// A job of the bulk has not ended.
    #[error("bulk {0} has not ended; wait for its end or cancel it before a retry")]
    BulkRuns(Uuid),
    /// No job of the bulk has such rows.
    #[error("no job of bulk {0} has anything to retry")]
    NothingToRetryInBulk(Uuid),
    /// No job came of any file of an upload.
    #[error("none of the {} files can be imported", .0.len())]
    AllRefused(Vec<RefusedFile>),
    /// The job kept no journal, or changed nothing.
    #[error("job {0} left nothing to roll back: it kept no journal or changed no row")]
    NothingToUndo(i64),
    /// The dataset has no saved mapping of this name.
    #[error("dataset `{dataset}` has no saved mapping `{name}`")]
    NoMapping {
        /// The dataset.
        dataset: String,
        /// The name.
        name: MappingName,
    },
    /// The dataset has as many saved mappings as there may be.
    #[error(
        "dataset `{0}` has {SAVED_MAPPINGS_MAX} saved mappings, the most that it may have; delete one first"
    )]
    TooManyMappings(String),
    /// The job is no dry run.
    #[error("job {0} is no dry run; upload the file with `dryRun=true` first")]
    NoDryRun(i64),
    /// Another job imported the file of the dry run before.
    #[error("dry run {job} was confirmed by job {by}; retry that job, or upload the file again")]
    AlreadyConfirmed {
        /// The dry run.
        job: i64,
        /// The job that confirmed it.
        by: i64,
    },
    /// The table is not as it was when the dry run began.
    #[error(
        "the rows of `{table}` changed since dry run {job} began; upload the file for another dry run, or confirm without `expectUnchanged`"
    )]
    TableChanged {
        /// The dry run.
        job: i64,
        /// The dataset's table.
        table: String,
    },
    /// The job's files were removed: their time was over.
    #[error("the files of job {0} were removed; they are kept for the time of LOADBAY_RETENTION")]
    FilesRemoved(i64),
    /// The job's files cannot be reached.
    #[error(transparent)]
    Files(#[from] FileError),
    /// The address of a file may not be asked.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The failed rows cannot be read.
    #[error("could not read the failed rows")]
    FailedRows(#[source] std::io::Error),
    /// Nothing is stored about single rows of the job.
    #[error(
        "no outcomes of rows are stored of job {0}: it is a rollback, its file was never here, or an earlier version of the server ran it"
    )]
    NoOutcomes(i64),
    /// The server is stopping.
    #[error("the server is stopping")]
    ShuttingDown,
    /// A task of ours panicked.
    #[error("the code that handled the request crashed")]
    Panicked,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn sentences(warnings: &Warnings) -> String {
    warnings.iter().map(Warning::message).collect::<Vec<_>>().join(". ")
}

impl JobsError {
    /// The code of the answer.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound(_) => ErrorCode::JobNotFound,
            Self::InvalidState { .. }
            | Self::NotStuck { .. }
            | Self::RolledBack { .. }
            | Self::HasEnded { .. }
            | Self::BulkEnded(_)
            | Self::BulkRuns(_)
            | Self::NotEnded { .. } => ErrorCode::InvalidJobState,
            Self::NoBulk(_) => ErrorCode::BulkNotFound,
            Self::AllRefused(_) => ErrorCode::AllFilesRefused,
            Self::NothingToRetryInBulk(_) | Self::NothingToRetry { .. } => {
                ErrorCode::NothingToRetry
            }
            Self::File(fault) => fault.code(),
            Self::Header { faults, .. } => {
                faults.first().map_or(ErrorCode::NoHeader, HeaderFault::code)
            }
            Self::Strict(_) => ErrorCode::RefusedByStrict,
            Self::Version(fault) => fault.code(),
            Self::Mirror(fault) => fault.code(),
            Self::Source { code, .. } => *code,
            Self::IdempotencyMismatch { .. } | Self::KeyOfBulk(_) => ErrorCode::IdempotencyMismatch,
            Self::NothingToUndo(_) => ErrorCode::NothingToUndo,
            Self::NoMapping { .. } => ErrorCode::UnknownMapping,
            Self::TooManyMappings(_) => ErrorCode::TooManyMappings,
            Self::NoDryRun(_) => ErrorCode::NoDryRun,
            Self::AlreadyConfirmed { .. } => ErrorCode::AlreadyConfirmed,
            Self::TableChanged { .. } => ErrorCode::TableChanged,
            Self::FilesRemoved(_) => ErrorCode::FilesRemoved,
            Self::NoOutcomes(_) => ErrorCode::NotFound,
            Self::Files(error) => error.code(),
            Self::Fetch(error) => error.code(),
            Self::FailedRows(error) | Self::NoRoom(error) => code_of(error),
            Self::ShuttingDown => ErrorCode::ShuttingDown,
            Self::Panicked => ErrorCode::Internal,
            Self::Store(error) => error.code(),
        }
    }

    /// Why, with all that is wrong, for a job that ends with it.
    pub(super) fn sentence(&self) -> String {
        let Self::Header { faults, place } = self else { return error_chain(self) };
        let mut texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        texts.extend(place.as_ref().map(ToString::to_string));
        texts.join("; ")
    }

    /// True when a job may have been stored all the same: after most faults of the database nobody
    /// knows.
    #[must_use]
    pub fn may_have_stored(&self) -> bool {
        let wrote_nothing = matches!(self, Self::Store(error) if error.wrote_nothing());
        self.code().status() >= 500 && !wrote_nothing
    }

    /// The job as it stands, when that is why.
    #[must_use]
    pub fn job(&self) -> Option<&Job> {
        match self {
            Self::InvalidState { job, .. }
            | Self::NotStuck { job, .. }
            | Self::RolledBack { job, .. }
            | Self::HasEnded { job }
            | Self::NotEnded { job } => Some(job),
            Self::NotFound(_)
            | Self::NothingToRetry { .. }
            | Self::File(_)
            | Self::Header { .. }
            | Self::Strict(_)
            | Self::Version(_)
            | Self::Mirror(_)
            | Self::Source { .. }
            | Self::IdempotencyMismatch { .. }
            | Self::KeyOfBulk(_)
            | Self::NoBulk(_)
            | Self::BulkEnded(_)
            | Self::BulkRuns(_)
            | Self::NothingToRetryInBulk(_)
            | Self::AllRefused(_)
            | Self::NothingToUndo(_)
            | Self::NoMapping { .. }
            | Self::TooManyMappings(_)
            | Self::NoDryRun(_)
            | Self::AlreadyConfirmed { .. }
            | Self::TableChanged { .. }
            | Self::FilesRemoved(_)
            | Self::NoOutcomes(_)
            | Self::Files(_)
            | Self::Fetch(_)
            | Self::FailedRows(_)
            | Self::NoRoom(_)
            | Self::ShuttingDown
            | Self::Panicked
            | Self::Store(_) => None,
        }
    }
}

impl From<RunError> for JobsError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => Self::Store(error),
            RunError::Files(error) => Self::Files(error),
            RunError::Panicked => Self::Panicked,
            error => Self::Source { code: error.code(), why: error_chain(&error) },
        }
    }
}

/// Seconds, rounded up: after so many the time is over.
#[must_use]
pub fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}
