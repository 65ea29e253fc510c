//! What is stored about single rows of a job: why they failed, which row overtook them. Bounded for
//! each job; the lists of failed rows have them all.

use entity::{import_error, import_superseded};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::chunk::SupersededRow;
use crate::domain::row_error::{RowCode, RowError, StoredRowError};
use crate::domain::row_number::RowNumber;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

impl Store {
    /// Stored row errors of a job behind the error numbered `after`, in the order of the file.
    pub async fn row_errors(
        &self,
        id: i64,
        after: i64,
        limit: u64,
    ) -> Result<Vec<StoredRowError>, StoreError> {
        use import_error::Column as C;
        let mut query = import_error::Entity::find().filter(C::ImportLogId.eq(id));
        // Two writers store the errors of a file in any order.
        let last = import_error::Entity::find_by_id(after).one(&self.lists).await;
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
            .all(&self.lists)
            .await
            .context("read the row errors")?;
        let stored = |row: import_error::Model| {
            let (id, key) = (row.id, row.key.clone());
            Ok(StoredRowError { id, key, error: row_error(row)? })
        };
        rows.into_iter().map(stored).collect()
    }

    /// Stored row errors of a job from one row to another, in the order of the file.
    pub async fn row_errors_between(
        &self,
        id: i64,
        first_row: RowNumber,
        last_row: RowNumber,
    ) -> Result<Vec<RowError>, StoreError> {
        use import_error::Column as C;
        let rows = import_error::Entity::find()
            .filter(C::ImportLogId.eq(id))
            .filter(C::RowNumber.between(i64::from(first_row), i64::from(last_row)))
            .order_by_asc(C::RowNumber)
            .order_by_asc(C::Id)
            .all(&self.lists)
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
            .all(&self.lists)
            .await
            .context("read the superseded rows")?;
        let number = |number: i64| {
            let unreadable = |_| StoreError::Unreadable { id, what: "row number" };
            RowNumber::try_from(number).map_err(unreadable)
        };
        let row = |row: import_superseded::Model| {
            Ok(SupersededRow {
                row_number: number(row.row_number)?,
                by_row_number: number(row.by_row_number)?,
            })
        };
        rows.into_iter().map(row).collect()
    }
}

/// Reads a row of `import_errors`.
pub(in crate::store) fn row_error(row: import_error::Model) -> Result<RowError, StoreError> {
    let unreadable = |what| StoreError::Unreadable { id: row.import_log_id, what };
    Ok(RowError {
        row_number: RowNumber::try_from(row.row_number).map_err(|_| unreadable("row number"))?,
        line: unsigned(row.line),
        code: RowCode::parse(&row.code).ok_or(unreadable("row error code"))?,
        column: row.column_name,
        message: row.message,
        value: row.value,
    })
}
