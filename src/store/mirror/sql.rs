//! The statements that find the records which a file does not have. Names come from checked definitions
//! and are quoted; values are only ever bound.

use sea_orm::{DbBackend, Statement, Value as Sql};

use crate::dataset::ColumnValues;
use crate::dataset::model::{ColumnType, Dataset};
use crate::domain::record::Value;
use crate::store::chunk::key_json::push_value;
use crate::store::chunk::seen::key_text;
use crate::store::chunk::target::{Target, list, quoted, quoted_table};
use crate::store::rollback::sqlite_values;

/// Finds the records of a scope that a file does not have.
pub(super) struct AbsentSql {
    backend: DbBackend,
    job: i64,
    table: String,
    /// The key of the table, and the column that says that a record is gone.
    pub(super) target: Target,
    /// Conditions of the scope, and that the record is not gone yet; the values that they bind.
    conditions: Vec<String>,
    values: Vec<Sql>,
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
        let mut this = Self {
            backend,
            job,
            table: quoted_table(&target.table),
            target,
            conditions: Vec::new(),
            values: Vec::new(),
            gone: None,
        };
        for (index, value) in scope.iter() {
            this.add_scope(dataset, index, value);
        }
        let gone = gone.and_then(|values| values.iter().next());
        let column = gone.and_then(|(index, _)| dataset.columns.get(index));
        if let Some((column, (_, value))) = column.zip(gone) {
            let json = as_json(value, column.kind);
            let bound = this.bind_value(&column.field, &json);
            let is_other = match backend {
                DbBackend::Sqlite => "IS NOT",
                _ => "IS DISTINCT FROM",
            };
            this.conditions.push(format!("t.{} {is_other} {bound}", quoted(&column.field)));
            this.gone = Some((column.field.clone(), json));
        }
        this
    }

    fn add_scope(&mut self, dataset: &Dataset, index: usize, value: Value<'_>) {
        let Some(column) = dataset.columns.get(index) else { return };
        let field = format!("t.{}", quoted(&column.field));
        let condition = match (&column.reference, value) {
            (Some(reference), Value::Text(name)) => {
                let matched = format!("CAST(r.{} AS text)", quoted(&reference.match_column));
                let exact = self.bind(name.into());
                let folded = self.bind(name.to_lowercase().into());
                format!(
                    "{field} IN (SELECT r.{} FROM {} r WHERE {matched} = {exact} \
                     OR lower({matched}) = {folded})",
                    quoted(&reference.key),
                    quoted_table(&reference.table),
                )
            }
            _ => {
                let bound = self.bind_value(&column.field, &as_json(value, column.kind));
                format!("{field} = {bound}")
            }
        };
        self.conditions.push(condition);
    }

    /// The next parameter.
    fn bind(&mut self, value: Sql) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// A value of a column, in the type that the column of the table has.
    fn bind_value(&mut self, field: &str, json: &str) -> String {
        if self.backend == DbBackend::Sqlite {
            return self.bind(sqlite_values::to_sql(json));
        }
        let row = format!("{{{}:{json}}}", serde_json::Value::from(field));
        let bound = self.bind(row.into());
        // Once for the statement, not for each row.
        format!(
            "(SELECT g.{} FROM json_populate_record(NULL::{}, {bound}::json) g)",
            quoted(field),
            self.table
        )
    }

    /// Counts the records in scope that are not gone.
    pub(super) fn count_in_scope(&self) -> Statement {
        let sql = format!("SELECT count(*) FROM {} AS t WHERE {}", self.table, self.in_scope());
        Statement::from_sql_and_values(self.backend, sql, self.values.clone())
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

    fn in_scope(&self) -> String {
        if self.conditions.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// The condition, and what it binds.
    fn is_absent(&self) -> (String, Vec<Sql>) {
        let mut values = self.values.clone();
        values.push(self.job.into());
        let condition = format!(
            "{} AND NOT EXISTS (SELECT 1 FROM import_seen s WHERE s.import_log_id = ${} \
             AND s.key = {})",
            self.in_scope(),
            values.len(),
            key_text(self.backend, &self.target)
        );
        (condition, values)
    }
}

fn as_json(value: Value<'_>, kind: ColumnType) -> String {
    let mut json = String::new();
    push_value(&mut json, value, kind);
    json
}
