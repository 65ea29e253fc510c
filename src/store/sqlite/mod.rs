//! The chunk writer of SQLite: rusqlite on a connection of its own, prepared statements stepped row
//! by row. It links the same SQLite as sea-orm does and was measured to be several times faster
//! than any way through a pool.

mod bind;
mod blocking_writer;
mod merge;
mod references;
mod refusal;
mod sql;
mod undo;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, OpenFlags, Transaction, TransactionBehavior};
use sea_orm::{DbBackend, Statement};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

pub(super) use undo::SqliteUndoer;

use blocking_writer::BlockingWriter;

use crate::domain::chunk::Chunk;
use crate::domain::counts::Counts;
use crate::faults::fault;
use crate::store::chunk::events::Fenced;
use crate::store::chunk::ledger::{ChunkLedger, ChunkOutcome};
use crate::store::chunk::references::References;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::rows::complete;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings, Written};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::{now_utc, unsigned};

/// The connection, and what it knows of the job.
pub(super) struct SqliteWriter(BlockingWriter<SqliteImport>);

struct SqliteImport {
    connection: Connection,
    settings: WriterSettings,
    names: RowLabels,
    references: References,
    sql: sql::RowSql,
}

impl SqliteWriter {
    pub(super) fn open(
        path: &Path,
        write_lock: Arc<Mutex<()>>,
        settings: WriterSettings,
        target: Target,
    ) -> Result<Self, StoreError> {
        let connection = open_connection(path)?;
        let mut references = References::new(&target);
        references::load(&connection, &mut references)
            .context("read the names of the references")?;
        let sql = sql::RowSql::new(target);
        let names = RowLabels::new(&settings.dataset, &settings.plan);
        let inner = SqliteImport { connection, settings, names, references, sql };
        Ok(Self(BlockingWriter::new(write_lock, inner)))
    }
}

/// A connection for one job.
fn open_connection(path: &Path) -> Result<Connection, StoreError> {
    let action = "open the database for a job";
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).context(action)?;
    prepare(&connection).context(action)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 20000; PRAGMA temp_store = MEMORY;",
    )
}

#[async_trait]
impl ChunkWriter for SqliteWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Written, StoreError> {
        self.0.work(move |inner| inner.commit(&chunk)).await
    }
}

impl SqliteImport {
    fn commit(&mut self, chunk: &Chunk) -> Result<Written, StoreError> {
        let mut written = self.try_commit(chunk, false);
        if let Err(error) = &written
            && refusal::is_fault_of_chunk(error)
        {
            // The common case goes without savepoints: under one SQLite keeps a copy of every page
            // that every statement touches, which was measured to cost many times the statement.
            self.references.forget();
            written = self.try_commit(chunk, true);
        }
        match &written {
            Ok(_) if !self.settings.job.options.dry_run => self.references.settle(),
            _ => self.references.forget(),
        }
        written
    }

    /// One attempt; `careful` looks for the rows that the database refuses.
    fn try_commit(&mut self, chunk: &Chunk, isolate_rows: bool) -> Result<Written, StoreError> {
        let Self { connection, settings, names, references, sql } = self;
        let job = &settings.job;
        let mut transaction = begin(connection)?;
        fault!("chunk.begin", StoreError::busy());
        if is_committed(&transaction, job.id, chunk.number).context("look for the chunk")? {
            return Ok(Written { counts: Counts::default(), already: true });
        }
        let now = now_utc();
        let undo = job.options.undo && !job.options.dry_run;
        let journal = undo.then_some(job.id);
        let way = merge::WriteOptions { isolate_rows, every_row: settings.every_row, journal };
        let mut outcome = merge::rows(&transaction, sql, references, chunk, now, way)?;
        fault!("chunk.rows", StoreError::busy());
        outcome.references = references.take_created(job.options.dry_run);
        if job.options.dry_run {
            transaction.rollback().context("undo a dry run")?;
            transaction = begin(connection)?;
        }
        complete(&mut outcome, chunk);
        conclude(transaction, names, settings, chunk, &outcome, now)?;
        Ok(Written { counts: outcome.counts, already: false })
    }
}

