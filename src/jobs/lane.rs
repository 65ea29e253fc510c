//! The writer's side of a running job: takes the chunks of one lane and commits each until it is in
//! the table, whatever the database does in between.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::Inner;
use super::error::{RunError, chain};
use super::stop::Stop;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::options::OnError;
use crate::store::{ChunkWriter, NotesLeft, StoreError};

/// The first pause before a chunk is tried again; doubles each time, with jitter.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Commits the chunks of a lane until there are no more.
pub(super) async fn write(
    inner: Arc<Inner>,
    job: Job,
    mut writer: Box<dyn ChunkWriter>,
    mut chunks: mpsc::Receiver<Arc<Chunk>>,
    used: std::sync::mpsc::Sender<Chunk>,
    stop: Stop,
) -> Result<(), RunError> {
    while let Some(chunk) = chunks.recv().await {
        if stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        commit(&mut *writer, &job, &chunk, &stop).await?;
        if let Some(chunk) = Arc::into_inner(chunk) {
            // The reader is at the end of the file when it takes none back.
            let _at_end = used.send(chunk);
        }
        let now = inner.store.get(job.id).await?.ok_or(RunError::Stopped)?;
        let failed = now.counts.failed;
        inner.manager.publish(now);
        if failed > 0 && job.options.on_error == OnError::Abort {
            return Err(RunError::Aborted);
        }
        if let Some(allowed) = job.options.max_errors.filter(|allowed| failed > *allowed) {
            return Err(RunError::TooManyErrors { failed, allowed });
        }
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
) -> Result<(), RunError> {
    let mut pause = PAUSE_MIN;
    loop {
        match writer.commit(Arc::clone(chunk)).await {
            Ok(_) => return Ok(()),
            Err(StoreError::LostLease { .. }) => return Err(RunError::Stopped),
            Err(error) if error.is_transient() => {
                tracing::warn!(
                    job = job.id,
                    chunk = chunk.number,
                    error = chain(&error),
                    "a chunk is tried again"
                );
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(pause)) => {}
            () = stop.stopped() => return Err(RunError::Stopped),
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Between half and the whole of `pause`: two writers that met once should not meet again.
fn jittered(pause: Duration) -> Duration {
    let share = uuid::Uuid::new_v4().as_u64_pair().0 % 512 + 512;
    pause.mul_f64(f64::from(u32::try_from(share).unwrap_or(1024)) / 1024.0)
}

/// What may still be stored about the rows of a job.
pub(super) fn notes_left(max: u64, errors: u64, superseded: u64) -> Arc<NotesLeft> {
    let left = NotesLeft::default();
    left.errors.store(max.saturating_sub(errors), Ordering::Relaxed);
    left.superseded.store(max.saturating_sub(superseded), Ordering::Relaxed);
    Arc::new(left)
}
