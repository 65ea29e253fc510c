//! What a dry run would change, row by row; bounded for each job.

use entity::import_difference;
use import_difference::Column as C;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::difference::{Difference, DifferenceOutcome};
use crate::domain::row_number::RowNumber;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

impl Store {
    /// Differences of a dry run behind row `after`, in the order of the file.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn differences(
        &self,
        id: i64,
        after: i64,
        limit: u64,
    ) -> Result<Vec<Difference>, StoreError> {
        let rows = import_difference::Entity::find()
            .filter(C::ImportLogId.eq(id))
            .filter(C::RowNumber.gt(after))
            .order_by_asc(C::RowNumber)
            .limit(limit)
            .all(&self.lists)
            .await
            .context("read the differences of a dry run")?;
        rows.into_iter().map(difference).collect()
    }

    /// Differences that are stored of a dry run.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stored_differences(&self, id: i64) -> Result<u64, StoreError> {
        import_difference::Entity::find()
            .filter(C::ImportLogId.eq(id))
            .count(&self.lists)
            .await
            .context("count the differences of a dry run")
    }
}

fn difference(row: import_difference::Model) -> Result<Difference, StoreError> {
    let unreadable = |what| StoreError::Unreadable { id: row.import_log_id, what };
    Ok(Difference {
        row_number: RowNumber::try_from(row.row_number).map_err(|_| unreadable("row number"))?,
        outcome: match (row.created, row.removed) {
            (_, true) => DifferenceOutcome::Removed,
            (true, false) => DifferenceOutcome::Created,
            (false, false) => DifferenceOutcome::Updated,
        },
        changes: serde_json::from_str(&row.changes).map_err(|_| unreadable("changes"))?,
        key: row.key,
    })
}
