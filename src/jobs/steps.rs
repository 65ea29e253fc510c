//! The steps that imports and rollbacks share: to tell how far a job is, to keep failed rows, to see
//! that every row has its outcome.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::Span;
use uuid::Uuid;

use super::backoff::retry_transient;
use super::context::JobsContext;
use super::error::RunError;
use super::stop::Stop;
use crate::domain::chunk::{FailedPart, FailedRow};
use crate::domain::event::Event;
use crate::domain::job::Job;
use crate::files::Storage;
use crate::metrics::ServerMetrics;
use crate::store::FailedRowsSink;

/// Stores events of the job and shows it as it is then.
pub(super) async fn emit(
    context: &JobsContext,
    job: &Job,
    stop: &Stop,
    story: fn(&Job) -> Vec<Event>,
) -> Result<(), RunError> {
    let updated =
        retry_transient(job.id, stop.token(), || context.run_store.emit(job, story)).await?;
    context.manager.publish(updated.ok_or(RunError::Stopped)?);
    Ok(())
}

/// Every row has its outcome.
pub(super) async fn check_total(
    context: &JobsContext,
    job: &Job,
    total: u64,
    stop: &Stop,
) -> Result<(), RunError> {
    let processed =
        retry_transient(job.id, stop.token(), || context.run_store.rows_in_chunks(job)).await?;
    if processed != total {
        return Err(RunError::Unaccounted { processed, total });
    }
    Ok(())
}

/// Where the failed rows of a job go.
pub(super) fn failed_rows_sink(
    context: &JobsContext,
    job: &Job,
) -> Result<Arc<dyn FailedRowsSink>, RunError> {
    let storage = context.storage.at(&job.storage_location)?;
    let metrics = Arc::clone(&context.metrics);
    Ok(Arc::new(JobFailedRows { storage, uuid: job.uuid, epoch: job.lease_epoch, metrics }))
}

/// Where the failed rows of a job go.
struct JobFailedRows {
    storage: Storage,
    uuid: Uuid,
    epoch: i64,
    metrics: Arc<ServerMetrics>,
}

#[async_trait]
impl FailedRowsSink for JobFailedRows {
    async fn store(&self, chunk_number: u32, rows: &[FailedRow]) -> std::io::Result<()> {
        let part = FailedPart { chunk: chunk_number, epoch: self.epoch };
        self.storage.write_failed_part(self.uuid, part, rows).await
    }

    fn committed(&self, rows: &[FailedRow]) {
        self.metrics.failed_rows(rows);
    }
}

/// Runs blocking work on a thread of its own: it may take minutes and must not use up the pool that
/// uploads write through. A panic is an error like any other.
pub(super) async fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let span = Span::current();
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _in_job = span.entered();
        // Nobody waits any more only when the runtime is gone.
        let _unheard = sender.send(work());
    });
    spawned.map_err(|source| RunError::Io { doing: "start a thread", source })?;
    receiver.await.unwrap_or(Err(RunError::Panicked))
}
