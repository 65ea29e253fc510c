//! A condition on the records of a dataset's table `t`, with the values that it binds. Names come from
//! checked definitions and are quoted; values are only ever bound.

use sea_orm::{DbBackend, Value as Sql};

use crate::dataset::ColumnValues;
use crate::dataset::model::{ColumnType, Dataset};
use crate::domain::record::Value;
use crate::store::chunk::key_json::push_value;
use crate::store::chunk::target::{quoted, quoted_table};
use crate::store::rollback::sqlite_values;

/// All of its parts must hold.
#[derive(Debug, Clone)]
pub(in crate::store) struct RecordFilter {
    backend: DbBackend,
    /// The table, quoted.
    table: String,
    parts: Vec<String>,
    pub(in crate::store) values: Vec<Sql>,
}

impl RecordFilter {
    /// The records of a scope.
    pub(in crate::store) fn new(
        backend: DbBackend,
        dataset: &Dataset,
        scope: &ColumnValues,
    ) -> Self {
        let table = quoted_table(&dataset.table);
        let mut this = Self { backend, table, parts: Vec::new(), values: Vec::new() };
        for (index, value) in scope.iter() {
            this.add_value(dataset, index, value);
        }
        this
    }

    fn add_value(&mut self, dataset: &Dataset, index: usize, value: Value<'_>) {
        let Some(column) = dataset.columns.get(index) else { return };
        let field = format!("t.{}", quoted(&column.field));
        let part = if let (Some(reference), Value::Text(name)) = (&column.reference, value) {
            let matched = format!("CAST(r.{} AS text)", quoted(&reference.match_column));
            let (exact, folded) = (self.bind(name), self.bind(name.to_lowercase()));
            format!(
                "{field} IN (SELECT r.{} FROM {} r WHERE {matched} = {exact} \
                 OR lower({matched}) = {folded})",
                quoted(&reference.key),
                quoted_table(&reference.table),
            )
        } else {
            let bound = self.bind_value(&column.field, &as_json(value, column.kind));
            format!("{field} = {bound}")
        };
        self.add(part);
    }

    /// Adds a part.
    pub(in crate::store) fn add(&mut self, part: String) {
        self.parts.push(part);
    }

    /// The next parameter.
    pub(in crate::store) fn bind(&mut self, value: impl Into<Sql>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// A value of a column as JSON, in the type that the column of the table has.
    pub(in crate::store) fn bind_value(&mut self, field: &str, json: &str) -> String {
        if self.backend == DbBackend::Sqlite {
            return self.bind(sqlite_values::to_sql(json));
        }
        self.bind_of_row(field, format!("{{{}:{json}}}", serde_json::Value::from(field)))
    }

    /// A column of a row that is given as JSON, on PostgreSQL.
    pub(in crate::store) fn bind_of_row(&mut self, field: &str, row: String) -> String {
        let bound = self.bind(row);
        // Once for the statement, not for each row.
        format!(
            "(SELECT g.{} FROM json_populate_record(NULL::{}, {bound}::json) g)",
            quoted(field),
            self.table
        )
    }

    /// The condition in SQL.
    pub(in crate::store) fn sql(&self) -> String {
        if self.parts.is_empty() { "true".to_owned() } else { self.parts.join(" AND ") }
    }
}

/// A value as JSON.
pub(in crate::store) fn as_json(value: Value<'_>, kind: ColumnType) -> String {
    let mut json = String::new();
    push_value(&mut json, value, kind);
    json
}
