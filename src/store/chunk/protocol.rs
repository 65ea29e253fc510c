//! How a chunk is committed, the same on every database: once, completely, and only by the owner of
//! its job. What the rows of the chunk become is the business of a [`RowWriter`].

use std::borrow::Cow;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, Statement};

use crate::domain::chunk::Chunk;
use crate::domain::difference::Difference;
use crate::domain::job::Job;
use crate::domain::row_number::RowNumber;
use crate::domain::warning::{WarningCode, Warnings};
use crate::faults::fault;
use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::ledger::ChunkLedger;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::writer::WriterSettings;
use crate::store::error::StoreError;
use crate::store::outbox::changes::ChangeNotes;

/// One transaction at a time, on one connection to one database.
#[async_trait]
pub(in crate::store) trait ChunkTx: Send {
    /// The SQL that [`run`](Self::run) and [`fence`](Self::fence) take.
    fn backend(&self) -> DbBackend;

    /// Begins a transaction; connects first if the connection was lost.
    async fn begin(&mut self) -> Result<(), StoreError>;

    /// Looks whether the chunk is committed, and asks for the time.
    async fn is_committed(&mut self, job: i64, chunk: u32) -> Result<CommitState, StoreError>;

    /// Runs a statement; answers how many rows it touched.
    async fn run(&mut self, statement: &Statement, action: &'static str)
    -> Result<u64, StoreError>;

    /// Runs the fence; `None` when the job has another owner or another status by now.
    async fn fence(&mut self, statement: &Statement) -> Result<Option<FencedJob>, StoreError>;

    /// Marks a place in the transaction, where the database can go back to one; the place before is
    /// forgotten.
    async fn mark(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Goes back to the marked place.
    async fn back_to_mark(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Commits the transaction.
    async fn commit(&mut self) -> Result<(), StoreError>;

    /// Ends the transaction without its changes. Without a commit nothing is written, so that there
    /// is no failure to speak of.
    async fn rollback(&mut self);
}

/// Whether a chunk is committed already.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum CommitState {
    /// An earlier commit, whose answer was lost, took effect.
    Committed,
    /// It is not, at this time by the database's clock.
    Open(DateTime<Utc>),
}

/// Writes the rows of chunks inside of transactions of `T`.
#[async_trait]
pub(in crate::store) trait RowWriter<T>: Send {
    /// Writes the rows of a chunk.
    async fn write(
        &mut self,
        tx: &mut T,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError>;

    /// What the rows that were just written change; empty unless they were written for their
    /// differences. At most `limit`, in the order of the file.
    async fn differences(
        &mut self,
        _tx: &mut T,
        _limit: u64,
    ) -> Result<Vec<Difference>, StoreError> {
        Ok(Vec::new())
    }

    /// Notes which keys of the table the rows of the chunk have, in the transaction that is committed.
    async fn note_keys(
        &mut self,
        _tx: &mut T,
        _chunk: &Chunk,
        _outcome: &mut ChunkOutcome,
    ) -> Result<(), StoreError> {
        Ok(())
    }

    /// What was written is committed.
    fn committed(&mut self) {}

    /// What was written is rolled back.
    fn rolled_back(&mut self) {}
}

/// How the rows of a chunk are written.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for on its own")]
pub(in crate::store) struct WriteOptions {
    /// The time of the chunk.
    pub(in crate::store) now: DateTime<Utc>,
    /// A row that the database refuses becomes a failed row. Without this it ends the attempt with
    /// [`WriteError::RowRefused`]: chunks without such a row are written faster so.
    pub(in crate::store) isolate_rows: bool,
    /// Ask the database for each record whether it was created or updated. Without this, an attempt
    /// that creates some records and leaves others ends with [`WriteError::OutcomesUnknown`]: chunks
    /// of one outcome are written faster so.
    pub(in crate::store) asks_outcomes: bool,
    /// Keep a journal of the rows that change, where the job has one.
    pub(in crate::store) journal: bool,
    /// The transaction has other chunks, and all of it is undone when a row fails: what a refused row
    /// left is undone with it.
    pub(in crate::store) whole_file: bool,
}

/// Why the rows of a chunk were not written.
#[derive(Debug)]
pub(in crate::store) enum WriteError {
    /// The database refused a row, or a record that a row names.
    RowRefused(StoreError),
    /// The records of the chunk had different outcomes, and which had which was not asked.
    OutcomesUnknown,
    /// Everything else.
    Failed(StoreError),
}

impl WriteError {
    /// A failure of a statement that writes rows, or what they name.
    pub(in crate::store) fn of_rows(error: StoreError) -> Self {
        if error.row_refusal().is_some() { Self::RowRefused(error) } else { Self::Failed(error) }
    }
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<WriteError> for StoreError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::RowRefused(error) | WriteError::Failed(error) => error,
            // An attempt that asks for outcomes knows them.
            WriteError::OutcomesUnknown => StoreError::WriterDied,
        }
    }
}

/// A connection, what writes its rows, and what it knows of the job.
pub(in crate::store) struct ChunkCommitter<T, W> {
    tx: T,
    rows: W,
    settings: WriterSettings,
    labels: RowLabels,
    /// Where somebody passes the records of the job on.
    notes: Option<ChangeNotes>,
    /// A chunk of the job had records of different outcomes.
    asks_outcomes: bool,
}

/// Rows of a chunk so small that to ask for their outcomes costs nothing.
const ASKED_ROWS: usize = 1_000;

impl<T: ChunkTx, W: RowWriter<T>> ChunkCommitter<T, W> {
    pub(in crate::store) fn new(
        tx: T,
        rows: W,
        settings: WriterSettings,
        notes: Option<ChangeNotes>,
    ) -> Self {
        let labels = RowLabels::new(&settings.dataset, &settings.plan);
        Self { tx, rows, settings, labels, notes, asks_outcomes: false }
    }

