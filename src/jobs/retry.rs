//! Importing rows of a job again, as a job of its own: a child with its own copy of the file, so that
//! neither needs the other and nothing that happened is overwritten.

use std::io;

use uuid::Uuid;

use super::context::{Jobs, JobsContext, ROW_NUMBERS};
use super::error::JobsError;
use super::row_filter;
use super::submit::Submitted;
use crate::domain::action::Action;
use crate::domain::chunk::FailedPart;
use crate::domain::error_chain::error_chain;
use crate::domain::job::{Job, NewJob};
use crate::domain::row_number::RowNumber;
use crate::domain::selection::{RetryRows, Selection};
use crate::domain::status::JobStatus;
use crate::domain::trace::TraceContext;
use crate::files::Storage;
use crate::store::CommittedChunk;

/// The request to retry a job that has ended.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Which of its rows.
    pub rows: RetryRows,
    /// Who asks: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The request, in its trace.
    pub trace: Option<TraceContext>,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
}

impl Jobs {
    /// Imports rows of a job that has ended again, with its options, as a job of its own.
    ///
    /// # Errors
    /// `NotFound`; `InvalidState` when the job has not ended or was no import; `FilesRemoved`;
    /// `NothingToRetry`; `IdempotencyMismatch`; the files'; else the store's.
    pub async fn retry(&self, id: i64, request: Retry) -> Result<Submitted, JobsError> {
        self.on_runtime(move |context| async move {
            let parent = context.store.get(id).await?;
            if let Some(job) = context.with_key(request.idempotency_key.as_deref()).await? {
                // Whatever became of the parent since; and nothing is copied for it.
                return context.replayed(job, |job| fits(job, id, request.rows, parent.as_ref()));
            }
            let parent = parent.ok_or(JobsError::NotFound(id))?;
            let RetryChild { new, storage } =
                prepare_child(&context, &parent, request.rows).await?;
            let (idempotency_key, created_by) = (request.idempotency_key, request.created_by);
            let new = NewJob { idempotency_key, created_by, trace: request.trace, ..new };
            let uuid = new.uuid;
            let submitted = context.insert(new, storage.location()).await;
            drop_unneeded(&storage, uuid, &submitted).await;
            submitted
        })
        .await
    }
}

/// A job that repeats rows of another one, with its own copy of the file.
pub(super) struct RetryChild {
    /// The job; nobody's yet.
    pub(super) new: NewJob,
    /// Where its file lies.
    pub(super) storage: Storage,
}

/// Describes the child of a job and copies the file for it.
pub(super) async fn prepare_child(
    context: &JobsContext,
    parent: &Job,
    rows: RetryRows,
) -> Result<RetryChild, JobsError> {
    may_retry(parent)?;
    if parent.awaits_file() {
        return download_again(context, parent, rows);
    }
    let storage = context.files_of(parent)?;
    let Wanted { selection, numbers } = rows_to_retry(context, parent, rows).await?;
    let retry_of = Some(parent.id);
    let new = NewJob { retry_of, selection, ..NewJob::over_file_of(parent) };
    if let Err(fault) = copy_files(&storage, parent.uuid, new.uuid, &numbers).await {
        drop_copies(&storage, new.uuid).await;
        return Err(context.unless_gone(parent.id, fault).await);
    }
    Ok(RetryChild { new, storage })
}

/// A job that ended before its file was here: its file is downloaded by the new job.
fn download_again(
    context: &JobsContext,
    parent: &Job,
    rows: RetryRows,
) -> Result<RetryChild, JobsError> {
    if rows == RetryRows::Failed {
        return Err(JobsError::NothingToRetry { job: parent.id, rows });
    }
    let (retry_of, selection) = (Some(parent.id), parent.selection.clone());
    let new = NewJob { retry_of, selection, ..NewJob::over_file_of(parent) };
    Ok(RetryChild { new, storage: context.storage.clone() })
}

fn may_retry(parent: &Job) -> Result<(), JobsError> {
    if Action::Retry.is_legal_when(parent.status) && parent.rollback_of.is_none() {
        return Ok(());
    }
    Err(JobsError::InvalidState { action: Action::Retry, job: Box::new(parent.clone()) })
}

/// True when the job takes these rows of the job `id`, which may be gone.
fn fits(job: &Job, id: i64, rows: RetryRows, parent: Option<&Job>) -> bool {
    let are_these = match rows {
        RetryRows::All => job.selection.as_ref() == parent.and_then(|it| it.selection.as_ref()),
        RetryRows::Failed => job.selection == Some(Selection::Failed),
        RetryRows::Unprocessed => matches!(job.selection, Some(Selection::Unprocessed { .. })),
    };
    job.retry_of == Some(id) && are_these
}

