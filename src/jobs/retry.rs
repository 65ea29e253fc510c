//! Importing rows of a job again, as a job of its own: a child with its own copy of the file, so that
//! neither needs the other and nothing that happened is overwritten.

use std::io;

use uuid::Uuid;

use super::{Inner, Jobs, JobsError, ROWS, Submitted, selected};
use crate::domain::action::Action;
use crate::domain::job::{Job, NewJob};
use crate::domain::selection::{Rows, Selection};
use crate::domain::status::JobStatus;
use crate::files::Folder;
use crate::store::CommittedChunk;

/// What is asked of a job that has ended.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Which of its rows.
    pub rows: Rows,
    /// Who asks: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The client's key for this wish.
    pub idempotency_key: Option<String>,
}

impl Jobs {
    /// Imports rows of a job that has ended again, with its options, as a job of its own.
    ///
    /// # Errors
    /// `NotFound`; `IllegalAction` when the job has not ended or was no import; `FilesRemoved`,
    /// `FilesElsewhere`; `NothingToRetry`; `IdempotencyMismatch`; the files'; else the store's.
    pub async fn retry(&self, id: i64, asked: Retry) -> Result<Submitted, JobsError> {
        self.on_runtime(move |inner| async move {
            let parent = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            inner.may_retry(&parent)?;
            let Wanted { selection, numbers } = wanted(&inner, &parent, asked.rows).await?;
            let (uuid, from) = (Uuid::new_v4(), parent.uuid);
            let copied =
                inner.with_files(move |folder| copy_files(folder, from, uuid, &numbers)).await;
            if copied.is_err() {
                inner.drop_files(id, uuid).await;
                copied?;
            }
            let new = NewJob {
                uuid,
                dataset: parent.dataset,
                file_name: parent.file_name,
                file_size: u64::try_from(parent.file_size).unwrap_or(0),
                sha256: parent.sha256,
                options: parent.options,
                detected: parent.detected,
                idempotency_key: asked.idempotency_key,
                bulk_id: None,
                created_by: asked.created_by,
                retry_of: Some(id),
                selection,
                rollback_of: None,
            };
            let submitted = inner.submit(new).await;
            let is_ours = match &submitted {
                Ok(submitted) => submitted.job.uuid == uuid,
                // After a fault of the database nobody knows whether the job was stored: the sweep
                // removes its files if not.
                Err(fault) => fault.code().status() >= 500,
            };
            if !is_ours {
                inner.drop_files(id, uuid).await;
            }
            submitted
        })
        .await
    }
}

impl Inner {
    fn may_retry(&self, parent: &Job) -> Result<(), JobsError> {
        let is_import = parent.rollback_of.is_none();
        if !Action::Retry.is_legal_when(parent.status) || !is_import {
            return Err(JobsError::IllegalAction {
                action: Action::Retry,
                job: Box::new(parent.clone()),
            });
        }
        self.reaches_files_of(parent)
    }

    /// Refuses what needs the files of a job where there are none.
    pub(super) fn reaches_files_of(&self, job: &Job) -> Result<(), JobsError> {
        if job.files_removed_at.is_some() {
            return Err(JobsError::FilesRemoved(job.id));
        }
        if job.place != self.folder.server_id().to_string() {
            return Err(JobsError::FilesElsewhere(job.id));
        }
        Ok(())
    }
}

/// Which rows of the file a child takes.
struct Wanted {
    /// `None` means all.
    selection: Option<Selection>,
    numbers: Numbers,
}

/// Where the numbers of the child's rows come from.
enum Numbers {
    /// It needs none.
    None,
    /// The failed rows of these chunks of the parent.
    OfFailed(Vec<u32>),
    /// The numbers that the parent had.
    OfParent,
}

/// The rows that are asked for, relative to those that the parent itself took.
async fn wanted(inner: &Inner, parent: &Job, rows: Rows) -> Result<Wanted, JobsError> {
    let is_there = match rows {
        Rows::All => parent.total_rows != Some(0),
        Rows::Failed => parent.counts.failed > 0,
        Rows::Unprocessed => has_unprocessed(parent),
    };
    if !is_there {
        return Err(JobsError::NothingToRetry { job: parent.id, rows });
    }
    if rows == Rows::Failed {
        let chunks = inner.chunks_with_failed(parent.id).await?;
        return Ok(Wanted {
            selection: Some(Selection::Failed),
            numbers: Numbers::OfFailed(chunks),
        });
    }
    let selection = match rows {
        Rows::Unprocessed => Some(left(inner, parent).await?),
        Rows::All | Rows::Failed => parent.selection.clone(),
    };
    let has_numbers = selection.as_ref().is_some_and(Selection::has_numbers);
    let numbers = if has_numbers { Numbers::OfParent } else { Numbers::None };
    Ok(Wanted { selection, numbers })
}

/// False when every row has an outcome. Of a file that was never counted nobody knows.
pub(super) fn has_unprocessed(job: &Job) -> bool {
    job.status != JobStatus::Completed
        && job.total_rows.is_none_or(|total| total > job.counts.processed())
}

/// The rows without an outcome, by the checkpoint of the job.
pub(super) async fn left(inner: &Inner, job: &Job) -> Result<Selection, JobsError> {
    // A job that never began has no lanes; all of its rows are behind row 0.
    let count = inner.store.lanes_of(job.id).await?.unwrap_or(1).max(1);
    let chunks = inner.store.committed_chunks(job.id).await?;
    let last_row = |lane| {
        let of_lane = chunks.iter().filter(|chunk: &&CommittedChunk| chunk.lane == lane);
        of_lane.map(|chunk| chunk.last_row).max().unwrap_or(0)
    };
    Ok(Selection::left_by(job.selection.as_ref(), (0..count).map(last_row).collect()))
}

/// Gives the job `to` the file of the job `from` and the numbers of its rows. Blocks.
fn copy_files(folder: &Folder, from: Uuid, to: Uuid, numbers: &Numbers) -> Result<(), JobsError> {
    folder.copy_source(from, to)?;
    let bytes = match numbers {
        Numbers::None => return Ok(()),
        Numbers::OfFailed(chunks) => {
            let rows = folder.failed_rows(from, chunks).map_err(JobsError::FailedRows)?;
            let numbers: io::Result<Vec<u32>> = rows.map(|row| Ok(row?.row_number)).collect();
            selected::stored(numbers.map_err(JobsError::FailedRows)?)
        }
        Numbers::OfParent => folder.get(from, ROWS).map_err(JobsError::FailedRows)?,
    };
    Ok(folder.put(to, ROWS, &bytes)?)
}
