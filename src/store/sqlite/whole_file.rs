//! The transaction of a whole file on SQLite: it has the turn to write from its first chunk to its end, so
//! that everything else that writes to the database waits for it.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::SqliteRows;
use super::busy_timeout::BusyTimeout;
use super::session::SqliteTx;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::target::Target;
use crate::store::chunk::whole_file::FileTransaction;
use crate::store::chunk::writer::{WholeFileWriter, WriterSettings};
use crate::store::error::StoreError;
use crate::store::outbox::changes::ChangeNotes;

type File = FileTransaction<SqliteTx, SqliteRows>;

/// Writes the chunks of a file.
pub(in crate::store) struct SqliteWholeFile {
    /// Away while a thread works with it; gone for good if that thread panicked. Before the turn, which
    /// is given back only when the connection is closed.
    file: Option<File>,
    turn: Option<OwnedMutexGuard<BusyTimeout>>,
    write_lock: Arc<Mutex<BusyTimeout>>,
}

impl SqliteWholeFile {
    pub(in crate::store) fn open(
        tx: SqliteTx,
        write_lock: Arc<Mutex<BusyTimeout>>,
        settings: WriterSettings,
        target: Target,
        notes: Option<ChangeNotes>,
    ) -> Result<Self, StoreError> {
        let rows = SqliteRows::new(&tx, &settings, target)?;
        let file = Some(FileTransaction::new(tx, rows, settings, notes));
        Ok(Self { file, turn: None, write_lock })
    }

    /// Works with the file on a thread that may block.
    async fn blocking<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut File) -> R + Send + 'static,
    ) -> Result<R, StoreError> {
        let mut file = self.file.take().ok_or(StoreError::WriterDied)?;
        let work = tokio::task::spawn_blocking(move || {
            let result = work(&mut file);
            (file, result)
        });
        let (file, result) = work.await.map_err(|_| StoreError::WriterDied)?;
        self.file = Some(file);
        Ok(result)
    }
}

#[async_trait]
impl WholeFileWriter for SqliteWholeFile {
    async fn add(&mut self, chunk: Arc<Chunk>) -> Result<u64, StoreError> {
        if self.turn.is_none() {
            self.turn = Some(Arc::clone(&self.write_lock).lock_owned().await);
        }
        self.blocking(move |file| {
            let added = Handle::current().block_on(file.add(&chunk));
            drop(chunk);
            added
        })
        .await?
    }

    async fn finish(&mut self) -> Result<Option<Job>, StoreError> {
        let ended = self.blocking(|file| Handle::current().block_on(file.finish())).await?;
        self.turn = None;
        ended
    }
}
