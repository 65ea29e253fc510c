//! Rolling an import back, as a job of its own: from the journal of the import, chunk by chunk
//! behind the fence, like every other job. Needs no file, so any server can run it.

use std::io;
use std::sync::Arc;

use tracing::{Instrument, error_span};

use super::backoff::{retry_storage, retry_transient};
use super::child::ChildMade;
use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::error::RunError;
use super::input::detected_of;
use super::partition_writer::{PartitionWriter, event_quota};
use super::steps::{check_total, failed_rows_sink};
use super::stop::Stop;
use super::submit::Submitted;
use crate::dataset::Plan;
use crate::dataset::model::Dataset;
use crate::domain::action::Action;
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::error_chain::error_chain;
use crate::domain::job::{Job, NewJob};
use crate::domain::options::{OnError, Options, RowEventMode};
use crate::domain::row_number::RowNumber;
use crate::domain::trace::TraceContext;
use crate::domain::warning::Warnings;
use crate::files::FileError;
use crate::store::{ChildKind, CommittedChunk, Destination, WriterSettings};

impl Jobs {
    /// Rolls back what a job did, as a job of its own. While a rollback of the job is unfinished,
    /// that one is given back: two requests start one.
    ///
    /// # Errors
    /// `NotFound`; `InvalidState` when the job has not ended or is a rollback itself;
    /// `NothingToUndo` when it kept no journal or changed nothing, `FilesRemoved` when the journal's
    /// time is over; `IdempotencyMismatch` when the key belongs to another request; else the store's.
    pub async fn rollback(
        &self,
        id: i64,
        created_by: Option<String>,
        idempotency_key: Option<String>,
        trace: Option<TraceContext>,
    ) -> Result<Submitted, JobsError> {
        self.on_runtime(move |context| async move {
            if let Some(job) = context.with_key(idempotency_key.as_deref()).await? {
                // Whatever became of the other job since.
                return context.replayed(job, |job| job.rollback_of == Some(id));
            }
            let undone = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            if let Some(refusal) = refusal(&undone) {
                return Err(refusal);
            }
            let new = NewJob { idempotency_key, created_by, trace, ..new_job(&undone) };
            let location = &undone.storage_location;
            match context.insert_child(&new, ChildKind::Rollback, id, location).await? {
                ChildMade::Submitted(submitted) => Ok(submitted),
                ChildMade::Earlier(job) => context.replayed(job, |_| true),
                ChildMade::Refused(job) => {
                    Err(refusal(&job).unwrap_or(JobsError::NothingToUndo(id)))
                }
            }
        })
        .await
    }
}

/// Removes the indexes that rollbacks left that ended while nobody ran them.
pub(super) async fn at_start(context: &JobsContext) {
    if let Err(error) = context.store.drop_rollback_indexes(None).await {
        tracing::warn!(
            event = "rollback_index_left",
            error = error_chain(&error),
            "index of a rollback could not be dropped"
        );
    }
}

/// Why the job cannot be rolled back.
fn refusal(job: &Job) -> Option<JobsError> {
    if Action::Rollback.is_legal(job) {
        return None;
    }
    if !job.status.is_terminal() || job.rollback_of.is_some() {
        return Some(JobsError::InvalidState {
            action: Action::Rollback,
            job: Box::new(job.clone()),
        });
    }
    if job.options.undo && job.files_removed_at.is_some() {
        return Some(JobsError::FilesRemoved(job.id));
    }
    Some(JobsError::NothingToUndo(job.id))
}

/// The job that rolls another one back, by nobody in particular.
fn new_job(undone: &Job) -> NewJob {
    let options = Options {
        undo: false,
        dry_run: false,
        on_error: OnError::Continue,
        max_errors: None,
        // A rollback reports the rows that it keeps and counts the others.
        rows: RowEventMode::None,
        ..undone.options.clone()
    };
    NewJob {
        options,
        rollback_of: Some(undone.id),
        warnings: Warnings::default(),
        ..NewJob::over_file_of(undone)
    }
}

