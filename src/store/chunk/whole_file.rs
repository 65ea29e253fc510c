//! A file that is imported as a whole or not at all: its chunks are one transaction. The row of the job is
//! locked only at its end, so that the lease can be renewed and the job cancelled meanwhile.

use chrono::{DateTime, Utc};
use sea_orm::DbBackend;

use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::row_number::RowNumber;
use crate::domain::warning::Warnings;
use crate::faults::fault;
use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::ledger::ChunkLedger;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{
    ChunkTx, CommitState, RowWriter, WriteError, WriteOptions, add_to_job, record, warnings,
};
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::writer::WriterSettings;
use crate::store::error::StoreError;
use crate::store::outbox::changes::ChangeNotes;

/// Rows of a file whose events of every row are kept until its transaction ends. Larger ones have as many
/// as are stored of any job.
const EVERY_ROW_MAX: u64 = 50_000;

/// The transaction of a file.
pub(in crate::store) struct FileTransaction<T, W> {
    tx: T,
    rows: W,
    settings: WriterSettings,
    labels: RowLabels,
    /// Where somebody passes the records of the job on.
    notes: Option<ChangeNotes>,
    /// The time of all chunks; `None` before the first.
    began: Option<DateTime<Utc>>,
    /// A chunk had records of different outcomes.
    asks_outcomes: bool,
    /// What the end adds to the job: of all chunks, or once a row has failed of those with such rows.
    chunks: Vec<WrittenChunk>,
    failed: u64,
}

/// A chunk whose rows are written.
struct WrittenChunk {
    ledger: ChunkLedger,
    rows: (RowNumber, RowNumber),
    warnings: Warnings,
}

impl<T: ChunkTx, W: RowWriter<T>> FileTransaction<T, W> {
    pub(in crate::store) fn new(
        tx: T,
        rows: W,
        mut settings: WriterSettings,
        notes: Option<ChangeNotes>,
    ) -> Self {
        settings.every_row &= settings.job.total_rows.is_some_and(|rows| rows <= EVERY_ROW_MAX);
        let labels = RowLabels::new(&settings.dataset, &settings.plan);
        let (began, asks_outcomes, chunks, failed) = (None, false, Vec::new(), 0);
        Self { tx, rows, settings, labels, notes, began, asks_outcomes, chunks, failed }
    }

    /// Writes the rows of a chunk; answers how many rows have failed so far.
    pub(in crate::store) async fn add(&mut self, chunk: &Chunk) -> Result<u64, StoreError> {
        let now = match self.began {
            Some(now) => now,
            None => self.begin(chunk.number).await?,
        };
        let outcome = self.write(chunk, now).await?;
        fault!("whole_file.rows", StoreError::busy());
        self.rows.committed();
        if !outcome.failed.is_empty() {
            self.keep_failed(chunk, outcome, now).await?;
        } else if self.failed == 0 {
            self.keep(chunk, &outcome, now).await?;
        }
        Ok(self.failed)
    }

    async fn begin(&mut self, chunk: u32) -> Result<DateTime<Utc>, StoreError> {
        self.tx.begin().await?;
        let job = self.settings.job.id;
        match self.tx.is_committed(job, chunk).await? {
            CommitState::Open(now) => Ok(*self.began.insert(now)),
            // An owner that lost the job came to its end all the same.
            CommitState::Committed => Err(StoreError::LostLease { job }),
        }
    }

    async fn write(
        &mut self,
        chunk: &Chunk,
        now: DateTime<Utc>,
    ) -> Result<ChunkOutcome, StoreError> {
        // SQLite goes on behind a refused row; PostgreSQL must go back first.
        let mut isolate_rows = self.tx.backend() == DbBackend::Sqlite;
        loop {
            self.tx.mark().await?;
            let asks_outcomes = isolate_rows || self.asks_outcomes || self.settings.every_row;
            let journal = true;
            let options =
                WriteOptions { now, isolate_rows, asks_outcomes, journal, whole_file: true };
            match self.rows.write(&mut self.tx, chunk, options).await {
                Ok(outcome) => return Ok(outcome),
                Err(WriteError::OutcomesUnknown) if !asks_outcomes => self.asks_outcomes = true,
                Err(WriteError::RowRefused(_)) if !isolate_rows => isolate_rows = true,
                Err(error) => return Err(error.into()),
            }
            self.rows.rolled_back();
            self.tx.back_to_mark().await?;
        }
    }

    /// Stores what is known of a chunk behind its rows.
    async fn keep(
        &mut self,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut ledger = self.ledger(chunk, outcome, now);
        let notes = self.notes.as_ref();
        ledger.changes = notes.and_then(|it| it.of_chunk(self.tx.backend(), now, chunk, outcome));
        if !record(&mut self.tx, &ledger).await? {
            return Err(StoreError::LostLease { job: self.settings.job.id });
        }
        ledger.row_outcomes = Vec::new();
        ledger.changes = None;
        let warnings = warnings(&self.settings, chunk, outcome).into_owned();
        self.chunks.push(WrittenChunk {
            ledger,
            rows: (chunk.first_row, chunk.last_row),
            warnings,
        });
        Ok(())
    }

    /// Keeps what is to be said of the failed rows of a chunk. Their cells are not kept: there may be
    /// many.
    async fn keep_failed(
        &mut self,
        chunk: &Chunk,
        outcome: ChunkOutcome,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if self.failed == 0 {
            // Nothing of these will be there.
            for written in self.chunks.drain(..) {
                self.settings.event_quota.give_back(&written.ledger.taken);
            }
        }
        let sink = &self.settings.failed_rows;
        let stored = sink.store(chunk.number, &outcome.failed).await;
        stored.map_err(StoreError::FailedRows)?;
        sink.committed(&outcome.failed);
        self.failed += outcome.failed.len() as u64;
        let (chunk, outcome) = (chunk.undone(), outcome.undone());
        let ledger = self.ledger(&chunk, &outcome, now);
        let rows = (chunk.first_row, chunk.last_row);
        self.chunks.push(WrittenChunk { ledger, rows, warnings: Warnings::default() });
        Ok(())
    }

    fn ledger(&self, chunk: &Chunk, outcome: &ChunkOutcome, now: DateTime<Utc>) -> ChunkLedger {
        let backend = self.tx.backend();
        ChunkLedger::new(backend, now, &self.settings, &self.labels, chunk, outcome)
    }

    /// Commits the file, or what is known of its failed rows.
    pub(in crate::store) async fn finish(&mut self) -> Result<Option<Job>, StoreError> {
        let Some(now) = self.began.take() else { return Ok(None) };
        let mut chunks = std::mem::take(&mut self.chunks);
        if self.failed > 0 {
            self.rows.rolled_back();
            self.tx.rollback().await;
            self.tx.begin().await?;
            for written in &chunks {
                if !record(&mut self.tx, &written.ledger).await? {
                    return Err(StoreError::LostLease { job: self.settings.job.id });
                }
            }
        }
        let mut last: Option<FencedJob> = None;
        for written in &mut chunks {
            let WrittenChunk { ledger, rows, warnings } = written;
            let added = add_to_job(&mut self.tx, &self.settings, ledger, (now, *rows, warnings));
            last = Some(added.await?);
        }
        fault!("whole_file.commit", StoreError::busy());
        self.tx.commit().await?;
        fault!("whole_file.committed", StoreError::busy());
        last.map(|fenced| fenced.show(&self.settings.job)).transpose()
    }
}
