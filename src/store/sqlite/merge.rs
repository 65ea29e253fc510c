//! The rows of a chunk into the table: look the key up, compare, insert or update, keep history.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection};

use super::bind::{bind, bind_id, same, same_id, time_text};
use super::references;
use super::sql::Statements;
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::options::Mode;
use crate::domain::record::Value;
use crate::domain::row_error::RowCode;
use crate::store::accounts::Outcome;
use crate::store::error::{Doing, StoreError};
use crate::store::references::References;
use crate::store::rows;
use crate::store::target::Target;

/// Writes the records of a chunk. Rows that the database refuses become failed rows: the chunk is
/// then written once more, row by row under savepoints, which costs nothing in the common case.
pub(super) fn rows(
    transaction: &Connection,
    sql: &Statements,
    target: &Target,
    references: &mut References,
    chunk: &Chunk,
    now: DateTime<Utc>,
) -> Result<Outcome, StoreError> {
    let order = rows::in_key_order(&chunk.records, &target.key);
    let mut write = |careful: bool| -> rusqlite::Result<Outcome> {
        if careful {
            // They were rolled back with the rows.
            references.forget();
        }
        references::create(transaction, references, chunk, now, careful)?;
        let mut merge = Merge::prepare(transaction, sql, target, references, chunk, now)?;
        merge.all(&order, careful)?;
        Ok(merge.outcome)
    };
    match write(false) {
        Err(error) if is_fault_of_row(&error) => {
            transaction.execute_batch("ROLLBACK TO rows").doing("undo a refused row")?;
        }
        written => return written.doing("write the rows of a chunk"),
    }
    write(true).doing("write the rows of a chunk one by one")
}

/// What a row came to.
enum Fate {
    Created,
    Updated,
    Unchanged,
    Failed(Box<FailedRow>),
}

struct Merge<'t> {
    transaction: &'t Connection,
    sql: &'t Statements,
    target: &'t Target,
    references: &'t References,
    chunk: &'t Chunk,
    now: String,
    find: CachedStatement<'t>,
    insert: CachedStatement<'t>,
    update: Option<CachedStatement<'t>>,
    histories: Vec<(CachedStatement<'t>, CachedStatement<'t>)>,
    /// Record values in which the row at hand differs from what is stored.
    differs: Vec<usize>,
    outcome: Outcome,
}

