//! What a mirror removes: the records of its scope that the file does not have, by the keys that its
//! chunks noted. The same code serves both databases; [`sql`] has what differs.

mod rows;
mod sql;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, Statement};

use crate::dataset::model::{Absent, Dataset};
use crate::dataset::{ColumnValues, Plan};
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::options::{Blank, Mode};
use crate::store::Store;
use crate::store::chunk::protocol::{ChunkCommitter, ChunkTx};
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::rollback::sql::RollbackSql;
use crate::store::rollback::transaction::RollbackTx;
use rows::AbsentRows;
use sql::AbsentSql;

/// Chunks whose keys are forgotten in one statement: no other writer waits long for it.
const CHUNKS_PER_STEP: u64 = 50;

/// A chunk of records that the file of a mirror does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbsentChunk {
    /// Its number.
    pub number: u32,
    /// How many records it has.
    pub records: u64,
}

impl Store {
    /// Counts the records in the scope of a mirror that are not gone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn in_scope(&self, settings: &WriterSettings) -> Result<u64, StoreError> {
        let (_, absent) = self.absent_sql(settings).await?;
        // A connection without a limit of time: the table may be large.
        let mut tx = RollbackTx::new(self);
        tx.begin().await?;
        let counted = count(tx.transaction()?, absent.count_in_scope()).await;
        tx.rollback().await;
        counted
    }

    /// The records that the file of a mirror does not have, as they were listed; empty when none was.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn absent_chunks(&self, job: i64) -> Result<Vec<AbsentChunk>, StoreError> {
        let action = "read which records the file does not have";
        let listed = AbsentSql::listed(self.backend(), job);
        let rows = self.read.query_all_raw(listed).await.context(action)?;
        let chunk = |row: &sea_orm::QueryResult| -> Result<AbsentChunk, sea_orm::DbErr> {
            let (number, records): (i64, i64) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            Ok(AbsentChunk {
                number: u32::try_from(number).unwrap_or(u32::MAX),
                records: records.unsigned_abs(),
            })
        };
        rows.iter().map(chunk).collect::<Result<_, _>>().context(action)
    }

    /// Lists the records in the scope of a mirror that its file, of which every chunk is committed, does
    /// not have: for chunks of `rows` records, numbered from `first` on. False, and nothing is listed,
    /// when the database does not take a key of the file for one, or the keys of a chunk are not there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_absent(
        &self,
        settings: &WriterSettings,
        partitions: u32,
        (first, rows): (u32, u32),
    ) -> Result<bool, StoreError> {
        let action = "look for the records that the file does not have";
        let (_, absent) = self.absent_sql(settings).await?;
        let mut tx = RollbackTx::new(self);
        tx.begin().await?;
        let without = absent.count_chunks_without_keys(partitions);
        if count(tx.transaction()?, without).await? > 0 {
            tx.rollback().await;
            return Ok(false);
        }
        for statement in absent.prepare().into_iter().chain([absent.list(first, rows)]) {
            match tx.run(&statement, action).await {
                Ok(_) => {}
                // The table has a narrower type than its definition.
                Err(error) if error.row_refusal().is_some() => {
                    tx.rollback().await;
                    return Ok(false);
                }
                Err(error) => {
                    tx.rollback().await;
                    return Err(error);
                }
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Opens the writer that removes such records; of a chunk its number and its first row matter.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mirror_writer(
        &self,
        settings: WriterSettings,
    ) -> Result<Box<dyn ChunkWriter>, StoreError> {
        let (plan, absent) = self.absent_sql(&settings).await?;
        let settings = WriterSettings { plan, ..settings };
        let tx = RollbackTx::new(self);
        let notes = self.change_notes(&settings);
        let target = absent.target.clone();
        let shapes = self.shapes(vec![target.table.clone()]).await?;
        let sql = RollbackSql::new(
            tx.backend(),
            &settings.dataset,
            target,
            shapes.get(&settings.dataset.table),
        );
        let rows = AbsentRows::new(&settings.job, absent, sql, notes.is_some());
        Ok(Box::new(MirrorWriter(ChunkCommitter::new(tx, rows, settings, notes))))
    }

    /// The key of the dataset and the column that says that a record is gone, and the statements.
    async fn absent_sql(&self, settings: &WriterSettings) -> Result<(Plan, AbsentSql), StoreError> {
        let dataset = &settings.dataset;
        let gone = gone_value(dataset);
        let names = dataset.key.iter().chain(gone.iter().map(|(column, _)| column));
        let names: Vec<Option<String>> = names
            .filter_map(|index| dataset.columns.get(*index))
            .map(|column| Some(column.name.clone()))
            .collect();
        let plan = Plan::of_imported(dataset, &names, &BTreeMap::new());
        assert!(plan.is_ok(), "the columns are the dataset's own: {plan:?}");
        let plan = plan.unwrap_or_else(|_| settings.plan.clone());
        let settings = WriterSettings { plan: plan.clone(), ..settings.clone() };
        let target = self.target(&settings, Mode::Upsert, Blank::Clear).await?.with_all_lists();
        let scope = settings.job.options.scope.iter();
        let scope = scope.map(|(name, value)| (name.as_str(), value.as_str()));
        let scope = ColumnValues::read(dataset, scope);
        // Without its scope a mirror would remove the records of others.
        assert!(scope.is_ok(), "the scope is checked when the job begins: {scope:?}");
        let scope = scope.unwrap_or_default();
        let gone = gone.map(|(_, values)| values);
        let backend = self.backend();
        Ok((plan, AbsentSql::new(backend, settings.job.id, dataset, target, &scope, gone.as_ref())))
    }

    /// Forgets some of the keys that were noted for a job; false when none is left.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn forget_keys(&self, job: i64) -> Result<bool, StoreError> {
        let forget = format!(
            "DELETE FROM import_chunk_keys WHERE import_log_id = {job} AND number IN (SELECT number \
             FROM import_chunk_keys WHERE import_log_id = {job} ORDER BY number LIMIT {CHUNKS_PER_STEP})"
        );
        let _guard = self.lock_writes().await;
        let forget = Statement::from_string(self.backend(), forget);
        let done = self.write.execute_raw(forget).await.context("forget the keys of a file")?;
        Ok(done.rows_affected() == CHUNKS_PER_STEP)
    }

    /// A job that has ended, or is gone, and of which keys are noted still.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn job_with_left_keys(&self) -> Result<Option<i64>, StoreError> {
        let find = "SELECT min(import_log_id) FROM import_chunk_keys WHERE import_log_id NOT IN \
             (SELECT id FROM import_log WHERE import_status IN ('PENDING', 'PROCESSING', 'PAUSED'))";
        let action = "look for keys of files that are imported";
        let find = Statement::from_string(self.backend(), find);
        let row = self.lists.query_one_raw(find).await.context(action)?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose().context(action)?.flatten())
    }
}

/// The number that a statement answers.
async fn count(on: &impl ConnectionTrait, statement: Statement) -> Result<u64, StoreError> {
    let action = "count the records that the file does not have";
    let row = on.query_one_raw(statement).await.context(action)?;
    let count: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose().context(action)?;
    Ok(count.unwrap_or(0).unsigned_abs())
}

/// The column that says that a record is gone, with its value.
fn gone_value(dataset: &Dataset) -> Option<(usize, ColumnValues)> {
    assert!(dataset.absent.is_some(), "nothing is removed unless the dataset says how");
    let Some(Absent::Deactivate { column, value }) = &dataset.absent else { return None };
    let name = dataset.columns.get(*column)?.name.as_str();
    let values = ColumnValues::read(dataset, [(name, value.as_str())]);
    assert!(values.is_ok(), "the value was checked with the definition");
    Some((*column, values.unwrap_or_default()))
}

/// Removes chunks of records, each in one transaction, each exactly once.
struct MirrorWriter(ChunkCommitter<RollbackTx, AbsentRows>);

#[async_trait]
impl ChunkWriter for MirrorWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit_chunk(&chunk).await
    }
}
