//! The journal of an import that can be taken back: each row that it changes as it was before and
//! after, stored with the row itself. Costs nothing where it was not asked for: then there is none.

use rusqlite::{CachedStatement, Connection};

use super::image::{self, Image};
use crate::store::chunk::target::quoted;
use crate::store::sqlite::sql::RowSql;

/// The statements of a chunk's journal.
pub(in crate::store::sqlite) struct SqliteJournal<'t> {
    job: i64,
    read: CachedStatement<'t>,
    keep: CachedStatement<'t>,
}

impl<'t> SqliteJournal<'t> {
    pub(in crate::store::sqlite) fn prepare(
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
    pub(in crate::store::sqlite) fn image(
        &mut self,
        rowid: i64,
    ) -> rusqlite::Result<Option<Image>> {
        let mut found = self.read.query([rowid])?;
        found.next()?.map(|row| image::of_row(row, 0)).transpose()
    }

    /// Keeps what became of a row, whatever triggers made of it; nothing when it is as it was.
    pub(in crate::store::sqlite) fn keep(
        &mut self,
        row_number: u32,
        rowid: i64,
        before: Option<&Image>,
    ) -> rusqlite::Result<()> {
        let Some(after) = self.image(rowid)? else { return Ok(()) };
        if before == Some(&after) {
            return Ok(());
        }
        let text = |image: &Image| serde_json::to_string(image).unwrap_or_default();
        let (created, before) = (before.is_none(), before.map(text));
        self.keep.execute((self.job, row_number, created, before, text(&after)))?;
        Ok(())
    }
}