impl<'t> Merge<'t> {
    fn prepare(
        transaction: &'t Connection,
        sql: &'t Statements,
        target: &'t Target,
        references: &'t References,
        chunk: &'t Chunk,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Self> {
        let histories = sql
            .histories
            .iter()
            .map(|history| {
                Ok((
                    transaction.prepare_cached(&history.archive)?,
                    transaction.prepare_cached(&history.insert)?,
                ))
            })
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            transaction,
            sql,
            target,
            references,
            chunk,
            now: time_text(&now),
            find: transaction.prepare_cached(&sql.find)?,
            insert: transaction.prepare_cached(&sql.insert)?,
            update: sql.update.as_deref().map(|sql| transaction.prepare_cached(sql)).transpose()?,
            histories,
            differs: Vec::new(),
            outcome: Outcome::default(),
        })
    }

    fn all(&mut self, order: &[usize], careful: bool) -> rusqlite::Result<()> {
        for record in order {
            let fate = if careful { self.row_with_savepoint(*record)? } else { self.row(*record)? };
            match fate {
                Fate::Created => self.outcome.counts.created += 1,
                Fate::Updated => self.outcome.counts.updated += 1,
                Fate::Unchanged => self.outcome.counts.unchanged += 1,
                Fate::Failed(row) => self.outcome.failed.push(*row),
            }
        }
        Ok(())
    }

    fn row_with_savepoint(&mut self, record: usize) -> rusqlite::Result<Fate> {
        self.transaction.execute_batch("SAVEPOINT one_row")?;
        let fate = match self.row(record) {
            Err(error) if is_fault_of_row(&error) => {
                self.transaction.execute_batch("ROLLBACK TO one_row")?;
                Fate::Failed(Box::new(refused(self.chunk, record, &error)))
            }
            other => other?,
        };
        self.transaction.execute_batch("RELEASE one_row")?;
        Ok(fate)
    }

    fn row(&mut self, record: usize) -> rusqlite::Result<Fate> {
        let unknown = rows::unknown_reference(self.target, self.references, self.chunk, record);
        if let Some(row) = unknown {
            return Ok(Fate::Failed(Box::new(row)));
        }
        let (target, records) = (self.target, &self.chunk.records);
        for (position, field) in target.key.iter().enumerate() {
            let kind = target.fields.get(*field).map(|field| field.kind);
            if let Some(kind) = kind {
                bind(&mut self.find, position + 1, records.value(record, *field), kind)?;
            }
        }
        let mut found = self.find.raw_query();
        let Some(row) = found.next()? else {
            drop(found);
            if target.mode == Mode::Update {
                return Ok(self.fail(record, rows::not_found));
            }
            return self.create(record);
        };
        if target.mode == Mode::Insert {
            drop(found);
            return Ok(self.fail(record, rows::already_exists));
        }
        let rowid: i64 = row.get(0)?;
        self.differs.clear();
        for (position, field) in self.sql.payload.iter().enumerate() {
            let value = records.value(record, *field);
            if value == Value::Null && target.keep_blank {
                continue;
            }
            if !is_stored(target, self.references, *field, row.get_ref(position + 1)?, value) {
                self.differs.push(*field);
            }
        }
        drop(found);
        if self.differs.is_empty() {
            return Ok(Fate::Unchanged);
        }
        self.change(record, rowid)?;
        Ok(Fate::Updated)
    }

    fn fail(&self, record: usize, why: fn(&Chunk, usize, &str, &str) -> FailedRow) -> Fate {
        let column = self.target.key.first().and_then(|key| self.target.fields.get(*key));
        let column = column.map_or("", |field| field.column.as_str());
        let key = rows::key_text(&self.chunk.records, record, &self.target.key);
        Fate::Failed(Box::new(why(self.chunk, record, column, &key)))
    }

    fn create(&mut self, record: usize) -> rusqlite::Result<Fate> {
        let mut position = 0;
        for field in 0..self.target.fields.len() {
            position += 1;
            bind_field(
                &mut self.insert,
                position,
                self.target,
                self.references,
                self.chunk,
                record,
                field,
            )?;
        }
        for has in [self.target.has_created_at, self.target.has_updated_at] {
            if has {
                position += 1;
                self.insert.raw_bind_parameter(position, self.now.as_str())?;
            }
        }
        if self.insert.raw_execute()? == 0 {
            // Without a new record there is nothing that a history could belong to.
            let message = "a trigger of the table left the row out".to_owned();
            let code = RowCode::RefusedByDatabase;
            let row = rows::refused(self.chunk, record, code, None, message, None);
            return Ok(Fate::Failed(Box::new(row)));
        }
        let owner = self.transaction.last_insert_rowid();
        for ((_, insert), history) in self.histories.iter_mut().zip(&self.sql.histories) {
            let records = &self.chunk.records;
            if history.fed.iter().any(|field| records.value(record, *field) != Value::Null) {
                insert.execute((&self.now, owner))?;
            }
        }
        Ok(Fate::Created)
    }

    fn change(&mut self, record: usize, rowid: i64) -> rusqlite::Result<()> {
        let Some(update) = &mut self.update else { return Ok(()) };
        let mut position = 0;
        for field in &self.sql.payload {
            position += 1;
            bind_field(update, position, self.target, self.references, self.chunk, record, *field)?;
        }
        if self.target.has_updated_at {
            position += 1;
            update.raw_bind_parameter(position, self.now.as_str())?;
        }
        update.raw_bind_parameter(position + 1, rowid)?;
        update.raw_execute()?;
        for ((archive, insert), history) in self.histories.iter_mut().zip(&self.sql.histories) {
            if history.fed.iter().any(|field| self.differs.contains(field)) {
                archive.execute((&self.now, rowid))?;
                insert.execute((&self.now, rowid))?;
            }
        }
        Ok(())
    }
}

fn bind_field(
    statement: &mut CachedStatement<'_>,
    position: usize,
    target: &Target,
    references: &References,
    chunk: &Chunk,
    record: usize,
    index: usize,
) -> rusqlite::Result<()> {
    let value = chunk.records.value(record, index);
    match (target.fields.get(index), value) {
        (Some(field), Value::Text(name)) if field.reference.is_some() => {
            bind_id(statement, position, references.id(index, name))
        }
        (Some(field), value) => bind(statement, position, value, field.kind),
        (None, _) => Ok(()),
    }
}

fn is_stored(
    target: &Target,
    references: &References,
    index: usize,
    stored: rusqlite::types::ValueRef<'_>,
    value: Value<'_>,
) -> bool {
    match (target.fields.get(index), value) {
        (Some(field), Value::Text(name)) if field.reference.is_some() => {
            same_id(stored, references.id(index, name))
        }
        (Some(field), value) => same(stored, value, field.kind),
        (None, _) => true,
    }
}

/// True when the statement failed because of the row's values, not because of the database.
pub(super) fn is_fault_of_row(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch))
}

fn refused(chunk: &Chunk, record: usize, error: &rusqlite::Error) -> FailedRow {
    let code = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => RowCode::ConstraintViolated,
        _ => RowCode::RefusedByDatabase,
    };
    let message = format!("the database refused the row: {}", answer(error));
    rows::refused(chunk, record, code, None, message, None)
}

/// What the database said.
pub(super) fn answer(error: &rusqlite::Error) -> String {
    if let rusqlite::Error::SqliteFailure(_, Some(text)) = error {
        return text.clone();
    }
    error.to_string()
}