/// Stores the accounts of a chunk, puts its failed rows aside and commits.
fn conclude(
    transaction: Transaction<'_>,
    names: &RowLabels,
    settings: &mut WriterSettings,
    chunk: &Chunk,
    outcome: &ChunkOutcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut ledger = ChunkLedger::new(DbBackend::Sqlite, now, settings, names, chunk, outcome);
    let ended = close(&transaction, &mut ledger, chunk, now, outcome, settings)
        .and_then(|fenced| commit(transaction).map(|()| fenced));
    ledger.finish(ended, settings)
}

/// Takes the write lock at once: a read lock that is raised later can fail in the middle.
fn begin(connection: &Connection) -> Result<Transaction<'_>, StoreError> {
    Transaction::new_unchecked(connection, TransactionBehavior::Immediate).context("begin a chunk")
}

fn commit(transaction: Transaction<'_>) -> Result<(), StoreError> {
    fault!("chunk.commit", StoreError::busy());
    transaction.commit().context("commit a chunk")?;
    fault!("chunk.committed", StoreError::busy());
    Ok(())
}

fn is_committed(transaction: &Transaction<'_>, job: i64, number: u32) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached("SELECT 1 FROM import_chunks WHERE import_log_id = ?1 AND number = ?2")?
        .exists((job, number))
}

fn close(
    transaction: &Transaction<'_>,
    ledger: &mut ChunkLedger,
    chunk: &Chunk,
    now: DateTime<Utc>,
    outcome: &ChunkOutcome,
    settings: &WriterSettings,
) -> Result<Fenced, StoreError> {
    fault!("chunk.proof", StoreError::busy());
    run(transaction, &ledger.commit_record).context("store the proof of a chunk")?;
    for note in &ledger.notes {
        run(transaction, note).context("store the notes on a chunk")?;
    }
    let fenced = fence(transaction, &ledger.fence).context("add a chunk to its job")?;
    let fenced = fenced.ok_or(StoreError::LostLease { job: settings.job.id })?;
    for statement in ledger.events.after_fence(DbBackend::Sqlite, now, chunk, fenced, settings) {
        run(transaction, &statement).context("tell what became of a chunk")?;
    }
    if !outcome.failed.is_empty() {
        // This thread may block; the runtime's others do the work.
        Handle::current()
            .block_on(settings.keep_failed.keep(chunk.number, &outcome.failed))
            .map_err(StoreError::FailedRows)?;
        fault!("chunk.kept", StoreError::busy());
        fault!("chunk.room", StoreError::no_room());
    }
    Ok(fenced)
}

/// Runs the fence; nothing when the job is no longer ours.
fn fence(transaction: &Transaction<'_>, fence: &Statement) -> rusqlite::Result<Option<Fenced>> {
    let mut prepared = bound(transaction, fence)?;
    let mut rows = prepared.raw_query();
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Fenced {
        event_count: unsigned(row.get(0)?),
        processed: unsigned(row.get(1)?),
        row_events: row.get(2)?,
    }))
}

fn run(transaction: &Transaction<'_>, statement: &Statement) -> rusqlite::Result<usize> {
    bound(transaction, statement)?.raw_execute()
}

/// Prepares a statement that sea-orm built, with its values.
fn bound<'t>(
    transaction: &'t Transaction<'_>,
    statement: &Statement,
) -> rusqlite::Result<CachedStatement<'t>> {
    let mut prepared = transaction.prepare_cached(&statement.sql)?;
    let values = statement.values.iter().flat_map(|values| &values.0);
    for (index, value) in values.enumerate() {
        prepared.raw_bind_parameter(index + 1, bind::own_value(value))?;
    }
    Ok(prepared)
}
