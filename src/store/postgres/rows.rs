//! What the writer of a partition knows of its job, and how a chunk goes through it. The statements
//! run in `merge` and `references`.

use async_trait::async_trait;

use super::journal::{self, PostgresJournal};
use super::lists::PostgresLists;
use super::lost_keys::LostKeys;
use super::session::PostgresTx;
use super::sql::ImportSql;
use crate::domain::chunk::Chunk;
use crate::domain::difference::Difference;
use crate::store::chunk::chunk_keys::{self, WrittenRecords, notes_keys};
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{ChunkTx, RowWriter, WriteError, WriteOptions};
use crate::store::chunk::references::References;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::WriterSettings;
use crate::store::error::StoreError;

/// Writes the rows of chunks into the table.
pub(super) struct PostgresRows {
    pub(super) job: i64,
    /// Everything is rolled back, so that each chunk creates the same references again.
    pub(super) dry_run: bool,
    pub(super) target: Target,
    pub(super) references: References,
    pub(super) sql: ImportSql,
    pub(super) lists: PostgresLists,
    /// Only of a job that can be rolled back, or that shows what it would change.
    pub(super) journal: Option<PostgresJournal>,
    /// Mirror: the keys of the file are noted.
    lost_keys: Option<LostKeys>,
    /// Reused from chunk to chunk.
    pub(super) buffer: Vec<u8>,
    /// Most records of the last chunk were in the table already.
    pub(super) mostly_known: bool,
    /// Triggers of the table may leave rows out without an error.
    pub(super) has_triggers: bool,
}

impl PostgresRows {
    pub(super) fn new(settings: &WriterSettings, target: Target) -> Self {
        let options = &settings.job.options;
        let keeps_journal = options.undo || options.dry_run;
        Self {
            job: settings.job.id,
            dry_run: options.dry_run,
            references: References::new(&target),
            sql: ImportSql::new(&target),
            lists: PostgresLists::new(&target),
            journal: keeps_journal.then(|| PostgresJournal::new(&target)),
            lost_keys: notes_keys(&settings.job).then(|| LostKeys::new(settings, &target)),
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
        if options.whole_file {
            // The transaction does not end with the chunk, which would do it.
            self.empty_the_stage(tx.connection()?).await?;
        }
        let mut outcome = self.rows(tx.connection()?, chunk, options).await?;
        outcome.references = self.references.take_created(self.dry_run);
        outcome.complete(chunk);
        let known = outcome.counts.updated + outcome.counts.unchanged;
        self.mostly_known = known > outcome.counts.created;
        Ok(outcome)
    }

    async fn differences(
        &mut self,
        tx: &mut PostgresTx,
        limit: u64,
    ) -> Result<Vec<Difference>, StoreError> {
        journal::differences(tx.connection()?, &self.target, self.job, limit).await
    }

    async fn note_keys(
        &mut self,
        tx: &mut PostgresTx,
        chunk: &Chunk,
        outcome: &mut ChunkOutcome,
    ) -> Result<(), StoreError> {
        let Some(lost_keys) = &self.lost_keys else { return Ok(()) };
        let note = chunk_keys::note(tx.backend(), self.job, &self.target, chunk);
        tx.run(&note, "note the keys of a chunk").await?;
        if self.has_triggers {
            let written = WrittenRecords::of(chunk, outcome, self.dry_run);
            outcome.lost_keys = lost_keys.count(tx.connection()?, chunk, &written).await?;
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
