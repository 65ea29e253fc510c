//! What a chunk writer promises, whichever database it writes to.

use std::sync::Arc;

use async_trait::async_trait;

use crate::dataset::Plan;
use crate::dataset::model::Dataset;
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::job::Job;
use crate::domain::options::RowEventMode;
use crate::store::chunk::quota::EventQuota;
use crate::store::error::StoreError;

/// Stores the failed rows of a chunk for download.
#[async_trait]
pub trait FailedRowsSink: Send + Sync {
    /// Called with the chunk's number inside the chunk's transaction, before it commits, so that no
    /// failed row is ever missing. May take the time of a request to another server.
    ///
    /// # Errors
    /// What the storage refuses; the chunk is not committed then.
    async fn store(&self, chunk_number: u32, rows: &[FailedRow]) -> std::io::Result<()>;

    /// The chunk with these failed rows is committed.
    fn committed(&self, _rows: &[FailedRow]) {}
}

/// What a writer must know.
#[derive(Clone)]
pub struct WriterSettings {
    /// The job, with the epoch that fences.
    pub job: Job,
    /// What the rows become.
    pub dataset: Arc<Dataset>,
    /// Which value of a record is which column.
    pub plan: Plan,
    /// Where failed rows go.
    pub failed_rows: Arc<dyn FailedRowsSink>,
    /// Row errors, and superseded rows, that may still be stored for the job.
    pub event_quota: Arc<EventQuota>,
    /// Every row has its event; may begin while the job runs.
    pub every_row: bool,
}

impl WriterSettings {
    /// A client asked for the events of every row.
    pub(in crate::store) fn note_row_events(&mut self, row_events: bool) {
        self.every_row |= row_events && self.job.options.rows == RowEventMode::Auto;
    }
}

impl std::fmt::Debug for WriterSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriterSettings").field("job", &self.job.id).finish_non_exhaustive()
    }
}

/// Writes all chunks of one job in one transaction: all of its rows, or none.
#[async_trait]
pub trait WholeFileWriter: Send {
    /// Writes the rows of a chunk, which nobody sees before the [end](Self::finish); answers how many
    /// rows of the file have failed so far.
    ///
    /// Must be awaited to its end. A writer that is dropped has written nothing.
    ///
    /// # Errors
    /// When the transaction is lost: the file must be begun again.
    async fn add(&mut self, chunk: Arc<Chunk>) -> Result<u64, StoreError>;

    /// Commits the chunks with everything that belongs to them; where a row failed, only what is known of
    /// failed rows. The job as it stands then; `None` when there was no chunk.
    ///
    /// # Errors
    /// `LostLease` when the job is no longer ours; else when the transaction is lost.
    async fn finish(&mut self) -> Result<Option<Job>, StoreError>;
}

/// Writes chunks of one partition of one job, each in one transaction, each exactly once.
#[async_trait]
pub trait ChunkWriter: Send {
    /// Commits the chunk with everything that belongs to it: records, references, histories, row
    /// errors, counts, and the row of `import_chunks` that records the commit.
    ///
    /// Answers the job as it stands then; `None` when the chunk was committed before and the answer to
    /// that was lost.
    ///
    /// Must be awaited to its end; the caller runs it in a task of its own.
    ///
    /// # Errors
    /// `LostLease` when the job is no longer ours; a transient error when nothing was written and
    /// the same chunk may be retried.
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError>;
}
