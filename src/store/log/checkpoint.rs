//! How far a job is, read from what its chunks left: the checkpoint, the rows with an outcome, the
//! row errors.

use entity::{import_chunk, import_error, import_log, import_superseded};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::chunk::FailedPart;
use crate::domain::job::Job;
use crate::domain::row_number::RowNumber;
use crate::domain::row_outcomes::RowOutcomes;
use crate::store::Store;
use crate::store::chunk::packed_outcomes;
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

/// What became of the rows of a chunk.
#[derive(Debug)]
pub struct ChunkOutcomes {
    /// Whose share of the rows.
    pub partition: u32,
    /// The first row of it.
    pub first_row: RowNumber,
    packed: Vec<u8>,
}

impl ChunkOutcomes {
    /// The outcomes, to be asked by row number.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn unpack(&self) -> std::io::Result<RowOutcomes> {
        packed_outcomes::unpack(self.first_row, &self.packed)
    }
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
        let rows: Vec<(i32, i32, i64, i64, i64)> = import_chunk::Entity::find()
            .select_only()
            .columns([
                import_chunk::Column::Number,
                import_chunk::Column::Lane,
                import_chunk::Column::LastRow,
                import_chunk::Column::FailedCount,
                import_chunk::Column::LeaseEpoch,
            ])
            .filter(import_chunk::Column::ImportLogId.eq(id))
            .order_by_asc(import_chunk::Column::Number)
            .into_tuple()
            .all(&self.read)
            .await
            .context("read the checkpoint")?;
        let chunk = |(number, lane, last_row, failed_count, epoch)| {
            let number = number_of(id, number)?;
            let part = FailedPart { chunk: number, epoch };
            Ok(CommittedChunk {
                number,
                partition: partition_of(id, lane)?,
                last_row: row_number_of(id, last_row)?,
                failed_part: (failed_count > 0).then_some(part),
            })
        };
        rows.into_iter().map(chunk).collect()
    }

    /// What became of the rows of each chunk of a job; `None` when an earlier version committed one,
    /// which stored nothing of it.
    pub async fn outcomes_of_chunks(
        &self,
        id: i64,
    ) -> Result<Option<Vec<ChunkOutcomes>>, StoreError> {
        let rows: Vec<(i32, i64, Option<Vec<u8>>)> = import_chunk::Entity::find()
            .select_only()
            .columns([
                import_chunk::Column::Lane,
                import_chunk::Column::FirstRow,
                import_chunk::Column::Outcomes,
            ])
            .filter(import_chunk::Column::ImportLogId.eq(id))
            .into_tuple()
            .all(&self.lists)
            .await
            .context("read the outcomes of rows")?;
        let chunk = |(lane, first_row, packed): (_, _, Option<_>)| {
            let partition = partition_of(id, lane)?;
            let first_row = row_number_of(id, first_row)?;
            Ok(packed.map(|packed| ChunkOutcomes { partition, first_row, packed }))
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
    pub async fn rows_in_chunks(&self, job: &Job) -> Result<u64, StoreError> {
        let rows: Vec<[i64; 6]> = import_chunk::Entity::find()
            .select_only()
            .columns([
                import_chunk::Column::CreatedCount,
                import_chunk::Column::UpdatedCount,
                import_chunk::Column::UnchangedCount,
                import_chunk::Column::SupersededCount,
                import_chunk::Column::FailedCount,
                import_chunk::Column::RemovedCount,
            ])
            .filter(import_chunk::Column::ImportLogId.eq(job.id))
            .into_tuple::<(i64, i64, i64, i64, i64, i64)>()
            .all(&self.read)
            .await
            .context("add up the chunks")?
            .into_iter()
            // What an import removes is no row of its file.
            .map(|(a, b, c, d, e, f)| {
                [a, b, c, d, e, if job.rollback_of.is_some() { f } else { 0 }]
            })
            .collect();
        Ok(rows.iter().flatten().map(|count| unsigned(*count)).sum())
    }
}

fn number_of(id: i64, stored: i32) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| StoreError::Unreadable { id, what: "chunk number" })
}

fn partition_of(id: i64, stored: i32) -> Result<u32, StoreError> {
    u32::try_from(stored).map_err(|_| StoreError::Unreadable { id, what: "lane" })
}

fn row_number_of(id: i64, stored: i64) -> Result<RowNumber, StoreError> {
    RowNumber::try_from(stored).map_err(|_| StoreError::Unreadable { id, what: "row number" })
}
