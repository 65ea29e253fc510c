//! The chunk writer of PostgreSQL: a chunk goes into a temporary table by binary COPY, then a few
//! set-based statements do the rest, on a connection that the writer has for itself.

mod copy;
mod journal;
mod merge;
mod references;
mod rows;
mod session;
mod sql;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::protocol::ChunkCommitter;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::connection::sessions::Sessions;
use crate::store::error::{ErrorContext, StoreError};
use rows::PostgresRows;
use session::PostgresTx;

/// Writes the chunks of one partition.
pub(super) struct PostgresWriter(ChunkCommitter<PostgresTx, PostgresRows>);

impl PostgresWriter {
    pub(super) async fn open(
        sessions: Sessions,
        settings: WriterSettings,
        target: Target,
    ) -> Result<Self, StoreError> {
        let mut rows = PostgresRows::new(&settings, target);
        let mut prepare = rows.sql.prepare.clone();
        prepare.extend(rows.journal.as_ref().map(|journal| journal.prepare.clone()));
        let mut tx = PostgresTx::new(sessions, prepare);
        let connection = tx.open().await?;
        references::load(connection, &mut rows.references)
            .await
            .context("read the names of the references")?;
        rows.has_triggers = sqlx::query_scalar(AssertSqlSafe(rows.sql.has_triggers.clone()))
            .fetch_one(connection)
            .await
            .context("look for triggers")?;
        Ok(Self(ChunkCommitter::new(tx, rows, settings)))
    }
}

#[async_trait]
impl ChunkWriter for PostgresWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit_chunk(&chunk).await
    }
}
