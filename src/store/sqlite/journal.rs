//! The journal of an import that can be rolled back: each row that it changes as it was before and
//! after, stored with the row itself. Costs nothing where it was not asked for: then there is none.

use rusqlite::{CachedStatement, Connection};
use serde_json::Value;

use crate::domain::row_number::RowNumber;
use crate::store::chunk::target::quoted;
use crate::store::rollback::sqlite_values::of_row;
use crate::store::sqlite::sql::RowSql;

/// The statements of a chunk's journal.
pub(super) struct SqliteJournal<'t> {
    job: i64,
    read: CachedStatement<'t>,
    keep: CachedStatement<'t>,
}

impl<'t> SqliteJournal<'t> {
    pub(super) fn prepare(
        connection: &'t Connection,
        sql: &RowSql,
        job: i64,
    ) -> rusqlite::Result<Self> {
        let read = format!("SELECT * FROM {} WHERE rowid = ?", quoted(&sql.target.table));
        let keep = "INSERT INTO import_undo (import_log_id, \"row_number\", created, before_row, \
                    after_row) VALUES (?, ?, ?, ?, ?)";
        Ok(Self {
            job,
            read: connection.prepare_cached(&read)?,
            keep: connection.prepare_cached(keep)?,
        })
    }

    /// The row as it stands; `None` when it is not there.
    pub(super) fn image(&mut self, rowid: i64) -> rusqlite::Result<Option<Value>> {
        let mut found = self.read.query([rowid])?;
        found.next()?.map(|row| of_row(row)).transpose()
    }

    /// Keeps what became of a row, whatever triggers made of it; nothing when it is as it was.
    pub(super) fn keep(
        &mut self,
        row_number: RowNumber,
        rowid: i64,
        before: Option<&Value>,
    ) -> rusqlite::Result<()> {
        let Some(after) = self.image(rowid)? else { return Ok(()) };
        if before == Some(&after) {
            return Ok(());
        }
        let (created, before) = (before.is_none(), before.map(Value::to_string));
        self.keep.execute((self.job, row_number.get(), created, before, after.to_string()))?;
        Ok(())
    }
}
