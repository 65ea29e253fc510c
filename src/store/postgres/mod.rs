//! The chunk writer of PostgreSQL: a chunk goes into a temporary table by binary COPY, then a few
//! set-based statements do the rest, on a connection that the writer has for itself.

mod copy;
mod journal;
mod lists;
mod lost_keys;
mod merge;
mod references;
mod rows;
mod session;
pub(super) mod sql;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::protocol::ChunkCommitter;
use crate::store::chunk::target::Target;
use crate::store::chunk::whole_file::FileTransaction;
use crate::store::chunk::writer::{ChunkWriter, WholeFileWriter, WriterSettings};
use crate::store::connection::sessions::Sessions;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::outbox::changes::ChangeNotes;
use rows::PostgresRows;
use session::PostgresTx;

/// Rows of a job up to which its references are not read ahead.
const FEW_ROWS: u64 = 500;

/// Writes the chunks of one partition.
pub(super) struct PostgresWriter(ChunkCommitter<PostgresTx, PostgresRows>);

impl PostgresWriter {
    pub(super) async fn open(
        sessions: Sessions,
        settings: WriterSettings,
        target: Target,
        notes: Option<ChangeNotes>,
    ) -> Result<Self, StoreError> {
        let (tx, rows) = opened(sessions, &settings, target).await?;
        Ok(Self(ChunkCommitter::new(tx, rows, settings, notes)))
    }
}

/// Writes all chunks of a file in one transaction.
pub(super) struct PostgresWholeFile(FileTransaction<PostgresTx, PostgresRows>);

impl PostgresWholeFile {
    pub(super) async fn open(
        sessions: Sessions,
        settings: WriterSettings,
        target: Target,
        notes: Option<ChangeNotes>,
    ) -> Result<Self, StoreError> {
        let (tx, rows) = opened(sessions, &settings, target).await?;
        Ok(Self(FileTransaction::new(tx, rows, settings, notes)))
    }
}

/// A connection with its temporary tables, and what writes rows on it.
async fn opened(
    sessions: Sessions,
    settings: &WriterSettings,
    target: Target,
) -> Result<(PostgresTx, PostgresRows), StoreError> {
    let mut rows = PostgresRows::new(settings, target);
    let mut prepare = rows.sql.prepare.clone();
    prepare.extend(rows.journal.as_ref().map(|journal| journal.prepare.clone()));
    let mut tx = PostgresTx::new(sessions, prepare);
    let connection = tx.open().await?;
    let opened = look_at_tables(&mut rows, connection, settings.job.total_rows).await;
    if let Err(error) = opened {
        // A connection that rested may be cut meanwhile: the next attempt makes a new one.
        tx.give_up();
        return Err(error);
    }
    Ok((tx, rows))
}

/// Looks at the tables as they are now. A job of few rows looks its references up by name, chunk by
/// chunk: reading all of them would take longer.
async fn look_at_tables(
    rows: &mut PostgresRows,
    connection: &mut PgConnection,
    total_rows: Option<u64>,
) -> Result<(), StoreError> {
    if total_rows.is_none_or(|total| total > FEW_ROWS) {
        references::load(connection, &mut rows.references)
            .await
            .context("read the names of the references")?;
    }
    rows.has_triggers = sqlx::query_scalar(AssertSqlSafe(rows.sql.has_triggers.clone()))
        .fetch_one(connection)
        .await
        .context("look for triggers")?;
    Ok(())
}

#[async_trait]
impl ChunkWriter for PostgresWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit_chunk(&chunk).await
    }
}

#[async_trait]
impl WholeFileWriter for PostgresWholeFile {
    async fn add(&mut self, chunk: Arc<Chunk>) -> Result<u64, StoreError> {
        self.0.add(&chunk).await
    }

    async fn finish(&mut self) -> Result<Option<Job>, StoreError> {
        self.0.finish().await
    }
}
