//! A file that is imported as a whole or not at all: its chunks go into one transaction, which is committed
//! when the reader is at the end of the file and no row has failed. What breaks it off begins it again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::chunker::{Chunker, PartitionChannels, PartitionCheckpoint};
use super::context::JobsContext;
use super::error::RunError;
use super::partition_writer::check_failed;
use super::row_input::RowInput;
use super::steps::on_thread;
use super::stop::Stop;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::limits::CHUNKS_WAITING_MAX;
use crate::store::{StoreError, WholeFileWriter, WriterSettings};

use super::backoff::retry_transient;

/// How long a file waits that is begun again.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

/// What writes a file.
pub(super) struct WholeFile {
    pub(super) context: Arc<JobsContext>,
    pub(super) job: Job,
    pub(super) stop: Stop,
}

/// A file whose rows are written and not committed.
struct WrittenFile {
    writer: Box<dyn WholeFileWriter>,
    /// Why its end is not waited for: more rows have failed than the upload allows.
    ended_early: Option<RunError>,
}

impl WholeFile {
    /// Writes the rows behind `start`, which is the end of the file when an earlier run committed it.
    pub(super) async fn write(
        self,
        source: RowInput,
        chunker: Chunker,
        start: PartitionCheckpoint,
        settings: WriterSettings,
    ) -> Result<(), RunError> {
        let (job, stop) = (self.job.clone(), self.stop.clone());
        let (context, store) = (Arc::clone(&self.context), self.context.run_store.clone());
        let open = || store.whole_file_writer(settings.clone());
        let writer = retry_transient(job.id, stop.token(), open).await?;
        let (sender, chunks) = mpsc::channel::<Arc<Chunk>>(CHUNKS_WAITING_MAX);
        let (returned, used) = std::sync::mpsc::channel();
        let channels = vec![PartitionChannels { start, out: sender, used }];
        // In a task of its own: no call of the database is cut off half-way.
        let task = tokio::spawn(async move {
            let written = self.rows(writer, chunks, returned).await;
            if written.is_err() {
                self.stop.stop();
            }
            written
        });
        let cut = on_thread("reader", move || chunker.run(&source, channels)).await;
        let mut written = task.await.unwrap_or(Err(RunError::Panicked))?;
        if written.ended_early.is_none() {
            // Without the end of the file its rows are not whole.
            cut?;
            if stop.is_stopped() {
                return Err(RunError::Stopped);
            }
        }
        let id = job.id;
        let finish = tokio::spawn(async move {
            let ended = written.writer.finish().await.map_err(broken_off);
            (ended, written.ended_early)
        });
        let (ended, ended_early) = finish.await.map_err(|_| RunError::Panicked)?;
        if let Some(now) = ended? {
            context.manager.publish(now);
        } else {
            let now = retry_transient(id, stop.token(), || store.get(id)).await?;
            context.manager.publish(now.ok_or(RunError::Stopped)?);
        }
        ended_early.map_or(Ok(()), Err)
    }

    async fn rows(
        &self,
        mut writer: Box<dyn WholeFileWriter>,
        mut chunks: mpsc::Receiver<Arc<Chunk>>,
        used: std::sync::mpsc::Sender<Chunk>,
    ) -> Result<WrittenFile, RunError> {
        let (context, job) = (&self.context, &self.job);
        let mut rows = 0;
        while let Some(chunk) = chunks.recv().await {
            if self.stop.is_stopped() {
                return Err(RunError::Stopped);
            }
            context.data_dir.check_free_space(0)?;
            let began = Instant::now();
            let failed = writer.add(Arc::clone(&chunk)).await.map_err(broken_off)?;
            context.metrics.chunk_committed(&job.dataset, began.elapsed());
            rows += chunk.rows() as u64;
            context.manager.staged(job.id, rows);
            if let Some(chunk) = Arc::into_inner(chunk) {
                // The reader is at the end of the file when it takes none back.
                let _at_end = used.send(chunk);
            }
            if let Err(why) = check_failed(job, failed) {
                return Ok(WrittenFile { writer, ended_early: Some(why) });
            }
        }
        Ok(WrittenFile { writer, ended_early: None })
    }
}

/// A failure of a call in the transaction. Nothing of the transaction is left.
fn broken_off(error: StoreError) -> RunError {
    match error {
        StoreError::LostLease { .. } => RunError::Stopped,
        error if error.is_transient() => RunError::BrokenOff(error),
        error => RunError::Store(error),
    }
}
