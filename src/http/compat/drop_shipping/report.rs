//! What is wrong with files and rows, as these clients read it.

use serde::Serialize;

use crate::domain::bulk::{BulkJob, RefusedFile};
use crate::domain::job::Job;
use crate::domain::row_error::{RowCode, StoredRowError};
use crate::domain::status::JobStatus;

/// A file that could not be imported, or a row of one.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct BatchError {
    file: String,
    error: String,
    /// Of a row.
    row_number: Option<u64>,
    details: String,
}

impl BatchError {
    pub(super) fn of_refused(file: &RefusedFile) -> Self {
        Self::of_file(&file.file_name, &file.message)
    }

    /// Why the file of a job was not imported to its end, if so.
    pub(super) fn of_job(job: &BulkJob) -> Option<Self> {
        match (job.status, &job.error_message) {
            (_, Some(message)) => Some(Self::of_file(&job.file_name, message)),
            (JobStatus::Cancelled, None) => {
                Some(Self::of_file(&job.file_name, "The import was cancelled."))
            }
            _ => None,
        }
    }

    fn of_file(file: &str, message: &str) -> Self {
        let (file, error) = (file.to_owned(), message.to_owned());
        Self { file, details: error.clone(), error, row_number: None }
    }

    pub(super) fn of_row(file: &str, stored: &StoredRowError) -> Self {
        let row = u64::from(stored.error.row_number);
        Self {
            file: file.to_owned(),
            error: match stored.error.code {
                RowCode::OtherValue => format!("row {row} is of another channel"),
                _ => format!("invalid data format in row {row}"),
            },
            row_number: Some(row),
            details: match &stored.error.column {
                Some(column) => format!("{column} field: {}", stored.error.message),
                None => stored.error.message.clone(),
            },
        }
    }
}

/// The word for where a batch stands, of which `failed` rows could not be imported.
pub(super) fn status_word(job: &Job, failed: u64) -> &'static str {
    match job.status {
        JobStatus::Pending => "pending",
        JobStatus::Processing => "processing",
        JobStatus::Paused => "paused",
        JobStatus::Completed if failed == 0 => "completed",
        JobStatus::Completed if job.counts.succeeded() > 0 => "partial_success",
        JobStatus::Completed | JobStatus::Failed => "failed",
        JobStatus::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::counts::Counts;
    use crate::domain::job_view::tests::job;

    #[test]
    fn a_batch_whose_rows_failed_in_part_succeeded_in_part() {
        let word = |status, created, failed| {
            let counts = Counts { created, failed, ..Counts::default() };
            status_word(&Job { status, counts, ..job() }, failed)
        };
        assert_eq!(word(JobStatus::Completed, 2, 0), "completed");
        assert_eq!(word(JobStatus::Completed, 0, 0), "completed");
        assert_eq!(word(JobStatus::Completed, 2, 1), "partial_success");
        assert_eq!(word(JobStatus::Completed, 0, 1), "failed");
        assert_eq!(word(JobStatus::Processing, 2, 1), "processing");
    }
}
