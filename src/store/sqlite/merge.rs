//! The rows of a chunk into the table: look the key up, compare, insert or update, keep history.

use rusqlite::{CachedStatement, Connection};

use super::bind::{BoundValue, time_text};
use super::journal::SqliteJournal;
use super::lists::SqliteLists;
use super::sql::RowSql;
use super::{SqliteRows, references};
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::event::RowEventKind;
use crate::domain::new_reference::NewReferences;
use crate::domain::options::Mode;
use crate::domain::record::Value;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{WriteError, WriteOptions};
use crate::store::chunk::references::{ChunkReferences, References};
use crate::store::chunk::rows;
use crate::store::chunk::target::Target;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::refusal::RowRefusal;

impl SqliteRows {
    /// Writes the records of a chunk inside the open transaction.
    pub(super) fn rows(
        &mut self,
        connection: &Connection,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let Self { sql, references, keeps_journal, job, dry_run, .. } = self;
        let mut named = ChunkReferences::new(&sql.target, references, &chunk.records);
        references::create(connection, references, &mut named, options).map_err(not_written)?;
        let new_references = if *dry_run {
            references.named_anew(&named, &chunk.records)
        } else {
            NewReferences::default()
        };
        let order = rows::in_key_order(&chunk.records, &sql.target.key);
        let target = &sql.target;
        let is_all_known = named.are_all_known();
        let source = RowValues { target, references, named: &named, is_all_known, chunk };
        let mut merge = RowMerge::prepare(connection, sql, source, options)
            .context("prepare the statements of a chunk")?;
        if *keeps_journal && options.journal {
            let journal = SqliteJournal::prepare(connection, sql, *job);
            merge.journal = Some(journal.context("prepare the journal of a chunk")?);
        }
        merge.all(&order, options).map_err(not_written)?;
        Ok(ChunkOutcome { new_references, ..merge.outcome })
    }
}

fn not_written(source: rusqlite::Error) -> WriteError {
    let action = "write the rows of a chunk";
    WriteError::of_rows(StoreError::Sqlite { action, source: source.into() })
}

/// What a row came to.
enum RowOutcome {
    Created,
    Updated,
    Unchanged,
    Failed(Box<FailedRow>),
}

/// Where the values of the rows come from.
#[derive(Clone, Copy)]
struct RowValues<'t> {
    target: &'t Target,
    references: &'t References,
    named: &'t ChunkReferences<'t>,
    /// Every name is a known record's.
    is_all_known: bool,
    chunk: &'t Chunk,
}

impl<'t> RowValues<'t> {
    /// The value of a field as it is stored: what names a record becomes its id.
    fn value(&self, record: usize, index: usize) -> BoundValue<'t> {
        let field = self.target.fields.get(index);
        assert!(field.is_some(), "field {index} is none of the target");
        match field {
            Some(field) if field.reference.is_none() => {
                BoundValue::Value(self.chunk.records.value(record, index), field.kind)
            }
            _ => BoundValue::Id(self.named.id(index, record)),
        }
    }
}

struct RowMerge<'t> {
    connection: &'t Connection,
    sql: &'t RowSql,
    source: RowValues<'t>,
    now: String,
    find: CachedStatement<'t>,
    insert: CachedStatement<'t>,
    update: Option<CachedStatement<'t>>,
    histories: Vec<(CachedStatement<'t>, CachedStatement<'t>)>,
    lists: SqliteLists<'t>,
    journal: Option<SqliteJournal<'t>>,
    /// Record values in which the row at hand differs from what is stored.
    differs: Vec<usize>,
    /// What is stored where the row at hand has no cell.
    absent: Vec<(usize, rusqlite::types::Value)>,
    outcome: ChunkOutcome,
}

