//! Taking an import back on SQLite: the journal that the writer keeps, and the undoer that works it
//! off row by row, on a connection of its own.

mod image;
mod journal;
mod rows;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::Mutex;

pub(super) use journal::SqliteJournal;

use super::blocking_writer::BlockingWriter;
use super::sql::RowSql;
use super::{begin, conclude, is_committed, open_connection};
use crate::domain::chunk::Chunk;
use crate::domain::counts::Counts;
use crate::faults::fault;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings, Written};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::now_utc;
use crate::store::undo::Owned;

/// The connection, and what it knows of the job that is taken back.
pub(in crate::store) struct SqliteUndoer(BlockingWriter<SqliteRollback>);

struct SqliteRollback {
    connection: Connection,
    undone: i64,
    settings: WriterSettings,
    names: RowLabels,
    owned: Owned,
    sql: RowSql,
}

impl SqliteUndoer {
    pub(in crate::store) fn open(
        path: &Path,
        write_lock: Arc<Mutex<()>>,
        undone: i64,
        settings: WriterSettings,
        owned: Owned,
        target: Target,
    ) -> Result<Self, StoreError> {
        let connection = open_connection(path)?;
        let names = RowLabels::new(&settings.dataset, &settings.plan);
        let sql = RowSql::new(target);
        let inner = SqliteRollback { connection, undone, settings, names, owned, sql };
        Ok(Self(BlockingWriter::new(write_lock, inner)))
    }
}

#[async_trait]
impl ChunkWriter for SqliteUndoer {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Written, StoreError> {
        self.0.work(move |inner| inner.commit(&chunk)).await
    }
}

impl SqliteRollback {
    fn commit(&mut self, chunk: &Chunk) -> Result<Written, StoreError> {
        match self.try_commit(chunk, false)? {
            Some(written) => Ok(written),
            // As when rows are written: savepoints only where a row is refused.
            None => self.try_commit(chunk, true)?.ok_or(StoreError::WriterDied),
        }
    }

    /// One attempt; `careful` keeps the rows that the database refuses, without it nothing is
    /// answered when there is such a row.
    fn try_commit(
        &mut self,
        chunk: &Chunk,
        isolate_rows: bool,
    ) -> Result<Option<Written>, StoreError> {
        let Self { connection, undone, settings, names, owned, sql } = self;
        let transaction = begin(connection)?;
        fault!("chunk.begin", StoreError::busy());
        if is_committed(&transaction, settings.job.id, chunk.number)
            .context("look for the chunk")?
        {
            return Ok(Some(Written { counts: Counts::default(), already: true }));
        }
        let now = now_utc();
        let action = "take the rows of a chunk back";
        let mut undo = rows::RowRollback::prepare(&transaction, sql, owned, &settings.plan, now)
            .context("prepare the statements of a chunk")?;
        let is_done = undo.all(*undone, chunk, isolate_rows).context(action)?;
        let outcome = undo.outcome();
        if !is_done {
            return Ok(None);
        }
        fault!("chunk.rows", StoreError::busy());
        conclude(transaction, names, settings, chunk, &outcome, now)?;
        Ok(Some(Written { counts: outcome.counts, already: false }))
    }
}
