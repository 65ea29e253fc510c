//! A bulk: several files that were uploaded together, each a job of its own or refused in its place.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::counts::Counts;
use super::job::Job;
use super::status::JobStatus;

/// Files that were uploaded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// The name that its jobs have.
    pub id: Uuid,
    /// The dataset's name.
    pub dataset: String,
    /// Files that were sent, refused ones included.
    pub file_count: u64,
    /// The files of which no job came, in their order.
    pub refused: Vec<RefusedFile>,
    /// The same for the same files in the same order with the same options.
    pub fingerprint: String,
    /// The client's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The bulk whose jobs this one repeats.
    pub retry_of: Option<Uuid>,
    /// The client that uploaded it: the name that it gave, else its address.
    pub created_by: Option<String>,
    /// When the upload was accepted.
    pub created_at: DateTime<Utc>,
}

/// A file of which no job came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedFile {
    /// Its place among the files, from 0.
    pub index: u64,
    /// Its name.
    pub file_name: String,
    /// Why: a code of the table of error codes.
    pub code: String,
    /// Why: a sentence.
    pub message: String,
}

/// A job of a bulk, as far as the bulk shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkJob {
    /// Its number.
    pub id: i64,
    /// The name of its file.
    pub file_name: String,
    /// Bytes of its file.
    pub file_size: u64,
    /// Where it stands.
    pub status: JobStatus,
    /// Rows of its file; `None` until they are counted.
    pub total_rows: Option<u64>,
    /// Rows by outcome so far.
    pub counts: Counts,
    /// Why it failed: a code.
    pub error_code: Option<String>,
    /// Why it failed: a sentence.
    pub error_message: Option<String>,
    /// The number of its last event.
    pub event_count: u64,
    /// When it was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

impl From<&Job> for BulkJob {
    fn from(job: &Job) -> Self {
        Self {
            id: job.id,
            file_name: job.file_name.clone(),
            file_size: u64::try_from(job.file_size).unwrap_or(0),
            status: job.status,
            total_rows: job.total_rows,
            counts: job.counts,
            error_code: job.error_code.clone(),
            error_message: job.error_message.clone(),
            event_count: job.event_count,
            started_at: job.started_at,
            updated_at: job.updated_at,
            completed_at: job.completed_at,
        }
    }
}

/// Where a bulk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    /// All of its jobs wait.
    Pending,
    /// A job runs or waits behind one that ran.
    Processing,
    /// What has not ended is paused.
    Paused,
    /// All of its files were imported.
    Completed,
    /// Some of its files were imported: the others failed, were cancelled or refused.
    PartialSuccess,
    /// None of its files was imported.
    Failed,
    /// All of its jobs were cancelled.
    Cancelled,
}

impl BulkStatus {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::PartialSuccess => "partial_success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// True when no job of the bulk changes any more.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::Processing | Self::Paused)
    }
}

/// Files of a bulk by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FileCounts {
    /// All that were sent.
    pub total: u64,
    /// Their jobs wait.
    pub waiting: u64,
    /// Their jobs run.
    pub running: u64,
    /// Their jobs are paused.
    pub paused: u64,
    /// They were imported.
    pub done: u64,
    /// Their jobs failed.
    pub failed: u64,
    /// Their jobs were cancelled.
    pub cancelled: u64,
    /// No job came of them.
    pub refused: u64,
}

impl FileCounts {
    /// The files of a bulk.
    #[must_use]
    pub fn of(bulk: &Bulk, jobs: &[BulkJob]) -> Self {
        let refused = bulk.refused.len() as u64;
        let mut counts = Self { total: bulk.file_count, refused, ..Self::default() };
        for job in jobs {
            *match job.status {
                JobStatus::Pending => &mut counts.waiting,
                JobStatus::Processing => &mut counts.running,
                JobStatus::Paused => &mut counts.paused,
                JobStatus::Completed => &mut counts.done,
                JobStatus::Failed => &mut counts.failed,
                JobStatus::Cancelled => &mut counts.cancelled,
            } += 1;
        }
        counts
    }

    /// Where a bulk with these files stands.
    #[must_use]
    pub fn status(&self) -> BulkStatus {
        let ended = self.done + self.failed + self.cancelled;
        if self.running > 0 || (self.waiting > 0 && ended + self.paused > 0) {
            BulkStatus::Processing
        } else if self.waiting > 0 {
            BulkStatus::Pending
        } else if self.paused > 0 {
            BulkStatus::Paused
        } else if self.failed + self.cancelled + self.refused == 0 {
            BulkStatus::Completed
        } else if self.done > 0 {
            BulkStatus::PartialSuccess
        } else if self.failed + self.refused > 0 {
            BulkStatus::Failed
        } else {
            BulkStatus::Cancelled
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_bulk_is_that_of_its_files() {
        let status = |waiting, running, paused, done, failed, cancelled, refused| {
            let counts =
                FileCounts { total: 9, waiting, running, paused, done, failed, cancelled, refused };
            counts.status().as_str()
        };
        assert_eq!(status(2, 0, 0, 0, 0, 0, 1), "pending");
        assert_eq!(status(2, 1, 0, 0, 0, 0, 0), "processing");
        assert_eq!(status(2, 0, 0, 1, 0, 0, 0), "processing");
        assert_eq!(status(0, 0, 1, 1, 0, 0, 0), "paused");
        assert_eq!(status(0, 0, 0, 3, 0, 0, 0), "completed");
        assert_eq!(status(0, 0, 0, 3, 1, 0, 0), "partial_success");
        assert_eq!(status(0, 0, 0, 3, 0, 0, 1), "partial_success");
        assert_eq!(status(0, 0, 0, 3, 0, 1, 0), "partial_success");
        assert_eq!(status(0, 0, 0, 0, 1, 1, 0), "failed");
        assert_eq!(status(0, 0, 0, 0, 0, 2, 0), "cancelled");
    }
}
