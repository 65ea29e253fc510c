//! The statements that find the records which a file does not have. Names come from checked definitions
//! and are quoted; values are only ever bound.

use sea_orm::{DbBackend, Statement, Value as Sql};

use crate::dataset::ColumnValues;
use crate::dataset::model::{ColumnType, Dataset};
use crate::store::chunk::seen::key_text;
use crate::store::chunk::target::{Target, list, quoted, quoted_table};
use crate::store::record_filter::{RecordFilter, as_json};

/// Finds the records of a scope that a file does not have.
pub(super) struct AbsentSql {
    backend: DbBackend,
    job: i64,
    table: String,
    /// The key of the table, and the column that says that a record is gone.
    pub(super) target: Target,
    /// In scope, and not gone yet.
    there: RecordFilter,
    /// The column that says that a record is gone, and its value there as JSON; without it they are
    /// deleted.
    pub(super) gone: Option<(String, String)>,
}

impl AbsentSql {
    pub(super) fn new(
        backend: DbBackend,
        job: i64,
        dataset: &Dataset,
        target: Target,
        scope: &ColumnValues,
        gone: Option<&ColumnValues>,
    ) -> Self {
        let mut there = RecordFilter::new(backend, dataset, scope);
        let gone = gone.and_then(|values| values.iter().next()).and_then(|(index, value)| {
            let column = dataset.columns.get(index)?;
            Some((column.field.clone(), as_json(value, column.kind)))
        });
        if let Some((field, json)) = &gone {
            let bound = there.bind_value(field, json);
            let is_other = match backend {
                DbBackend::Sqlite => "IS NOT",
                _ => "IS DISTINCT FROM",
            };
            there.add(format!("t.{} {is_other} {bound}", quoted(field)));
        }
        Self { backend, job, table: quoted_table(&target.table), target, there, gone }
    }

    /// Counts the records in scope that are not gone.
    pub(super) fn count_in_scope(&self) -> Statement {
        let sql = format!("SELECT count(*) FROM {} AS t WHERE {}", self.table, self.there.sql());
        Statement::from_sql_and_values(self.backend, sql, self.there.values.clone())
    }

    /// Counts those of them that the file does not have.
    pub(super) fn count_absent(&self) -> Statement {
        let (condition, values) = self.is_absent();
        let sql = format!("SELECT count(*) FROM {} AS t WHERE {condition}", self.table);
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    /// Some of these, locked. Columns: the key as a text; on PostgreSQL the row as JSON, on SQLite its
    /// columns.
    pub(super) fn find(&self, rows: u64) -> Statement {
        let (condition, values) = self.is_absent();
        let (columns, order) = match self.backend {
            DbBackend::Sqlite => ("t.*", String::new()),
            // All who write lock rows in this order.
            _ => ("row_to_json(t.*)::text", format!(" ORDER BY {}", self.key_order())),
        };
        let lock = if self.backend == DbBackend::Sqlite { "" } else { " FOR UPDATE OF t" };
        let sql = format!(
            "SELECT {} AS loadbay_key, {columns} FROM {} AS t WHERE {condition}{order} \
             LIMIT {rows}{lock}",
            key_text(self.backend, &self.target),
            self.table
        );
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    fn key_order(&self) -> String {
        let part = |key: &usize| {
            let is_text =
                self.target.fields.get(*key).is_some_and(|it| it.kind == ColumnType::Text);
            let collation = if is_text { " COLLATE \"C\"" } else { "" };
            format!("t.{}{collation}", self.target.field(*key))
        };
        list(self.target.key.iter().map(part))
    }

    /// The condition, and what it binds.
    fn is_absent(&self) -> (String, Vec<Sql>) {
        let mut values = self.there.values.clone();
        values.push(self.job.into());
        let condition = format!(
            "{} AND NOT EXISTS (SELECT 1 FROM import_seen s WHERE s.import_log_id = ${} \
             AND s.key = {})",
            self.there.sql(),
            values.len(),
            key_text(self.backend, &self.target)
        );
        (condition, values)
    }
}