    /// What its transactions ran in.
    pub(in crate::store) fn into_tx(self) -> T {
        self.tx
    }

    /// Commits a chunk with everything that belongs to it. The job as it stands then; `None` when an
    /// earlier commit of the chunk took effect.
    pub(in crate::store) async fn commit_chunk(
        &mut self,
        chunk: &Chunk,
    ) -> Result<Option<Job>, StoreError> {
        let ended = match self.attempt(chunk, false).await {
            Err(WriteError::OutcomesUnknown) => {
                // The next chunks of a file are like this one.
                self.asks_outcomes = true;
                self.attempt(chunk, false).await
            }
            ended => ended,
        };
        match ended {
            Err(WriteError::RowRefused(_)) => Ok(self.attempt(chunk, true).await?),
            ended => Ok(ended?),
        }
    }

    async fn attempt(
        &mut self,
        chunk: &Chunk,
        isolate_rows: bool,
    ) -> Result<Option<Job>, WriteError> {
        let ended = self.transaction(chunk, isolate_rows).await;
        if matches!(ended, Ok(Some(_))) {
            self.rows.committed();
        } else {
            self.rows.rolled_back();
            self.tx.rollback().await;
        }
        ended
    }

    async fn transaction(
        &mut self,
        chunk: &Chunk,
        isolate_rows: bool,
    ) -> Result<Option<Job>, WriteError> {
        let job = self.settings.job.id;
        self.tx.begin().await?;
        fault!("chunk.begin", StoreError::busy().into());
        let state = self.tx.is_committed(job, chunk.number).await?;
        let CommitState::Open(now) = state else { return Ok(None) };
        let is_dry_run = self.settings.job.options.dry_run;
        let is_small = chunk.rows() < ASKED_ROWS;
        let asks_outcomes =
            isolate_rows || self.asks_outcomes || self.settings.every_row || is_small;
        let differences_left = self.settings.event_quota.differences_left();
        let options = WriteOptions {
            now,
            isolate_rows,
            asks_outcomes,
            journal: !is_dry_run || differences_left > 0,
            whole_file: false,
        };
        let mut outcome = self.rows.write(&mut self.tx, chunk, options).await?;
        fault!("chunk.rows", StoreError::busy().into());
        if is_dry_run {
            if options.journal {
                outcome.differences = self.rows.differences(&mut self.tx, differences_left).await?;
            }
            // Loadbay's own rows about the chunk are true all the same.
            self.rows.rolled_back();
            self.tx.rollback().await;
            self.tx.begin().await?;
        }
        self.rows.note_keys(&mut self.tx, chunk, &mut outcome).await?;
        let mut ledger =
            ChunkLedger::new(self.tx.backend(), now, &self.settings, &self.labels, chunk, &outcome);
        let notes = self.notes.as_ref();
        ledger.changes = notes.and_then(|it| it.of_chunk(self.tx.backend(), now, chunk, &outcome));
        let concluded = self.conclude(&mut ledger, chunk, &outcome, now).await;
        if !matches!(concluded, Ok(Some(_))) {
            self.settings.event_quota.give_back(&ledger.taken);
        }
        let Some(fenced) = concluded? else { return Ok(None) };
        self.settings.note_row_events(fenced.row_events);
        self.settings.failed_rows.committed(&outcome.failed);
        Ok(Some(fenced.show(&self.settings.job)?))
    }

