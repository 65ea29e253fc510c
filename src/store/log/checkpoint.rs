//! How far a job is, read from what its chunks left: the checkpoint, the rows with an outcome, the
//! row errors.

use entity::{import_chunk, import_error, import_log, import_superseded};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::chunk::FailedPart;
use crate::domain::row_number::RowNumber;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// A chunk that is in the table for good.
#[derive(Debug, Clone, Copy)]
pub struct CommittedChunk {
    /// Its number, unique within the job.
    pub number: u32,
    /// Whose share of the rows.
    pub partition: u32,
    /// The last row of it.
    pub last_row: RowNumber,
    /// Where its failed rows lie, if it has any.
    pub failed_part: Option<FailedPart>,
}

impl Store {
    /// Among how many writers the job's rows were divided when it was first claimed.
    pub async fn partitions_of(&self, id: i64) -> Result<Option<u32>, StoreError> {
        let row =
            import_log::Entity::find_by_id(id).one(&self.write).await.context("read the job")?;
        Ok(row.and_then(|row| row.lanes).and_then(|count| u32::try_from(count).ok()))
    }

    /// The chunks of a job that are committed: together they are its checkpoint.
    pub async fn committed_chunks(&self, id: i64) -> Result<Vec<CommittedChunk>, StoreError> {
        let rows = import_chunk::Entity::find()
            .filter(import_chunk::Column::ImportLogId.eq(id))
            .order_by_asc(import_chunk::Column::Number)
            .all(&self.read)
            .await
            .context("read the checkpoint")?;
        let chunk = |row: import_chunk::Model| {
            let unreadable = |what| StoreError::Unreadable { id, what };
            let number = u32::try_from(row.number).map_err(|_| unreadable("chunk number"))?;
            let part = FailedPart { chunk: number, epoch: row.lease_epoch };
            Ok(CommittedChunk {
                number,
                partition: u32::try_from(row.lane).map_err(|_| unreadable("lane"))?,
                last_row: RowNumber::try_from(row.last_row).map_err(|_| unreadable("last row"))?,
                failed_part: (row.failed_count > 0).then_some(part),
            })
        };
        rows.into_iter().map(chunk).collect()
    }

    /// Row errors and superseded rows that are stored of a job.
    pub async fn stored_row_outcomes(&self, id: i64) -> Result<(u64, u64), StoreError> {
        let errors = import_error::Entity::find()
            .filter(import_error::Column::ImportLogId.eq(id))
            .count(&self.lists)
            .await
            .context("count the row errors")?;
        let superseded = import_superseded::Entity::find()
            .filter(import_superseded::Column::ImportLogId.eq(id))
            .count(&self.lists)
            .await
            .context("count the superseded rows")?;
        Ok((errors, superseded))
    }

    /// Rows of a job of which a row error is stored.
    pub async fn stored_error_rows(&self, id: i64) -> Result<u64, StoreError> {
        import_error::Entity::find()
            .select_only()
            .column(import_error::Column::RowNumber)
            .filter(import_error::Column::ImportLogId.eq(id))
            .distinct()
            .count(&self.lists)
            .await
            .context("count the rows with errors")
    }

    /// Rows of a job that have an outcome by its chunks: must be what `import_log` says.
    pub async fn rows_in_chunks(&self, id: i64) -> Result<u64, StoreError> {
        let rows = import_chunk::Entity::find()
            .filter(import_chunk::Column::ImportLogId.eq(id))
            .all(&self.read)
            .await
            .context("add up the chunks")?;
        let of = |row: &import_chunk::Model| {
            unsigned(row.created_count)
                + unsigned(row.updated_count)
                + unsigned(row.unchanged_count)
                + unsigned(row.superseded_count)
                + unsigned(row.failed_count)
                + unsigned(row.removed_count)
        };
        Ok(rows.iter().map(of).sum())
    }
}