/// Rolls back what the job `undone` did.
pub(super) async fn run(
    context: &Arc<JobsContext>,
    job: &Job,
    undone: i64,
    stop: &Stop,
) -> Result<(), RunError> {
    let dataset = context.dataset_of(job)?;
    let (store, token) = (&context.run_store, stop.token());
    let plan = Plan::of_imported(&dataset, &detected_of(job)?.columns, &job.options.set)?;
    let now = Destination::of(&dataset, &plan.clone().and_gone(&dataset, job.options.mode));
    match retry_transient(job.id, token, || store.destination(undone)).await? {
        Some(then) if then != now => {
            let (then, now) = (then.beside(&now), now.beside(&then));
            return Err(RunError::GoesElsewhere { undone, then, now });
        }
        Some(_) => {}
        None => return Err(RunError::NothingToUndo(undone)),
    }
    let total = retry_transient(job.id, token, || store.undo_rows(undone)).await?;
    if total == 0 || job.total_rows.is_some_and(|known| known != total) {
        return Err(RunError::NothingToUndo(undone));
    }
    let job = retry_transient(job.id, token, || store.set_total(job, total, 1, None)).await?;
    let job = job.ok_or(RunError::Stopped)?;
    context.manager.publish(job.clone());
    let committed = retry_transient(job.id, token, || store.committed_chunks(job.id)).await?;
    complete_list(context, &job, &committed, stop).await?;
    let run = RollbackRun { context, job: &job, undone, stop };
    retry_transient(job.id, token, || store.create_rollback_indexes(&dataset)).await?;
    let work = run.roll_back(&dataset, plan, &committed);
    let worked = work.instrument(error_span!("rollback")).await;
    // A stopped rollback may continue on another server.
    let at_its_end = (!matches!(worked, Err(RunError::Stopped))).then_some(job.id);
    if let Err(error) = store.drop_rollback_indexes(at_its_end).await {
        tracing::warn!(
            event = "rollback_index_left",
            job_id = job.id,
            error = error_chain(&error),
            "index of a rollback could not be dropped"
        );
    }
    worked?;
    // The other job may have been deleted meanwhile, and its journal with it.
    if retry_transient(job.id, token, || store.undo_rows(undone)).await? != total {
        return Err(RunError::NothingToUndo(undone));
    }
    check_total(context, &job, total, stop).await
}

/// What a run of a rollback needs.
struct RollbackRun<'a> {
    context: &'a Arc<JobsContext>,
    job: &'a Job,
    undone: i64,
    stop: &'a Stop,
}

impl RollbackRun<'_> {
    /// Rolls the journal back behind the chunks that are committed.
    async fn roll_back(
        &self,
        dataset: &Arc<Dataset>,
        plan: Plan,
        committed: &[CommittedChunk],
    ) -> Result<(), RunError> {
        let (context, job, undone) = (self.context, self.job, self.undone);
        let (store, token) = (&context.run_store, self.stop.token());
        let (errors, _) =
            retry_transient(job.id, token, || store.stored_row_outcomes(job.id)).await?;
        let settings = WriterSettings {
            job: job.clone(),
            dataset: Arc::clone(dataset),
            plan,
            failed_rows: failed_rows_sink(context, job)?,
            every_row: false,
            event_quota: event_quota(context.settings.stored_errors_max, errors, 0, 0),
        };
        let writer =
            retry_transient(job.id, token, || store.rollback_writer(undone, settings.clone()))
                .await?;
        let mut partition = PartitionWriter::new(context, job, writer, self.stop);
        let mut number = next_number(committed);
        let mut after =
            committed.iter().map(|chunk| chunk.last_row).max().unwrap_or(RowNumber::NONE);
        let rows = context.settings.chunk_rows;
        while let Some((first_row, last_row)) =
            retry_transient(job.id, token, || store.next_undo_rows(undone, after, rows)).await?
        {
            let chunk = Chunk { number, first_row, last_row, ..Chunk::default() };
            partition.write(&Arc::new(chunk)).await?;
            (number, after) = (number + 1, last_row);
        }
        Ok(())
    }
}

fn next_number(committed: &[CommittedChunk]) -> u32 {
    committed.iter().map(|chunk| chunk.number + 1).max().unwrap_or(0)
}

/// The rows that were kept so far may be listed in the folder of a server that is gone: the list is
/// made anew here from what the table knows of them, which is all but their cells.
async fn complete_list(
    context: &Arc<JobsContext>,
    job: &Job,
    committed: &[CommittedChunk],
    stop: &Stop,
) -> Result<(), RunError> {
    let storage = context.storage.at(&job.storage_location)?;
    let mut first = RowNumber::NONE;
    for chunk in committed {
        let (from, to) = (first, chunk.last_row);
        first = chunk.last_row.next();
        let Some(part) = chunk.failed_part else { continue };
        let look = || async {
            match storage.failed_rows(job.uuid, &[part]).await {
                Ok(_) => Ok(true),
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(false),
                // Away for a moment is not gone: what is listed there is better than what we know.
                Err(fault) => Err(FileError::from_io("read the failed rows", fault)),
            }
        };
        if retry_storage(job.id, stop.token(), look).await? {
            continue;
        }
        let errors = || context.run_store.row_errors_between(job.id, from, to);
        let errors = retry_transient(job.id, stop.token(), errors).await?;
        let rows: Vec<FailedRow> = errors
            .into_iter()
            .map(|error| FailedRow {
                row_number: error.row_number,
                cells: Vec::new(),
                errors: vec![error],
            })
            .collect();
        let write = || async {
            let kept = storage.write_failed_part(job.uuid, part, &rows).await;
            kept.map_err(|fault| FileError::from_io("write the failed rows", fault))
        };
        retry_storage(job.id, stop.token(), write).await?;
    }
    Ok(())
}
