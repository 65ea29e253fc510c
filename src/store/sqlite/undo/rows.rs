//! The rows of a chunk of a journal: what was created is deleted, what was updated gets its former
//! values back, and what changed since is kept.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection};

use super::image::{self, Image};
use crate::dataset::Plan;
use crate::domain::chunk::Chunk;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::target::{list, quoted};
use crate::store::sqlite::bind::time_text;
use crate::store::sqlite::refusal::{answer, is_fault_of_row};
use crate::store::sqlite::sql::RowSql;
use crate::store::undo::Owned;
use crate::store::undo::skipped::{SkipReason, named_fields, skipped_row};

/// Loadbay's own time in the table: it differs without any value being another.
const UPDATED_AT: &str = "updated_at";

/// A row of the journal.
struct JournalRow {
    row_number: u32,
    created: bool,
    before: Image,
    after: Image,
}

/// What a row came to.
enum RolledBackRow {
    Removed,
    PutBack,
    Unchanged,
    JournalRow(SkipReason),
}

/// The statements that take rows back.
pub(super) struct RowRollback<'t> {
    connection: &'t Connection,
    sql: &'t RowSql,
    owned: &'t Owned,
    plan: &'t Plan,
    now: String,
    find: CachedStatement<'t>,
    remove: CachedStatement<'t>,
    /// Deletes the records of a history that belong to a row.
    forget: Vec<CachedStatement<'t>>,
    update: Option<CachedStatement<'t>>,
    histories: Vec<(CachedStatement<'t>, CachedStatement<'t>)>,
    show: CachedStatement<'t>,
    show_former: CachedStatement<'t>,
    outcome: ChunkOutcome,
}

impl<'t> RowRollback<'t> {
    pub(super) fn prepare(
        connection: &'t Connection,
        sql: &'t RowSql,
        owned: &'t Owned,
        plan: &'t Plan,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Self> {
        let (target, table) = (&sql.target, quoted(&sql.target.table));
        let key = target.key.iter().map(|field| format!("{} = ?", target.field(*field)));
        let key = key.collect::<Vec<_>>().join(" AND ");
        let forget = |(table, owner): &(String, String)| {
            let sql = format!("DELETE FROM {} WHERE {} = ?", quoted(table), quoted(owner));
            connection.prepare_cached(&sql)
        };
        let histories = sql.histories.iter().map(|history| {
            let archive = connection.prepare_cached(&history.archive)?;
            Ok((archive, connection.prepare_cached(&history.insert)?))
        });
        let show =
            format!("SELECT {} FROM {table} t WHERE t.rowid = ?", list(named_fields(target)));
        let given = (0..target.fields.len()).map(|field| format!("? AS {}", target.field(field)));
        let show_former =
            format!("SELECT {} FROM (SELECT {}) t", list(named_fields(target)), list(given));
        Ok(Self {
            connection,
            sql,
            owned,
            plan,
            now: time_text(&now),
            find: connection
                .prepare_cached(&format!("SELECT rowid, * FROM {table} WHERE {key}"))?,
            remove: connection.prepare_cached(&format!("DELETE FROM {table} WHERE rowid = ?"))?,
            forget: owned.histories.iter().map(forget).collect::<rusqlite::Result<_>>()?,
            update: sql.update.as_deref().map(|sql| connection.prepare_cached(sql)).transpose()?,
            histories: histories.collect::<rusqlite::Result<_>>()?,
            show: connection.prepare_cached(&show)?,
            show_former: connection.prepare_cached(&show_former)?,
            outcome: ChunkOutcome::default(),
        })
    }

    /// What became of the rows.
    pub(super) fn outcome(self) -> ChunkOutcome {
        let mut outcome = self.outcome;
        outcome.counts.failed = outcome.failed.len() as u64;
        outcome
    }

