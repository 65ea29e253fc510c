//! The names of the records that rows may name, as the tables have them, and what a dry run found to be
//! without one.

use entity::import_log;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, Statement};

use crate::dataset::model::Reference;
use crate::domain::job::Job;
use crate::domain::limits::REFERENCES_MAX;
use crate::domain::new_reference::NewReferences;
use crate::domain::record::NAME_SEPARATOR;
use crate::store::Store;
use crate::store::chunk::target::{joined_sql, quoted_table};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::as_json;
use crate::store::log::lease::ours;
use crate::store::log::run_time::touched_between_rows;

impl Store {
    /// The names in the other table, at most [`REFERENCES_MAX`]; none where the table is still to be made.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reference_names(&self, reference: &Reference) -> Result<Vec<String>, StoreError> {
        if self.shape(&reference.table).await?.is_none() {
            return Ok(Vec::new());
        }
        let columns = reference.match_columns().into_iter();
        let name = joined_sql(columns, "", &NAME_SEPARATOR.to_string());
        let table = quoted_table(&reference.table);
        let sql = format!(
            "SELECT {name} AS name FROM {table} WHERE {name} IS NOT NULL LIMIT {REFERENCES_MAX}"
        );
        let action = "read the names of a reference";
        let ask = Statement::from_string(self.backend(), sql);
        let rows = self.lists.query_all_raw(ask).await.context(action)?;
        rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>().context(action)
    }

    /// Stores what a dry run of this owner found that its rows would create, now that it is compared with
    /// the tables; `None` when the job is no longer ours.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_new_references(
        &self,
        job: &Job,
        new: &NewReferences,
    ) -> Result<Option<Job>, StoreError> {
        let _guard = self.lock_writes().await;
        let update = import_log::Entity::update_many()
            .col_expr(import_log::Column::NewReferences, Expr::value(as_json(new)))
            .filter(ours(job));
        let update = touched_between_rows(update, self.backend(), &self.now());
        self.change(update, |_| Vec::new(), "store what rows would create").await
    }
}
