//! The chunk writer of SQLite: rusqlite on a connection of its own, prepared statements stepped row
//! by row. It links the same SQLite as sea-orm does and was measured to be several times faster
//! than any way through a pool.

mod bind;
mod blocking_writer;
pub(super) mod busy_timeout;
mod journal;
mod lists;
mod lost_keys;
mod merge;
mod references;
mod session;
mod sql;
mod whole_file;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::domain::chunk::Chunk;
use crate::domain::difference::Difference;
use crate::domain::job::Job;
use crate::store::chunk::chunk_keys::{self, WrittenRecords, notes_keys};
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{ChunkCommitter, ChunkTx, RowWriter, WriteError, WriteOptions};
use crate::store::chunk::references::References;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::outbox::changes::ChangeNotes;
pub(super) use bind::time_text;
use blocking_writer::BlockingWriter;
use busy_timeout::BusyTimeout;
pub(super) use session::SqliteTx;
pub(super) use whole_file::SqliteWholeFile;

/// Writes the chunks of a job.
pub(super) struct SqliteWriter(BlockingWriter<ChunkCommitter<SqliteTx, SqliteRows>>);

impl SqliteWriter {
    pub(super) fn open(
        tx: SqliteTx,
        write_lock: Arc<Mutex<BusyTimeout>>,
        settings: WriterSettings,
        target: Target,
        notes: Option<ChangeNotes>,
    ) -> Result<Self, StoreError> {
        let rows = SqliteRows::new(&tx, &settings, target)?;
        let committer = ChunkCommitter::new(tx, rows, settings, notes);
        Ok(Self(BlockingWriter::new(write_lock, committer)))
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        // Gone where a thread panicked with it.
        if let Some(committer) = self.0.take() {
            committer.into_tx().rest();
        }
    }
}

#[async_trait]
impl ChunkWriter for SqliteWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit(chunk).await
    }
}

/// Writes the rows of chunks into the table.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of the table or the job")]
struct SqliteRows {
    job: i64,
    /// Of a job that can be rolled back, or shows what it would change: it keeps its rows as they
    /// were before.
    keeps_journal: bool,
    /// Everything is rolled back, so that each chunk creates the same references again.
    dry_run: bool,
    /// Mirror: the keys of the file are noted.
    notes_keys: bool,
    /// Triggers of the table may change keys.
    has_triggers: bool,
    references: References,
    sql: sql::RowSql,
}

impl SqliteRows {
    fn new(tx: &SqliteTx, settings: &WriterSettings, target: Target) -> Result<Self, StoreError> {
        let mut references = References::new(&target);
        references::load(&tx.connection, &mut references)
            .context("read the names of the references")?;
        let options = &settings.job.options;
        Ok(Self {
            keeps_journal: options.undo || options.dry_run,
            dry_run: options.dry_run,
            job: settings.job.id,
            notes_keys: notes_keys(&settings.job),
            has_triggers: lost_keys::has_triggers(&tx.connection, &target.table)
                .context("look for triggers")?,
            references,
            sql: sql::RowSql::new(target),
        })
    }
}

#[async_trait]
impl RowWriter<SqliteTx> for SqliteRows {
    async fn write(
        &mut self,
        tx: &mut SqliteTx,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let mut outcome = self.rows(&tx.connection, chunk, options)?;
        outcome.references = self.references.take_created(self.dry_run);
        outcome.complete(chunk);
        Ok(outcome)
    }

    async fn differences(
        &mut self,
        tx: &mut SqliteTx,
        limit: u64,
    ) -> Result<Vec<Difference>, StoreError> {
        if !self.keeps_journal {
            return Ok(Vec::new());
        }
        let found = journal::differences(&tx.connection, &self.sql.target, self.job, limit);
        found.context("read what a dry run would change")
    }

    async fn note_keys(
        &mut self,
        tx: &mut SqliteTx,
        chunk: &Chunk,
        outcome: &mut ChunkOutcome,
    ) -> Result<(), StoreError> {
        if !self.notes_keys {
            return Ok(());
        }
        let target = &self.sql.target;
        let note = chunk_keys::note(tx.backend(), self.job, target, chunk);
        tx.run(&note, "note the keys of a chunk").await?;
        if self.has_triggers {
            let written = WrittenRecords::of(chunk, outcome, self.dry_run);
            let lost = lost_keys::count(&tx.connection, target, chunk, &written);
            outcome.lost_keys = lost.context("look for the records of a chunk")?;
        }
        Ok(())
    }

    fn committed(&mut self) {
        self.references.committed();
    }

    fn rolled_back(&mut self) {
        self.references.rolled_back();
    }
}