/// Which rows of the file a child takes.
struct Wanted {
    /// `None` means all.
    selection: Option<Selection>,
    numbers: RowNumbersFrom,
}

/// Where the numbers of the child's rows come from.
enum RowNumbersFrom {
    /// It needs none.
    None,
    /// These lists of failed rows of the parent.
    OfFailed(Vec<FailedPart>),
    /// The numbers that the parent had.
    OfParent,
}

/// The rows to import again, relative to those that the parent itself took.
async fn rows_to_retry(
    context: &JobsContext,
    parent: &Job,
    rows: RetryRows,
) -> Result<Wanted, JobsError> {
    let is_there = match rows {
        RetryRows::All => parent.total_rows != Some(0),
        RetryRows::Failed => parent.counts.failed > 0,
        RetryRows::Unprocessed => has_unprocessed(parent),
    };
    if !is_there {
        return Err(JobsError::NothingToRetry { job: parent.id, rows });
    }
    if rows == RetryRows::Failed {
        let parts = context.failed_parts(parent.id).await?;
        return Ok(Wanted {
            selection: Some(Selection::Failed),
            numbers: RowNumbersFrom::OfFailed(parts),
        });
    }
    let selection = match rows {
        RetryRows::Unprocessed => Some(left(context, parent).await?),
        RetryRows::All | RetryRows::Failed => parent.selection.clone(),
    };
    let has_numbers = selection.as_ref().is_some_and(Selection::has_numbers);
    let numbers = if has_numbers { RowNumbersFrom::OfParent } else { RowNumbersFrom::None };
    Ok(Wanted { selection, numbers })
}

/// False when every row has an outcome. Of a file that was never counted nobody knows.
pub(super) fn has_unprocessed(job: &Job) -> bool {
    job.status != JobStatus::Completed
        && !job.awaits_file()
        && job.total_rows.is_none_or(|total| total > job.counts.processed())
}

/// The rows without an outcome, by the checkpoint of the job.
pub(super) async fn left(context: &JobsContext, job: &Job) -> Result<Selection, JobsError> {
    // A job that never began has no partitions.
    let count = context.store.partitions_of(job.id).await?.unwrap_or(0);
    let chunks = context.store.committed_chunks(job.id).await?;
    let last_row = |partition| {
        let of_partition =
            chunks.iter().filter(|chunk: &&CommittedChunk| chunk.partition == partition);
        of_partition.map(|chunk| chunk.last_row).max().unwrap_or(RowNumber::NONE)
    };
    Ok(Selection::left_by(job.selection.as_ref(), (0..count).map(last_row).collect()))
}

/// Gives the job `to` the file of the job `from` and the numbers of its rows.
async fn copy_files(
    storage: &Storage,
    from: Uuid,
    to: Uuid,
    numbers: &RowNumbersFrom,
) -> Result<(), JobsError> {
    storage.copy_source(from, to).await?;
    let bytes = match numbers {
        RowNumbersFrom::None => return Ok(()),
        RowNumbersFrom::OfFailed(parts) => {
            let rows = storage.failed_rows(from, parts).await.map_err(JobsError::FailedRows)?;
            let read = move || rows.map(|row| Ok(row?.row_number)).collect::<io::Result<_>>();
            let read = tokio::task::spawn_blocking(read).await.map_err(|_| JobsError::Panicked)?;
            row_filter::stored(read.map_err(JobsError::FailedRows)?)
        }
        RowNumbersFrom::OfParent => storage.get(from, ROW_NUMBERS).await?,
    };
    Ok(storage.put(to, ROW_NUMBERS, bytes).await?)
}

/// Removes what was copied for the job `uuid`, if it did not come to be.
pub(super) async fn drop_unneeded(
    storage: &Storage,
    uuid: Uuid,
    submitted: &Result<Submitted, JobsError>,
) {
    let is_needed = match submitted {
        Ok(submitted) => submitted.job.uuid == uuid,
        // After most faults of the database nobody knows whether the job was stored: the sweep
        // removes its files if not.
        Err(fault) => fault.may_have_stored(),
    };
    if !is_needed {
        drop_copies(storage, uuid).await;
    }
}

/// Removes what was copied for a job that did not come to be.
pub(super) async fn drop_copies(storage: &Storage, uuid: Uuid) {
    if let Err(fault) = storage.remove(uuid).await {
        tracing::warn!(event = "copied_files_left", %uuid, error = error_chain(&fault), "copied files could not be removed, the sweep will do it");
    }
}
