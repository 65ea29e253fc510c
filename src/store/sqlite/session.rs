//! The transactions of chunks on SQLite. Its functions block: they belong on a thread that may.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags};
use sea_orm::{DbBackend, Statement};

use super::bind::own_value;
use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::protocol::{ChunkTx, CommitState};
use crate::store::connection::idle_writers::IdleWriters;
use crate::store::dialect::now_utc;
use crate::store::error::{ErrorContext, StoreError};

/// How long a chunk waits for another program that has the file locked. Requests wait behind it, and it
/// is tried again.
const CHUNK_BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Nothing is made before the first statement.
const NO_TABLES: &[String] = &[];

/// A connection for one job, which the next one may have.
pub(in crate::store) struct SqliteTx {
    idle: IdleWriters<Connection>,
    pub(super) connection: Connection,
}

impl SqliteTx {
    pub(in crate::store) fn open(
        path: &Path,
        idle: IdleWriters<Connection>,
    ) -> Result<Self, StoreError> {
        if let Some(connection) = idle.take(NO_TABLES) {
            return Ok(Self { idle, connection });
        }
        let action = "open the database for a job";
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).context(action)?;
        prepare(&connection).context(action)?;
        Ok(Self { idle, connection })
    }

    /// Lets the connection rest for the next job: its cache of pages and its statements are warm.
    pub(super) fn rest(self) {
        if self.connection.is_autocommit() {
            self.idle.keep(NO_TABLES.to_vec(), self.connection);
        }
    }

    /// Prepares a statement that sea-orm built, with its values.
    fn bound(&self, statement: &Statement) -> rusqlite::Result<CachedStatement<'_>> {
        let mut prepared = self.connection.prepare_cached(&statement.sql)?;
        let values = statement.values.iter().flat_map(|values| &values.0);
        for (index, value) in values.enumerate() {
            prepared.raw_bind_parameter(index + 1, own_value(value))?;
        }
        Ok(prepared)
    }

    fn fenced(&self, statement: &Statement) -> rusqlite::Result<Option<FencedJob>> {
        let mut prepared = self.bound(statement)?;
        let mut rows = prepared.raw_query();
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(FencedJob {
            event_count: row.get("event_count")?,
            processed_rows: row.get("processed_rows")?,
            created_count: row.get("created_count")?,
            updated_count: row.get("updated_count")?,
            unchanged_count: row.get("unchanged_count")?,
            superseded_count: row.get("superseded_count")?,
            error_count: row.get("error_count")?,
            removed_count: row.get("removed_count")?,
            updated_at: stored_time(row.get_ref("updated_at")?)?,
            run_ms: row.get("run_ms")?,
            pace_rows: row.get("pace_rows")?,
            pace_ms: row.get("pace_ms")?,
            priority: row.get("priority")?,
            row_events: row.get("row_events")?,
            warnings: row.get("warnings")?,
            new_references: row.get("new_references")?,
        }))
    }
}

/// A time as `time_text` writes it.
fn stored_time(value: ValueRef<'_>) -> rusqlite::Result<DateTime<Utc>> {
    let text = value.as_str()?;
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|fault| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, fault.into()))
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(CHUNK_BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384;
         PRAGMA wal_autocheckpoint = 20000; PRAGMA temp_store = MEMORY;",
    )
}

#[async_trait]
impl ChunkTx for SqliteTx {
    fn backend(&self) -> DbBackend {
        DbBackend::Sqlite
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        // Takes the write lock at once: a read lock that is raised later can fail in the middle.
        self.connection.execute_batch("BEGIN IMMEDIATE").context("begin a chunk")
    }

    async fn is_committed(&mut self, job: i64, chunk: u32) -> Result<CommitState, StoreError> {
        let look = "SELECT 1 FROM import_chunks WHERE import_log_id = ?1 AND number = ?2";
        let found = self.connection.prepare_cached(look).and_then(|mut it| it.exists((job, chunk)));
        let is_committed = found.context("look for the chunk")?;
        Ok(if is_committed { CommitState::Committed } else { CommitState::Open(now_utc()) })
    }

    async fn run(
        &mut self,
        statement: &Statement,
        action: &'static str,
    ) -> Result<u64, StoreError> {
        let done = self.bound(statement).and_then(|mut it| it.raw_execute());
        done.map(|rows| rows as u64).context(action)
    }

    async fn fence(&mut self, statement: &Statement) -> Result<Option<FencedJob>, StoreError> {
        self.fenced(statement).context("add a chunk to its job")
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.execute_batch("COMMIT").context("commit a chunk")
    }

    async fn rollback(&mut self) {
        // On a full disk SQLite has rolled back by itself.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(event = "rollback_failed", %error, "SQLite did not roll a chunk back");
        }
    }
}
