//! Committing chunks on a thread that may block, in turn with everything else that writes to the
//! database.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tracing::Span;

use super::busy_timeout::BusyTimeout;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::protocol::{ChunkCommitter, ChunkTx, RowWriter};
use crate::store::error::StoreError;

/// A committer that is lent to such a thread, chunk by chunk.
pub(super) struct BlockingWriter<C> {
    write_lock: Arc<Mutex<BusyTimeout>>,
    /// Away while a thread works with it; gone for good if that thread panicked.
    committer: Option<C>,
}

impl<T, W> BlockingWriter<ChunkCommitter<T, W>>
where
    T: ChunkTx + 'static,
    W: RowWriter<T> + 'static,
{
    pub(super) fn new(
        write_lock: Arc<Mutex<BusyTimeout>>,
        committer: ChunkCommitter<T, W>,
    ) -> Self {
        Self { write_lock, committer: Some(committer) }
    }

    /// The committer, for good.
    pub(super) fn take(&mut self) -> Option<ChunkCommitter<T, W>> {
        self.committer.take()
    }

    /// Waits for the turn to write and commits a chunk.
    pub(super) async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        let mut committer = self.committer.take().ok_or(StoreError::WriterDied)?;
        let guard = Arc::clone(&self.write_lock).lock_owned().await;
        let span = Span::current();
        let work = tokio::task::spawn_blocking(move || {
            let _in_job = span.entered();
            let result = Handle::current().block_on(committer.commit_chunk(&chunk));
            drop((guard, chunk));
            (committer, result)
        });
        let (committer, result) = work.await.map_err(|_| StoreError::WriterDied)?;
        self.committer = Some(committer);
        result
    }
}
