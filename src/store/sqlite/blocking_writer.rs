//! Lending a connection and what belongs to it to a thread that may block, while it is its turn to
//! write. Knows nothing of chunks.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::store::error::StoreError;

/// Something that writes to the database in turn with others.
pub(super) struct BlockingWriter<T> {
    write_lock: Arc<Mutex<()>>,
    /// Away while a thread works with it; gone for good if that thread died.
    inner: Option<T>,
}

impl<T: Send + 'static> BlockingWriter<T> {
    pub(super) fn new(write_lock: Arc<Mutex<()>>, inner: T) -> Self {
        Self { write_lock, inner: Some(inner) }
    }

    /// Waits for the turn and works on a thread of its own.
    pub(super) async fn work<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut T) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut inner = self.inner.take().ok_or(StoreError::WriterDied)?;
        let guard = Arc::clone(&self.write_lock).lock_owned().await;
        let work = tokio::task::spawn_blocking(move || {
            let done = work(&mut inner);
            drop(guard);
            (inner, done)
        });
        let (inner, done) = work.await.map_err(|_| StoreError::WriterDied)?;
        self.inner = Some(inner);
        done
    }
}
