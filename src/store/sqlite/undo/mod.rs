//! Taking an import back on SQLite: the journal that the writer keeps, and the undoer that works it
//! off row by row, on a connection of its own.

mod image;
mod journal;
mod rows;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

pub(super) use journal::SqliteJournal;

use super::blocking_writer::BlockingWriter;
use super::session::SqliteTx;
use super::sql::RowSql;
use crate::dataset::Plan;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{ChunkCommitter, RowWriter, WriteError, WriteOptions};
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::undo::Owned;

/// Rolls the chunks of a journal back.
pub(in crate::store) struct SqliteUndoer(BlockingWriter<ChunkCommitter<SqliteTx, SqliteRollback>>);

/// Rolls the rows of chunks back.
struct SqliteRollback {
    undone: i64,
    plan: Plan,
    owned: Owned,
    sql: RowSql,
}

impl SqliteUndoer {
    pub(in crate::store) fn open(
        path: &Path,
        write_lock: Arc<Mutex<()>>,
        undone: i64,
        settings: WriterSettings,
        owned: Owned,
        target: Target,
    ) -> Result<Self, StoreError> {
        let tx = SqliteTx::open(path)?;
        let sql = RowSql::new(target);
        let rows = SqliteRollback { undone, plan: settings.plan.clone(), owned, sql };
        Ok(Self(BlockingWriter::new(write_lock, ChunkCommitter::new(tx, rows, settings))))
    }
}

#[async_trait]
impl ChunkWriter for SqliteUndoer {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit(chunk).await
    }
}

#[async_trait]
impl RowWriter<SqliteTx> for SqliteRollback {
    async fn write(
        &mut self,
        tx: &mut SqliteTx,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let mut undo = rows::RowRollback::prepare(
            &tx.connection,
            &self.sql,
            &self.owned,
            &self.plan,
            options.now,
        )
        .context("prepare the statements of a chunk")?;
        let is_done = undo
            .all(self.undone, chunk, options.isolate_rows)
            .context("take the rows of a chunk back")?;
        if is_done {
            Ok(undo.outcome())
        } else {
            Err(WriteError::RowRefused(StoreError::WriterDied))
        }
    }
}
