//! The records of a chunk that a file does not have: they are deleted, or get the value that says that
//! they are gone. Records that the database refuses to remove are found by dividing.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use entity::import_undo;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait,
    TransactionTrait,
};

use super::sql::AbsentSql;
use crate::domain::chunk::Chunk;
use crate::domain::difference::{Difference, DifferenceOutcome, ValueChange};
use crate::domain::job::Job;
use crate::domain::row_error::shown;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::differences::{hidden, readable};
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{RowWriter, WriteError, WriteOptions};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::rollback::image::Image;
use crate::store::rollback::rows::{PIECES, image, position};
use crate::store::rollback::sql::RollbackSql;
use crate::store::rollback::transaction::RollbackTx;

const ACTION: &str = "remove the records that the file does not have";

/// Rows of one INSERT: well under the bind limit of both databases.
const ROWS_PER_INSERT: usize = 500;

/// What the journal has instead of the row that is no more.
const DELETED: &str = "null";

/// Removes records.
pub(super) struct AbsentRows {
    job: i64,
    dry_run: bool,
    keeps_journal: bool,
    absent: AbsentSql,
    sql: RollbackSql,
    /// Somebody passes the records on and needs the keys of those that are removed.
    notes_keys: bool,
    /// What a dry run found.
    found: Vec<Difference>,
}

/// A record that the file does not have.
struct AbsentRow {
    /// As it was: the whole row where a journal keeps it, else what is needed to remove it.
    before: Image,
    /// What it becomes; `None` when it is deleted.
    after: Option<Image>,
    is_removed: bool,
}

impl AbsentRows {
    pub(super) fn new(job: &Job, absent: AbsentSql, sql: RollbackSql, notes_keys: bool) -> Self {
        Self {
            job: job.id,
            dry_run: job.options.dry_run,
            keeps_journal: job.options.undo && !job.options.dry_run,
            absent,
            sql,
            notes_keys,
            found: Vec::new(),
        }
    }
}

#[async_trait]
impl RowWriter<RollbackTx> for AbsentRows {
    async fn write(
        &mut self,
        tx: &mut RollbackTx,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let transaction = tx.transaction()?;
        let mut rows = self.find(transaction, chunk).await?;
        self.remove_all(transaction, &mut rows, options.now).await?;
        let mut outcome = ChunkOutcome::default();
        let removed: Vec<&AbsentRow> = rows.iter().filter(|row| row.is_removed).collect();
        outcome.counts.removed = removed.len() as u64;
        outcome.counts.absent = outcome.counts.removed;
        let kept = rows.iter().filter(|row| !row.is_removed);
        outcome.not_removed = kept.map(|row| shown(&self.shown_key(&row.before))).collect();
        outcome.keys = self.notes_keys.then(|| self.keys(&removed));
        if self.keeps_journal {
            self.keep(transaction, chunk, &removed).await?;
        }
        if self.dry_run {
            self.found = self.differences_of(chunk, &removed);
        }
        Ok(outcome)
    }

    async fn differences(
        &mut self,
        _tx: &mut RollbackTx,
        limit: u64,
    ) -> Result<Vec<Difference>, StoreError> {
        let mut found = std::mem::take(&mut self.found);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found)
    }
}

impl AbsentRows {
    async fn find(
        &self,
        transaction: &DatabaseTransaction,
        chunk: &Chunk,
    ) -> Result<Vec<AbsentRow>, StoreError> {
        let columns = (!self.keeps_journal).then(|| self.sql.columns());
        let find = self.absent.find(chunk.number, columns.as_deref());
        let found = transaction.query_all_raw(find).await.context(ACTION)?;
        let row = |row: &sea_orm::QueryResult| -> Result<AbsentRow, sea_orm::DbErr> {
            let before = image(row)?;
            let after = self.absent.gone.as_ref().map(|(column, value)| {
                let mut after = before.clone();
                after.set(column, value);
                after
            });
            Ok(AbsentRow { before, after, is_removed: false })
        };
        found.iter().map(row).collect::<Result<_, _>>().context(ACTION)
    }

    /// Removes the rows; where the database refuses a part, its pieces, down to the single row.
    async fn remove_all(
        &self,
        transaction: &DatabaseTransaction,
        rows: &mut [AbsentRow],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut parts: Vec<&mut [AbsentRow]> = rows.chunks_mut(self.sql.rows_max()).rev().collect();
        while let Some(part) = parts.pop() {
            let savepoint = transaction.begin().await.context(ACTION)?;
            match self.remove(&savepoint, part, now).await {
                Ok(true) => {
                    savepoint.commit().await.context(ACTION)?;
                    for row in part {
                        row.is_removed = true;
                    }
                    continue;
                }
                // A trigger left rows out.
                Ok(false) => {}
                Err(error) if error.row_refusal().is_some() => {}
                Err(error) => return Err(error),
            }
            savepoint.rollback().await.context(ACTION)?;
            if part.len() > 1 {
                let size = part.len().div_ceil(PIECES);
                parts.extend(part.chunks_mut(size).rev());
            }
        }
        Ok(())
    }

