//! Where the rows of a job go: table, key and the columns that it feeds, as they were when it began.
//! A dataset may be defined anew before a job goes on or is rolled back; then its rows must be neither
//! divided among two tables nor looked for where they never were.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use entity::import_log::{self, Column};
use sea_orm::sea_query::{Expr, Func};
use sea_orm::{EntityTrait, QuerySelect, UpdateMany};
use serde::{Deserialize, Serialize};

use crate::dataset::Plan;
use crate::dataset::model::Dataset;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::as_json;

/// A table, the columns of its key, and those that a job's rows are written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The table.
    pub table: String,
    /// Columns of the table, in the order of their names.
    pub key: Vec<String>,
    /// The dataset's columns that the file feeds, and the table's column of each.
    pub feeds: BTreeMap<String, String>,
}

impl Destination {
    /// Where rows of the dataset go now, from a file that feeds what `plan` says.
    #[must_use]
    pub fn of(dataset: &Dataset, plan: &Plan) -> Self {
        let columns = |indexes: &[usize]| -> Vec<_> {
            indexes.iter().filter_map(|index| dataset.columns.get(*index)).collect()
        };
        let keys = columns(&dataset.key);
        let mut key: Vec<String> = keys.iter().map(|column| column.field.clone()).collect();
        key.sort();
        let fed = columns(&plan.columns);
        let feeds = fed.iter().map(|column| (column.name.clone(), column.field.clone())).collect();
        Self { table: dataset.table.clone(), key, feeds }
    }

    /// The change of a job that records the destination, unless one was recorded before.
    pub(in crate::store) fn noted_by(
        &self,
        change: UpdateMany<import_log::Entity>,
    ) -> UpdateMany<import_log::Entity> {
        let noted = Expr::col(Column::Destination);
        let first = Func::coalesce([noted, Expr::value(as_json(self))]);
        change.col_expr(Column::Destination, first.into())
    }

    /// In words, with the columns that go elsewhere than in `other`.
    #[must_use]
    pub fn beside(&self, other: &Self) -> String {
        let mut words = format!("table `{}` by `{}`", self.table, self.key.join("`, `"));
        for (column, field) in &self.feeds {
            if other.feeds.get(column) != Some(field) {
                // A `String` takes everything.
                let _ = write!(words, ", `{column}` into `{field}`");
            }
        }
        words
    }
}

impl Store {
    /// Where the rows of a job went; `None` when it is deleted or never ran.
    ///
    /// # Errors
    /// When the database does not answer, or what is noted cannot be read.
    pub async fn destination(&self, id: i64) -> Result<Option<Destination>, StoreError> {
        let noted: Option<Option<serde_json::Value>> = import_log::Entity::find_by_id(id)
            .select_only()
            .column(import_log::Column::Destination)
            .into_tuple()
            .one(&self.read)
            .await
            .context("look where the rows of a job went")?;
        read(id, noted.flatten())
    }
}

fn read(id: i64, noted: Option<serde_json::Value>) -> Result<Option<Destination>, StoreError> {
    let read = noted.map(serde_json::from_value).transpose();
    read.map_err(|_| StoreError::Unreadable { id, what: "destination" })
}
