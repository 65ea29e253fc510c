//! What is stored about single rows of a job: why they failed, which row overtook them. Bounded for
//! each job; the lists of failed rows have them all.

use entity::{import_error, import_superseded};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::row_error::{RowCode, RowError};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// A row that a later row of the same file overtook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupersededRow {
    /// The row that was superseded.
    pub row_number: u64,
    /// The row that was written instead.
    pub by_row_number: u64,
}

impl Store {
    /// Stored row errors of a job behind the error numbered `after`, in the order of the file.
    pub async fn row_errors(
        &self,
        id: i64,
        after: i64,
        limit: u64,
    ) -> Result<Vec<(i64, RowError)>, StoreError> {
        use import_error::Column as C;
        let mut query = import_error::Entity::find().filter(C::ImportLogId.eq(id));
        // Two writers store the errors of a file in any order.
        let last = import_error::Entity::find_by_id(after).one(&self.read).await;
        if let Some(last) = last.context("find the last page of row errors")? {
            let same_row =
                Condition::all().add(C::RowNumber.eq(last.row_number)).add(C::Id.gt(after));
            query =
                query.filter(Condition::any().add(C::RowNumber.gt(last.row_number)).add(same_row));
        }
        let rows = query
            .order_by_asc(C::RowNumber)
            .order_by_asc(C::Id)
            .limit(limit)
            .all(&self.read)
            .await
            .context("read the row errors")?;
        rows.into_iter().map(|row| Ok((row.id, row_error(row)?))).collect()
    }

    /// Stored row errors of a job from one row to another, in the order of the file.
    pub async fn row_errors_between(
        &self,
        id: i64,
        first_row: u32,
        last_row: u32,
    ) -> Result<Vec<RowError>, StoreError> {
        use import_error::Column as C;
        let rows = import_error::Entity::find()
            .filter(C::ImportLogId.eq(id))
            .filter(C::RowNumber.between(i64::from(first_row), i64::from(last_row)))
            .order_by_asc(C::RowNumber)
            .order_by_asc(C::Id)
            .all(&self.read)
            .await
            .context("read the row errors of a chunk")?;
        rows.into_iter().map(row_error).collect()
    }

    /// Rows of a job that were superseded, behind row `after`.
    pub async fn superseded_rows(
        &self,
        id: i64,
        after: i64,
        limit: u64,
    ) -> Result<Vec<SupersededRow>, StoreError> {
        let rows = import_superseded::Entity::find()
            .filter(import_superseded::Column::ImportLogId.eq(id))
            .filter(import_superseded::Column::RowNumber.gt(after))
            .order_by_asc(import_superseded::Column::RowNumber)
            .limit(limit)
            .all(&self.read)
            .await
            .context("read the superseded rows")?;
        let row = |row: import_superseded::Model| SupersededRow {
            row_number: unsigned(row.row_number),
            by_row_number: unsigned(row.by_row_number),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

/// Reads a row of `import_errors`.
pub(in crate::store) fn row_error(row: import_error::Model) -> Result<RowError, StoreError> {
    let unreadable = |what| StoreError::Unreadable { id: row.import_log_id, what };
    Ok(RowError {
        row_number: u32::try_from(row.row_number).map_err(|_| unreadable("row number"))?,
        line: unsigned(row.line),
        code: RowCode::parse(&row.code).ok_or(unreadable("row error code"))?,
        column: row.column_name,
        message: row.message,
        value: row.value,
    })
}