impl<'t> RowMerge<'t> {
    fn prepare(
        connection: &'t Connection,
        sql: &'t RowSql,
        source: RowValues<'t>,
        options: WriteOptions,
    ) -> rusqlite::Result<Self> {
        let histories = sql
            .histories
            .iter()
            .map(|history| {
                Ok((
                    connection.prepare_cached(&history.archive)?,
                    connection.prepare_cached(&history.insert)?,
                ))
            })
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            connection,
            sql,
            source,
            now: time_text(&options.now),
            find: connection.prepare_cached(&sql.find)?,
            insert: connection.prepare_cached(&sql.insert)?,
            update: sql.update.as_deref().map(|sql| connection.prepare_cached(sql)).transpose()?,
            histories,
            lists: SqliteLists::prepare(connection, source.target)?,
            journal: None,
            differs: Vec::new(),
            absent: Vec::new(),
            outcome: ChunkOutcome::default(),
        })
    }

    fn all(&mut self, order: &[usize], options: WriteOptions) -> rusqlite::Result<()> {
        for record in order {
            let row_outcome = if options.whole_file {
                let row_outcome = self.row(*record);
                row_outcome.or_else(|error| self.refused(*record, error))?
            } else if options.isolate_rows {
                self.row_with_savepoint(*record)?
            } else {
                self.row(*record)?
            };
            let changed = match row_outcome {
                RowOutcome::Created => Some(RowEventKind::Created),
                RowOutcome::Updated => Some(RowEventKind::Updated),
                RowOutcome::Unchanged | RowOutcome::Failed(_) => None,
            };
            if let Some(kind) = changed {
                self.outcome.changed.push((*record, kind));
            }
            match row_outcome {
                RowOutcome::Created => self.outcome.counts.created += 1,
                RowOutcome::Updated => self.outcome.counts.updated += 1,
                RowOutcome::Unchanged => self.outcome.counts.unchanged += 1,
                RowOutcome::Failed(row) => self.outcome.failed.push(*row),
            }
        }
        Ok(())
    }

    fn row_with_savepoint(&mut self, record: usize) -> rusqlite::Result<RowOutcome> {
        self.connection.execute_batch("SAVEPOINT one_row")?;
        let row_outcome = match self.row(record) {
            Ok(row_outcome) => row_outcome,
            Err(error) => {
                let row_outcome = self.refused(record, error)?;
                self.connection.execute_batch("ROLLBACK TO one_row")?;
                row_outcome
            }
        };
        self.connection.execute_batch("RELEASE one_row")?;
        Ok(row_outcome)
    }

    /// What a row came to that the database refused.
    fn refused(&self, record: usize, error: rusqlite::Error) -> rusqlite::Result<RowOutcome> {
        let Some(refusal) = RowRefusal::of_sqlite(&error) else { return Err(error) };
        let RowValues { target, chunk, .. } = self.source;
        let row = rows::refused_by_database(target, chunk, record, refusal);
        Ok(RowOutcome::Failed(Box::new(row)))
    }

    fn row(&mut self, record: usize) -> rusqlite::Result<RowOutcome> {
        let RowValues { target, references, named, is_all_known, chunk } = self.source;
        if !is_all_known
            && let Some(row) = rows::unknown_reference(target, references, named, chunk, record)
        {
            return Ok(RowOutcome::Failed(Box::new(row)));
        }
        let records = &chunk.records;
        for (position, field) in target.key.iter().enumerate() {
            self.source.value(record, *field).bind(&mut self.find, position + 1)?;
        }
        let mut found = self.find.raw_query();
        let Some(row) = found.next()? else {
            drop(found);
            if target.mode == Mode::Update {
                return Ok(self.refuse_by_mode(record));
            }
            return self.create(record);
        };
        if target.mode == Mode::Insert {
            drop(found);
            return Ok(self.refuse_by_mode(record));
        }
        let rowid: i64 = row.get(0)?;
        self.differs.clear();
        self.absent.clear();
        let mut is_newer = target.version.is_none();
        for (position, field) in self.sql.payload.iter().enumerate() {
            if target.keep_blank && records.value(record, *field) == Value::Null {
                continue;
            }
            if records.keeps_stored(record, *field) {
                self.absent.push((*field, row.get(position + 1)?));
                continue;
            }
            let value = self.source.value(record, *field);
            if target.version == Some(*field) {
                is_newer = value.is_after(row.get_ref(position + 1)?);
            }
            if !value.is(row.get_ref(position + 1)?) {
                self.differs.push(*field);
            }
        }
        drop(found);
        let lists_differ = self.lists.look(target, named, records, (record, rowid))?;
        if self.differs.is_empty() && !lists_differ {
            return Ok(RowOutcome::Unchanged);
        }
        if !is_newer {
            self.outcome.not_newer.push(record);
            return Ok(RowOutcome::Unchanged);
        }
        self.change(record, rowid)?;
        Ok(RowOutcome::Updated)
    }

    fn refuse_by_mode(&self, record: usize) -> RowOutcome {
        let RowValues { target, chunk, .. } = self.source;
        RowOutcome::Failed(Box::new(rows::refused_by_mode(target, chunk, record)))
    }

    fn create(&mut self, record: usize) -> rusqlite::Result<RowOutcome> {
        let mut position = 0;
        for field in 0..self.source.target.fields.len() {
            position += 1;
            self.source.value(record, field).bind(&mut self.insert, position)?;
        }
        for _ in &self.source.target.times {
            position += 1;
            self.insert.raw_bind_parameter(position, self.now.as_str())?;
        }
        if self.insert.raw_execute()? == 0 {
            // Without a new record there is nothing that a history could belong to.
            return Ok(RowOutcome::Failed(Box::new(rows::left_out(self.source.chunk, record))));
        }
        let owner = self.connection.last_insert_rowid();
        let RowValues { target, named, chunk, .. } = self.source;
        if self.lists.look(target, named, &chunk.records, (record, owner))? {
            self.lists.write(owner, &self.now)?;
        }
        for ((_, insert), history) in self.histories.iter_mut().zip(&self.sql.histories) {
            let records = &self.source.chunk.records;
            if history.fed.iter().any(|field| !records.value(record, *field).is_empty()) {
                insert.execute((&self.now, owner))?;
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.keep(self.source.chunk.records.row_number(record), owner, None)?;
        }
        Ok(RowOutcome::Created)
    }

    fn change(&mut self, record: usize, rowid: i64) -> rusqlite::Result<()> {
        let before = match &mut self.journal {
            Some(journal) => journal.image(rowid)?,
            None => None,
        };
        if self.differs.is_empty() {
            self.lists.touch(rowid, &self.now)?;
        } else {
            self.update(record, rowid)?;
        }
        self.lists.write(rowid, &self.now)?;
        if let (Some(journal), Some(before)) = (&mut self.journal, before) {
            let row_number = self.source.chunk.records.row_number(record);
            journal.keep(row_number, rowid, Some(&before))?;
        }
        Ok(())
    }

    fn update(&mut self, record: usize, rowid: i64) -> rusqlite::Result<()> {
        let Some(update) = &mut self.update else { return Ok(()) };
        let mut position = 0;
        for field in &self.sql.payload {
            position += 1;
            match self.absent.iter().find(|(absent, _)| absent == field) {
                Some((_, stored)) => update.raw_bind_parameter(position, stored)?,
                None => self.source.value(record, *field).bind(update, position)?,
            }
        }
        if self.source.target.has_updated_at() {
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
