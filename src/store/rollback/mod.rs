//! Rolling an import back by the rows of the journal `import_undo`. The same code serves both databases;
//! [`sql`] has what differs. How an import writes its journal is the business of each database's own
//! writer.

pub(super) mod image;
mod indexes;
mod lists;
pub(super) mod rows;
mod skipped;
pub(super) mod sql;
pub(super) mod sqlite_values;
pub(super) mod transaction;

use std::sync::Arc;

use async_trait::async_trait;
use entity::{import_log, import_undo};
use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::limits::CHUNK_BYTES_MAX;
use crate::domain::options::{Blank, Mode};
use crate::domain::row_number::RowNumber;
use crate::store::chunk::protocol::{ChunkCommitter, ChunkTx};
use crate::store::chunk::writer::{ChunkWriter, WriterSettings};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::job;
use crate::store::{Database, Store};
use rows::RollbackRows;
use sql::RollbackSql;
use transaction::RollbackTx;

impl Store {
    /// The job as it stands; on PostgreSQL its row is locked until the transaction ends.
    pub(in crate::store) async fn locked(
        &self,
        transaction: &DatabaseTransaction,
        id: i64,
    ) -> Result<Option<Job>, StoreError> {
        let mut find = import_log::Entity::find_by_id(id);
        if let Database::Postgres { .. } = self.kind {
            find = find.lock_exclusive();
        }
        find.one(transaction).await.context("lock a job")?.map(job).transpose()
    }

    /// Rows in the journal of a job.
    pub async fn undo_rows(&self, id: i64) -> Result<u64, StoreError> {
        import_undo::Entity::find()
            .filter(import_undo::Column::ImportLogId.eq(id))
            .count(&self.read)
            .await
            .context("count the journal of a job")
    }

    /// The first and the last of the next `rows` rows in the journal of a job, behind row `after`;
    /// fewer where they are long, for all of them may be held in memory. `None` at its end.
    pub async fn next_undo_rows(
        &self,
        id: i64,
        after: RowNumber,
        rows: u32,
    ) -> Result<Option<(RowNumber, RowNumber)>, StoreError> {
        let length = |column| Func::char_length(Expr::col(column));
        let before =
            Func::coalesce([Expr::from(length(import_undo::Column::BeforeRow)), Expr::value(0)]);
        let length = Expr::expr(before).add(length(import_undo::Column::AfterRow));
        let length = length.cast_as("bigint");
        let rows: Vec<(i64, i64)> = import_undo::Entity::find()
            .select_only()
            .column(import_undo::Column::RowNumber)
            .expr_as(length, "length")
            .filter(import_undo::Column::ImportLogId.eq(id))
            .filter(import_undo::Column::RowNumber.gt(i64::from(after)))
            .order_by_asc(import_undo::Column::RowNumber)
            .limit(u64::from(rows))
            .into_tuple()
            .all(&self.read)
            .await
            .context("read the journal of a job")?;
        let number = |number: i64| {
            RowNumber::try_from(number)
                .map_err(|_| StoreError::Unreadable { id, what: "row number of import_undo" })
        };
        let mut length = 0;
        let fits = rows.iter().take_while(|(_, of_row)| {
            let has_room = length < CHUNK_BYTES_MAX;
            length += usize::try_from(*of_row).unwrap_or_default();
            has_room
        });
        let (Some((first, _)), Some((last, _))) = (rows.first(), fits.last()) else {
            return Ok(None);
        };
        Ok(Some((number(*first)?, number(*last)?)))
    }

    /// Opens the writer that rolls the job `undone` back. The job of `settings` is the rollback; of a
    /// chunk only its number and its first and last row matter.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollback_writer(
        &self,
        undone: i64,
        settings: WriterSettings,
    ) -> Result<Box<dyn ChunkWriter>, StoreError> {
        // What a mirror set as a sign that a record is gone goes back as well.
        let plan = settings.plan.clone().and_gone(&settings.dataset, settings.job.options.mode);
        let settings = WriterSettings { plan, ..settings };
        // Values go back exactly as they were, empty ones too.
        let target = self.target(&settings, Mode::Upsert, Blank::Clear).await?.with_all_lists();
        let shapes = self.shapes(vec![target.table.clone()]).await?;
        let tx = RollbackTx::new(self);
        let shape = shapes.get(&settings.dataset.table);
        let sql = RollbackSql::new(tx.backend(), &settings.dataset, target, shape);
        let notes = self.change_notes(&settings);
        let notes_keys = notes.is_some();
        let rows = RollbackRows { undone, sql, plan: settings.plan.clone(), notes_keys };
        Ok(Box::new(RollbackWriter(ChunkCommitter::new(tx, rows, settings, notes))))
    }
}

/// Rolls chunks of a journal back, each in one transaction, each exactly once.
struct RollbackWriter(ChunkCommitter<RollbackTx, RollbackRows>);

#[async_trait]
impl ChunkWriter for RollbackWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Option<Job>, StoreError> {
        self.0.commit_chunk(&chunk).await
    }
}