    /// False when some of the rows were left out without an error.
    async fn remove(
        &self,
        transaction: &DatabaseTransaction,
        rows: &[AbsentRow],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let run = async |statement| {
            let done = transaction.execute_raw(statement).await.context(ACTION)?;
            Ok::<u64, StoreError>(done.rows_affected())
        };
        let deactivated: Vec<&Image> = rows.iter().filter_map(|row| row.after.as_ref()).collect();
        if deactivated.is_empty() {
            let deleted: Vec<&Image> = rows.iter().map(|row| &row.before).collect();
            for forget in self.sql.forget(&deleted) {
                run(forget).await?;
            }
            return Ok(run(self.sql.remove(&deleted)).await? == deleted.len() as u64);
        }
        if run(self.sql.restore(&deactivated, now)).await? != deactivated.len() as u64 {
            return Ok(false);
        }
        for history in &self.sql.target.histories {
            for statement in self.sql.archive(history, &deactivated, now) {
                run(statement).await?;
            }
        }
        Ok(true)
    }

    /// Keeps the rows as they were, behind those of the file.
    async fn keep(
        &self,
        transaction: &DatabaseTransaction,
        chunk: &Chunk,
        rows: &[&AbsentRow],
    ) -> Result<(), StoreError> {
        let mut number = i64::from(chunk.first_row);
        for part in rows.chunks(self.sql.rows_max().min(ROWS_PER_INSERT)) {
            // As the database has them, whatever triggers made of them.
            let mut after = vec![DELETED.to_owned(); part.len()];
            let deactivated: Vec<&Image> =
                part.iter().filter_map(|row| row.after.as_ref()).collect();
            if !deactivated.is_empty() {
                let found = transaction.query_all_raw(self.sql.find(&deactivated)).await;
                for row in &found.context(ACTION)? {
                    let place = after.get_mut(position(row).context(ACTION)?);
                    if let Some(place) = place {
                        *place = image(row).context(ACTION)?.to_json();
                    }
                }
            }
            let first = number;
            number += i64::try_from(part.len()).unwrap_or(0);
            let rows = (first..).zip(part.iter().zip(after));
            let rows = rows.map(|(number, (row, after))| import_undo::ActiveModel {
                import_log_id: Set(self.job),
                row_number: Set(number),
                created: Set(false),
                before_row: Set(Some(row.before.to_json())),
                after_row: Set(after),
            });
            import_undo::Entity::insert_many(rows)
                .exec_without_returning(transaction)
                .await
                .context("keep the former values of a chunk")?;
        }
        Ok(())
    }

    /// The key as people read it.
    fn shown_key(&self, row: &Image) -> String {
        let target = &self.sql.target;
        let parts = target.key.iter().filter_map(|key| target.fields.get(*key));
        let parts: Vec<String> =
            parts.map(|field| row.text(&field.name, self.is_sqlite())).collect();
        parts.join(", ")
    }

    fn is_sqlite(&self) -> bool {
        self.sql.backend() == DbBackend::Sqlite
    }

    fn keys(&self, rows: &[&AbsentRow]) -> String {
        let target = &self.sql.target;
        let fields = target.key.iter().filter_map(|field| target.fields.get(*field));
        let names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
        let keys: Vec<Image> = rows.iter().map(|row| row.before.part(&names)).collect();
        serde_json::to_string(&keys).unwrap_or_default()
    }

    fn differences_of(&self, chunk: &Chunk, rows: &[&AbsentRow]) -> Vec<Difference> {
        let target = &self.sql.target;
        let mut row_number: RowNumber = chunk.first_row;
        let mut differences = Vec::with_capacity(rows.len());
        for row in rows {
            let change = |after: &Image| {
                let name = &self.absent.gone.as_ref()?.0;
                let field = target.fields.iter().find(|field| field.name == *name)?;
                let shown = |image: &Image| {
                    image.stored_text(name)?;
                    Some(readable(image.text(name, self.is_sqlite()), field.kind))
                };
                let change = ValueChange {
                    column: field.column.clone(),
                    before: shown(&row.before),
                    after: shown(after),
                };
                Some(if field.sensitive { hidden(change) } else { change })
            };
            differences.push(Difference {
                row_number,
                key: self.shown_key(&row.before),
                outcome: DifferenceOutcome::Removed,
                changes: row.after.as_ref().and_then(change).into_iter().collect(),
            });
            row_number = row_number.next();
        }
        differences
    }
}