    /// Stores Loadbay's own rows about the chunk and commits; `None` when an earlier commit of the
    /// chunk came to its end only now.
    async fn conclude(
        &mut self,
        ledger: &mut ChunkLedger,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
        now: DateTime<Utc>,
    ) -> Result<Option<FencedJob>, StoreError> {
        let Self { tx, settings, .. } = self;
        if !record(tx, ledger).await? {
            return Ok(None);
        }
        if !outcome.failed.is_empty() {
            let stored = settings.failed_rows.store(chunk.number, &outcome.failed).await;
            stored.map_err(StoreError::FailedRows)?;
            fault!("chunk.failed_rows", StoreError::busy());
            fault!("chunk.disk_full", StoreError::disk_full());
        }
        let warnings = warnings(settings, chunk, outcome);
        let rows = (chunk.first_row, chunk.last_row);
        // Late: it locks the job's row, which the writer of the other partition needs too.
        let mut fenced = add_to_job(tx, settings, ledger, (now, rows, &warnings)).await?;
        let new = &outcome.new_references;
        let new = fenced.add_new_references(tx.backend(), &settings.job, new)?;
        if let Some(statement) = new {
            tx.run(&statement, "store what rows would create").await?;
        }
        fault!("chunk.commit", StoreError::busy());
        tx.commit().await?;
        fault!("chunk.committed", StoreError::busy());
        Ok(Some(fenced))
    }
}

/// Stores the record of a chunk, and the outcomes of its rows; false when an earlier commit of the chunk
/// came to its end only now.
pub(in crate::store) async fn record(
    tx: &mut impl ChunkTx,
    ledger: &ChunkLedger,
) -> Result<bool, StoreError> {
    fault!("chunk.record", StoreError::busy());
    // First: where an earlier commit of the chunk is still on its way, this waits for it and meets it.
    if tx.run(&ledger.commit_record, "store the record of a commit").await? == 0 {
        return Ok(false);
    }
    for statement in &ledger.row_outcomes {
        tx.run(statement, "store the outcomes of rows").await?;
    }
    if let Some(changes) = &ledger.changes {
        tx.run(changes, "note the records that changed").await?;
    }
    Ok(true)
}

/// Adds a chunk that is recorded to its job, with its events and warnings; the job as it stands then.
/// Locks the job's row until the end of the transaction.
pub(in crate::store) async fn add_to_job(
    tx: &mut impl ChunkTx,
    settings: &WriterSettings,
    ledger: &mut ChunkLedger,
    (now, rows, warnings): (DateTime<Utc>, (RowNumber, RowNumber), &Warnings),
) -> Result<FencedJob, StoreError> {
    let fenced = tx.fence(&ledger.fence).await?;
    let mut fenced = fenced.ok_or(StoreError::LostLease { job: settings.job.id })?;
    let warnings = fenced.add_warnings(tx.backend(), &settings.job, warnings)?;
    if let Some(statement) = warnings {
        tx.run(&statement, "store the warnings of a chunk").await?;
    }
    for statement in ledger.events.after_fence(tx.backend(), now, rows, &fenced, settings) {
        tx.run(&statement, "store the events of a chunk").await?;
    }
    Ok(fenced)
}

/// What a person should see of the rows of a chunk, of which the database saw some first.
pub(in crate::store) fn warnings<'c>(
    settings: &WriterSettings,
    chunk: &'c Chunk,
    outcome: &ChunkOutcome,
) -> Cow<'c, Warnings> {
    if outcome.not_newer.is_empty() && outcome.lost_keys == 0 && outcome.not_removed.is_empty() {
        return Cow::Borrowed(&chunk.warnings);
    }
    let version = settings.dataset.version.and_then(|it| settings.dataset.columns.get(it));
    let column = version.map(|column| column.name.as_str());
    let mut warnings = chunk.warnings.clone();
    let mut rows: Vec<RowNumber> =
        outcome.not_newer.iter().map(|record| chunk.records.row_number(*record)).collect();
    rows.sort_unstable();
    for row_number in rows {
        warnings.add(WarningCode::NotNewer, column, Some(row_number), None);
    }
    for _ in 0..outcome.lost_keys {
        warnings.add(WarningCode::KeyUnknown, None, None, None);
    }
    for key in &outcome.not_removed {
        warnings.add(WarningCode::NotRemoved, None, None, Some(key));
    }
    Cow::Owned(warnings)
}