    /// Takes back the rows of the job `undone` from the first to the last row of the chunk; false,
    /// in the middle of it, when the database refuses one and this is not the careful way.
    pub(super) fn all(
        &mut self,
        undone: i64,
        chunk: &Chunk,
        isolate_rows: bool,
    ) -> rusqlite::Result<bool> {
        let mut journal = self.connection.prepare_cached(
            "SELECT \"row_number\", created, before_row, after_row FROM import_undo \
             WHERE import_log_id = ? AND \"row_number\" BETWEEN ? AND ? ORDER BY \"row_number\"",
        )?;
        let mut rows = journal.query((undone, chunk.first_row, chunk.last_row))?;
        while let Some(row) = rows.next()? {
            let image = |index| {
                let text: Option<String> = row.get(index)?;
                let image = text.map(|text| serde_json::from_str(&text)).transpose();
                let unreadable = |fault: serde_json::Error| {
                    let kind = rusqlite::types::Type::Text;
                    rusqlite::Error::FromSqlConversionFailure(index, kind, fault.into())
                };
                image.map(Option::unwrap_or_default).map_err(unreadable)
            };
            let kept = JournalRow {
                row_number: row.get(0)?,
                created: row.get(1)?,
                before: image(2)?,
                after: image(3)?,
            };
            if !self.one(&kept, isolate_rows)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn one(&mut self, kept: &JournalRow, isolate_rows: bool) -> rusqlite::Result<bool> {
        let Some((rowid, now)) = self.current(kept)? else {
            if kept.created {
                self.outcome.counts.unchanged += 1;
            } else {
                let values = self.former(kept)?;
                self.keep(kept, &SkipReason::Gone, &values);
            }
            return Ok(true);
        };
        if isolate_rows {
            self.connection.execute_batch("SAVEPOINT one_row")?;
        }
        let fate = match self.take_back(kept, rowid, &now) {
            Err(error) if is_fault_of_row(&error) => RolledBackRow::JournalRow(refusal(&error)),
            fate => fate?,
        };
        let is_refused =
            matches!(&fate, RolledBackRow::JournalRow(why) if *why != SkipReason::Changed);
        if is_refused && !isolate_rows {
            return Ok(false);
        }
        if isolate_rows {
            if is_refused {
                self.connection.execute_batch("ROLLBACK TO one_row")?;
            }
            self.connection.execute_batch("RELEASE one_row")?;
        }
        match fate {
            RolledBackRow::Removed => self.outcome.counts.removed += 1,
            RolledBackRow::PutBack => self.outcome.counts.updated += 1,
            RolledBackRow::Unchanged => self.outcome.counts.unchanged += 1,
            RolledBackRow::JournalRow(why) => {
                let values = self.values(rowid)?;
                self.keep(kept, &why, &values);
            }
        }
        Ok(true)
    }

    fn keep(&mut self, kept: &JournalRow, why: &SkipReason, values: &[String]) {
        let row = skipped_row(&self.sql.target, self.plan, kept.row_number, why, values);
        self.outcome.failed.push(row);
    }

    /// The row that has the key now.
    fn current(&mut self, kept: &JournalRow) -> rusqlite::Result<Option<(i64, Image)>> {
        for (position, field) in self.sql.target.key.iter().enumerate() {
            let value = self.sql.target.fields.get(*field).and_then(|it| kept.after.get(&it.name));
            let value = image::to_sql(value.unwrap_or(&serde_json::Value::Null));
            self.find.raw_bind_parameter(position + 1, value)?;
        }
        let mut found = self.find.raw_query();
        let Some(row) = found.next()? else { return Ok(None) };
        Ok(Some((row.get(0)?, image::of_row(row, 1)?)))
    }

    fn take_back(
        &mut self,
        kept: &JournalRow,
        rowid: i64,
        now: &Image,
    ) -> rusqlite::Result<RolledBackRow> {
        if kept.created {
            return self.take_out(kept, rowid, now);
        }
        if self.is_same(now, &kept.before) {
            return Ok(RolledBackRow::Unchanged);
        }
        let is_another = self.owned.has_id && now.get("id") != kept.after.get("id");
        if is_another || !self.is_same(now, &kept.after) {
            return Ok(RolledBackRow::JournalRow(SkipReason::Changed));
        }
        self.put_back(kept, rowid, now)
    }

    /// True when the columns that the file fed hold the same.
    fn is_same(&self, a: &Image, b: &Image) -> bool {
        let target = &self.sql.target;
        let mut fed = target.payload().filter_map(|field| target.fields.get(field));
        fed.all(|field| a.get(&field.name) == b.get(&field.name))
    }

    /// Deletes a row that the import created, if it is what the import left.
    fn take_out(
        &mut self,
        kept: &JournalRow,
        rowid: i64,
        now: &Image,
    ) -> rusqlite::Result<RolledBackRow> {
        let own_time = |name: &str| self.sql.target.has_updated_at && name == UPDATED_AT;
        let is_same = now.len() == kept.after.len()
            && now
                .iter()
                .all(|(name, value)| own_time(name) || kept.after.get(name) == Some(value));
        if !is_same {
            return Ok(RolledBackRow::JournalRow(SkipReason::Changed));
        }
        for forget in &mut self.forget {
            forget.execute([rowid])?;
        }
        let removed = self.remove.execute([rowid])?;
        Ok(if removed == 0 {
            RolledBackRow::JournalRow(SkipReason::LeftOut)
        } else {
            RolledBackRow::Removed
        })
    }

    /// Gives a row its former values by the rules of an import: what was is archived.
    fn put_back(
        &mut self,
        kept: &JournalRow,
        rowid: i64,
        now: &Image,
    ) -> rusqlite::Result<RolledBackRow> {
        let Some(update) = &mut self.update else { return Ok(RolledBackRow::Unchanged) };
        let fields = &self.sql.target.fields;
        let former = |field: usize| {
            let name = fields.get(field).map_or("", |it| it.name.as_str());
            (kept.before.get(name), now.get(name))
        };
        let mut position = 0;
        for field in &self.sql.payload {
            position += 1;
            let value = former(*field).0.unwrap_or(&serde_json::Value::Null);
            update.raw_bind_parameter(position, image::to_sql(value))?;
        }
        if self.sql.target.has_updated_at {
            position += 1;
            update.raw_bind_parameter(position, self.now.as_str())?;
        }
        update.raw_bind_parameter(position + 1, rowid)?;
        if update.raw_execute()? == 0 {
            return Ok(RolledBackRow::JournalRow(SkipReason::LeftOut));
        }
        for ((archive, insert), history) in self.histories.iter_mut().zip(&self.sql.histories) {
            let differs = |field: &usize| {
                let (before, now) = former(*field);
                before != now
            };
            if history.fed.iter().any(differs) {
                archive.execute((&self.now, rowid))?;
                insert.execute((&self.now, rowid))?;
            }
        }
        Ok(RolledBackRow::PutBack)
    }

    /// The texts of a row that is kept, one for each field.
    fn values(&mut self, rowid: i64) -> rusqlite::Result<Vec<String>> {
        let count = self.sql.target.fields.len();
        texts(self.show.query([rowid])?, count)
    }

    /// The same of a row that is gone, as it would be put back.
    fn former(&mut self, kept: &JournalRow) -> rusqlite::Result<Vec<String>> {
        let target = &self.sql.target;
        for (position, field) in target.fields.iter().enumerate() {
            let image = if target.key.contains(&position) { &kept.after } else { &kept.before };
            let value = image.get(&field.name).unwrap_or(&serde_json::Value::Null);
            self.show_former.raw_bind_parameter(position + 1, image::to_sql(value))?;
        }
        texts(self.show_former.raw_query(), target.fields.len())
    }
}

fn texts(mut found: rusqlite::Rows<'_>, count: usize) -> rusqlite::Result<Vec<String>> {
    let Some(row) = found.next()? else { return Ok(vec![String::new(); count]) };
    (0..count).map(|index| Ok(image::text_of(row.get_ref(index)?))).collect()
}

fn refusal(error: &rusqlite::Error) -> SkipReason {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => SkipReason::Constraint(answer(error)),
        _ => SkipReason::Refused(answer(error)),
    }
}
