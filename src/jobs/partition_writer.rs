//! The writer's side of a running job: takes the chunks of one partition and commits each until it is in
//! the table, whatever the database does in between.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::mpsc;
use tracing::{Instrument, error_span};

use super::backoff::retry_transient;
use super::context::JobsContext;
use super::error::RunError;
use super::prune::WhileRunning;
use super::stop::Stop;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::limits::DIFFERENCES_STORED_MAX;
use crate::domain::options::OnError;
use crate::faults::fault;
use crate::store::{ChunkWriter, EventQuota, StoreError};

/// Commits the chunks of a partition until there are no more.
pub(super) async fn write(
    context: Arc<JobsContext>,
    job: Job,
    writer: Box<dyn ChunkWriter>,
    mut chunks: mpsc::Receiver<Arc<Chunk>>,
    used: std::sync::mpsc::Sender<Chunk>,
    stop: Stop,
) -> Result<(), RunError> {
    let mut partition = PartitionWriter::new(&context, &job, writer, &stop);
    while let Some(chunk) = chunks.recv().await {
        let failed = partition.write(&chunk).await?;
        if let Some(chunk) = Arc::into_inner(chunk) {
            // The reader is at the end of the file when it takes none back.
            let _at_end = used.send(chunk);
        }
        check_failed(&job, failed)?;
    }
    Ok(())
}

/// A writer at work for a job.
pub(super) struct PartitionWriter<'a> {
    context: &'a JobsContext,
    job: &'a Job,
    writer: Box<dyn ChunkWriter>,
    stop: &'a Stop,
    pruning: WhileRunning,
}

impl<'a> PartitionWriter<'a> {
    pub(super) fn new(
        context: &'a JobsContext,
        job: &'a Job,
        writer: Box<dyn ChunkWriter>,
        stop: &'a Stop,
    ) -> Self {
        Self { context, job, writer, stop, pruning: WhileRunning::new(context, job) }
    }

    /// Commits a chunk and shows how the job stands then; answers how many rows have failed.
    pub(super) async fn write(&mut self, chunk: &Arc<Chunk>) -> Result<u64, RunError> {
        if self.stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        self.context.data_dir.check_free_space(0)?;
        let began = Instant::now();
        let span = error_span!("chunk", chunk = chunk.number);
        let commit = commit(&mut *self.writer, self.job, chunk, self.stop);
        let committed = commit.instrument(span).await?;
        self.context.metrics.chunk_committed(&self.job.dataset, began.elapsed());
        fault!("partition.after", RunError::Panicked);
        let now = if let Some(now) = committed {
            now
        } else {
            // An earlier commit took effect, of which the answer was lost.
            let (id, store) = (self.job.id, &self.context.run_store);
            let stored = retry_transient(id, self.stop.token(), || store.get(id)).await?;
            stored.ok_or(RunError::Stopped)?
        };
        let failed = now.counts.failed;
        self.pruning.look(self.context, &now).await;
        self.context.manager.publish(now);
        Ok(failed)
    }
}

/// Ends the job when more rows have failed than the upload allows.
pub(super) fn check_failed(job: &Job, failed: u64) -> Result<(), RunError> {
    if failed > 0 && job.options.on_error == OnError::Abort {
        return Err(RunError::Aborted);
    }
    // The rows are counted before the first one is written.
    let total = job.total_rows.unwrap_or(0);
    match job.options.max_errors.map(|limit| limit.allows(total)) {
        Some(allowed) if failed > allowed => Err(RunError::TooManyErrors { failed, allowed }),
        _ => Ok(()),
    }
}

/// Ends a job whose file is imported as a whole when a row of it has failed.
pub(super) fn check_whole(job: &Job, failed: u64) -> Result<(), RunError> {
    if failed > 0 && job.options.atomic {
        return Err(RunError::AtomicFailed { failed });
    }
    Ok(())
}

/// Tries a chunk until it is committed, the job is stopped, or the failure is final. A commit whose
/// answer was lost is found by the chunk's number, so that trying again is always safe.
async fn commit(
    writer: &mut dyn ChunkWriter,
    job: &Job,
    chunk: &Arc<Chunk>,
    stop: &Stop,
) -> Result<Option<Job>, RunError> {
    // Never waited for: one attempt ends before the next begins.
    let writer = tokio::sync::Mutex::new(writer);
    let attempt = || async { writer.lock().await.commit(Arc::clone(chunk)).await };
    match retry_transient(job.id, stop.token(), attempt).await {
        Err(RunError::Store(StoreError::LostLease { .. })) => Err(RunError::Stopped),
        committed => committed,
    }
}

/// What may still be stored about the rows of a job.
pub(super) fn event_quota(
    max: u64,
    errors: u64,
    superseded: u64,
    differences: u64,
) -> Arc<EventQuota> {
    let left = EventQuota::default();
    left.errors.store(max.saturating_sub(errors), Ordering::Relaxed);
    left.superseded.store(max.saturating_sub(superseded), Ordering::Relaxed);
    left.references.store(max, Ordering::Relaxed);
    left.differences.store(DIFFERENCES_STORED_MAX.saturating_sub(differences), Ordering::Relaxed);
    Arc::new(left)
}
