//! The chunk writer of PostgreSQL: a chunk goes into a temporary table by binary COPY, then a few
//! set-based statements do the rest, on a connection that the writer has for itself.

mod copy;
mod merge;
mod references;
mod session;
mod sql;
mod undo;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

pub(super) use undo::PostgresUndoer;

use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{ChunkCommitter, RowWriter, WriteError, WriteOptions};
use crate::store::chunk::references::References;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::connection::sessions::Sessions;
use crate::store::error::{ErrorContext, StoreError};
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

/// Writes the rows of chunks into the table.
struct PostgresRows {
    job: i64,
    /// Everything is rolled back, so that each chunk creates the same references again.
    dry_run: bool,
    target: Target,
    references: References,
    sql: sql::ImportSql,
    /// Only of a job that can be rolled back.
    journal: Option<undo::PostgresJournal>,
    /// Reused from chunk to chunk.
    buffer: Vec<u8>,
    /// Most records of the last chunk were in the table already.
    mostly_known: bool,
    /// Triggers of the table may leave rows out without an error.
    has_triggers: bool,
}

impl PostgresRows {
    fn new(settings: &WriterSettings, target: Target) -> Self {
        let options = &settings.job.options;
        let undo = options.undo && !options.dry_run;
        Self {
            job: settings.job.id,
            dry_run: options.dry_run,
            references: References::new(&target),
            sql: sql::ImportSql::new(&target),
            journal: undo.then(|| undo::PostgresJournal::new(&target)),
            target,
            buffer: Vec::new(),
            mostly_known: false,
            has_triggers: false,
        }
    }
}

#[async_trait]
impl RowWriter<PostgresTx> for PostgresRows {
    async fn write(
        &mut self,
        tx: &mut PostgresTx,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let mut outcome = self.rows(tx.connection()?, chunk, options).await?;
        outcome.references = self.references.take_created(self.dry_run);
        outcome.complete(chunk);
        let known = outcome.counts.updated + outcome.counts.unchanged;
        self.mostly_known = known > outcome.counts.created;
        Ok(outcome)
    }

    fn committed(&mut self) {
        self.references.committed();
    }

    fn rolled_back(&mut self) {
        self.references.rolled_back();
    }
}
