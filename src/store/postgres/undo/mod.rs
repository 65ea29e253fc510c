//! Taking an import back on PostgreSQL: the journal that the writer keeps, and the undoer that works
//! it off chunk by chunk with a few set-based statements, on a connection of its own.

mod journal;
mod rows;
mod sql;

use std::sync::Arc;

use async_trait::async_trait;

pub(super) use journal::PostgresJournal;

use super::session::{PostgresTx, run_plain};
use crate::dataset::Plan;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{ChunkCommitter, RowWriter, WriteError, WriteOptions};
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::connection::sessions::Sessions;
use crate::store::error::StoreError;
use crate::store::undo::Owned;

/// Rolls the chunks of a journal back.
pub(in crate::store) struct PostgresUndoer(ChunkCommitter<PostgresTx, PostgresRollback>);

/// Rolls the rows of chunks back.
struct PostgresRollback {
    undone: i64,
    plan: Plan,
    target: Target,
    sql: sql::RollbackSql,
}

impl PostgresUndoer {
    pub(in crate::store) async fn open(
        sessions: Sessions,
        undone: i64,
        settings: WriterSettings,
        owned: &Owned,
        target: Target,
    ) -> Result<Self, StoreError> {
        let sql = sql::RollbackSql::new(&target, owned);
        let mut tx = PostgresTx::new(sessions, sql.prepare.clone());
        tx.open().await?;
        let rows = PostgresRollback { undone, plan: settings.plan.clone(), target, sql };
        Ok(Self(ChunkCommitter::new(tx, rows, settings)))
    }
}

#[async_trait]
impl RowWriter<PostgresTx> for PostgresRollback {
    async fn write(
        &mut self,
        tx: &mut PostgresTx,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let connection = tx.connection()?;
        // A reference from another table is to refuse its row now, not the whole chunk at the end.
        run_plain(connection, "SET CONSTRAINTS ALL IMMEDIATE").await?;
        Ok(self.rows(connection, chunk, options.now).await?)
    }
}

#[async_trait]
impl ChunkWriter for PostgresUndoer {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit_chunk(&chunk).await
    }
}
