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

pub(super) use journal::Journal;

use super::lent::Lent;
use super::sql::Statements;
use super::{begin, conclude, is_committed, open_connection};
use crate::domain::chunk::Chunk;
use crate::domain::counts::Counts;
use crate::faults::fault;
use crate::store::error::{Doing, StoreError};
use crate::store::notes::RowNames;
use crate::store::stored::now_utc;
use crate::store::target::Target;
use crate::store::undo::Owned;
use crate::store::writer::{ChunkWriter, WriterSettings, Written};

/// The connection, and what it knows of the job that is taken back.
pub(in crate::store) struct SqliteUndoer(Lent<Inner>);

struct Inner {
    connection: Connection,
    undone: i64,
    settings: WriterSettings,
    names: RowNames,
    owned: Owned,
    sql: Statements,
}

impl SqliteUndoer {
    pub(in crate::store) fn open(
        path: &Path,
        gate: Arc<Mutex<()>>,
        undone: i64,
        settings: WriterSettings,
        owned: Owned,
        target: Target,
    ) -> Result<Self, StoreError> {
        let connection = open_connection(path)?;
        let names = RowNames::new(&settings.dataset, &settings.plan);
        let sql = Statements::new(target);
        let inner = Inner { connection, undone, settings, names, owned, sql };
        Ok(Self(Lent::new(gate, inner)))
    }
}

#[async_trait]
impl ChunkWriter for SqliteUndoer {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Written, StoreError> {
        self.0.work(move |inner| inner.commit(&chunk)).await
    }
}

impl Inner {
    fn commit(&mut self, chunk: &Chunk) -> Result<Written, StoreError> {
        match self.try_commit(chunk, false)? {
            Some(written) => Ok(written),
            // As when rows are written: savepoints only where a row is refused.
            None => self.try_commit(chunk, true)?.ok_or(StoreError::WriterDied),
        }
    }

    /// One attempt; `careful` keeps the rows that the database refuses, without it nothing is
    /// answered when there is such a row.
    fn try_commit(&mut self, chunk: &Chunk, careful: bool) -> Result<Option<Written>, StoreError> {
        let Self { connection, undone, settings, names, owned, sql } = self;
        let transaction = begin(connection)?;
        fault!("chunk.begin", StoreError::busy());
        if is_committed(&transaction, settings.job.id, chunk.number).doing("look for the chunk")? {
            return Ok(Some(Written { counts: Counts::default(), already: true }));
        }
        let now = now_utc();
        let doing = "take the rows of a chunk back";
        let mut undo = rows::Undo::prepare(&transaction, sql, owned, &settings.plan, now)
            .doing("prepare the statements of a chunk")?;
        let is_done = undo.all(*undone, chunk, careful).doing(doing)?;
        let outcome = undo.outcome();
        if !is_done {
            return Ok(None);
        }
        fault!("chunk.rows", StoreError::busy());
        conclude(transaction, names, settings, chunk, &outcome, now)?;
        Ok(Some(Written { counts: outcome.counts, already: false }))
    }
}
