//! Where the rows of an import went: table and key as they were then. A dataset may be defined anew
//! before its import is taken back, and rows must not be looked for where they never were.

use entity::import_log;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde::{Deserialize, Serialize};

use crate::dataset::model::Dataset;
use crate::domain::job::Job;
use crate::store::Store;
use crate::store::error::{Doing, StoreError};
use crate::store::queue::ours;

/// A table and the columns that tell its rows apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoTarget {
    /// The table.
    pub table: String,
    /// Columns of the table, in the order of their names.
    pub key: Vec<String>,
}

impl UndoTarget {
    /// Where rows of the dataset go now.
    #[must_use]
    pub fn of(dataset: &Dataset) -> Self {
        let columns = dataset.key.iter().filter_map(|index| dataset.columns.get(*index));
        let mut key: Vec<String> = columns.map(|column| column.field.clone()).collect();
        key.sort();
        Self { table: dataset.table.clone(), key }
    }
}

impl std::fmt::Display for UndoTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table `{}` by `{}`", self.table, self.key.join("`, `"))
    }
}

impl Store {
    /// Notes where the rows of a job of ours go, once.
    pub async fn keep_undo_target(&self, job: &Job, into: &UndoTarget) -> Result<(), StoreError> {
        let _turn = self.turn().await;
        let note = import_log::Entity::update_many()
            .col_expr(
                import_log::Column::UndoTarget,
                Expr::value(serde_json::to_value(into).unwrap_or_default()),
            )
            .filter(ours(job))
            .filter(import_log::Column::UndoTarget.is_null());
        note.exec(&self.write).await.doing("note where the rows of a job go")?;
        Ok(())
    }

    /// Where the rows of a job went; `None` when that was not noted.
    pub async fn undo_target(&self, id: i64) -> Result<Option<UndoTarget>, StoreError> {
        let noted: Option<Option<serde_json::Value>> = import_log::Entity::find_by_id(id)
            .select_only()
            .column(import_log::Column::UndoTarget)
            .into_tuple()
            .one(&self.read)
            .await
            .doing("look where the rows of a job went")?;
        let read = noted.flatten().map(serde_json::from_value).transpose();
        read.map_err(|_| StoreError::Unreadable { id, what: "undo_target" })
    }
}
