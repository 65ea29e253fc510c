//! The journal of an import that can be rolled back: each row that it changes as it was before and
//! after, stored with the row itself. Costs nothing where it was not asked for: then there is none.

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection};
use sea_orm::DbBackend;
use serde_json::Value;

use crate::domain::difference::Difference;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::differences::{self, ChangedRow, ReferenceNames};
use crate::store::chunk::list_sql::image_columns;
use crate::store::chunk::target::{Target, quoted, quoted_table};
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
        let columns = image_columns(&sql.target, DbBackend::Sqlite);
        let table = quoted_table(&sql.target.table);
        let read = format!("SELECT {columns} FROM {table} t WHERE t.rowid = ?");
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

/// What the rows in the journal of the open transaction change.
pub(super) fn differences(
    connection: &Connection,
    target: &Target,
    job: i64,
    limit: u64,
) -> rusqlite::Result<Vec<Difference>> {
    let mut read = connection.prepare_cached(
        "SELECT \"row_number\", before_row, after_row FROM import_undo WHERE import_log_id = ? \
         ORDER BY 1 LIMIT ?",
    )?;
    let changed = |row: &rusqlite::Row<'_>| {
        let before: Option<String> = row.get(1)?;
        Ok(ChangedRow::new(row.get(0)?, before.as_deref(), &row.get::<_, String>(2)?))
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows: Vec<ChangedRow> =
        read.query_map((job, limit), changed)?.collect::<rusqlite::Result<_>>()?;
    let names = reference_names(connection, target, &rows)?;
    Ok(differences::differences(target, &rows, &names, true))
}

/// The names of the records that the rows refer to.
fn reference_names(
    connection: &Connection,
    target: &Target,
    rows: &[ChangedRow],
) -> rusqlite::Result<ReferenceNames> {
    let mut names = ReferenceNames::new();
    for (index, ids) in differences::referenced_ids(target, rows) {
        let Some(reference) = target.reference(index) else {
            continue;
        };
        let key = quoted(&reference.key);
        // An id is a blob whose hexadecimal digits the journal has, or a text.
        let select = format!(
            "SELECT {} FROM {} WHERE {key} = unhex(?1) OR {key} = ?1",
            reference.shown_sql(""),
            quoted_table(&reference.table)
        );
        let mut select = connection.prepare_cached(&select)?;
        for id in ids {
            let mut found = select.query([&id])?;
            if let Some(row) = found.next()?
                && row.get_ref(0)?.data_type() == Type::Text
            {
                names.insert((index, id), row.get(0)?);
            }
        }
    }
    Ok(names)
}
