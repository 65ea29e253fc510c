//! Taking an import back on PostgreSQL: the journal that the writer keeps, and the undoer that works
//! it off chunk by chunk with a few set-based statements, on a connection of its own.

mod journal;
mod rows;
mod sql;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Connection;
use sqlx::postgres::PgConnection;

pub(super) use journal::PostgresJournal;

use super::{conclude, is_committed_already, look, open_session, run_plain};
use crate::domain::chunk::Chunk;
use crate::domain::counts::Counts;
use crate::faults::fault;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings, Written};
use crate::store::connection::sessions::Sessions;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::undo::Owned;

/// The connection, and what it knows of the job that is taken back.
pub(in crate::store) struct PostgresUndoer {
    sessions: Sessions,
    /// Gone after an error; the next chunk connects again.
    connection: Option<PgConnection>,
    undone: i64,
    settings: WriterSettings,
    names: RowLabels,
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
        let names = RowLabels::new(&settings.dataset, &settings.plan);
        let connection = Some(open_session(&sessions, &sql.prepare).await?);
        Ok(Self { sessions, connection, undone, settings, names, target, sql })
    }

    async fn try_commit(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
    ) -> Result<Written, StoreError> {
        let mut transaction = connection.begin().await.context("begin a chunk")?;
        fault!("chunk.begin", StoreError::busy());
        let (now, already) = look(&mut transaction, self.settings.job.id, chunk.number).await?;
        if already {
            transaction.rollback().await.context("leave a chunk that is committed")?;
            return Ok(Written { counts: Counts::default(), already: true });
        }
        // A reference from another table is to refuse its row now, not the whole chunk at the end.
        run_plain(&mut transaction, "SET CONSTRAINTS ALL IMMEDIATE").await?;
        let outcome = self.rows(&mut transaction, chunk, now).await?;
        fault!("chunk.rows", StoreError::busy());
        conclude(transaction, &self.names, &mut self.settings, chunk, &outcome, now).await?;
        Ok(Written { counts: outcome.counts, already: false })
    }
}

#[async_trait]
impl ChunkWriter for PostgresUndoer {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Written, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => open_session(&self.sessions, &self.sql.prepare).await?,
        };
        let mut written = self.try_commit(&mut connection, &chunk).await;
        if written.as_ref().is_err_and(is_committed_already) {
            // An earlier commit whose answer was lost came to its end only now.
            written = Ok(Written { counts: Counts::default(), already: true });
        }
        // A connection that failed may be in any state; a new one is certain.
        if !matches!(written, Err(StoreError::Postgres { .. })) {
            self.connection = Some(connection);
        }
        written
    }
}
