//! Records of a dataset's table as they are now, with the names that their references stand for: by keys,
//! or page by page in the order of the key. Names come from checked definitions and are quoted; values
//! are only ever bound.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value as Sql};
use serde_json::{Map, Value};

use crate::dataset::TableName;
use crate::dataset::model::{Column, ColumnType, Dataset};
use crate::store::Store;
use crate::store::chunk::list_sql::item_names;
use crate::store::chunk::target::{list, quoted, quoted_table};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::rollback::sqlite_values;
use crate::store::sqlite::time_text;

/// A key, and the record that has it now.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedRecord {
    /// The columns of the key.
    pub key: Map<String, Value>,
    /// The columns of the record by their names in the dataset; `None` when there is none.
    pub record: Option<Map<String, Value>>,
}

/// The table of a dataset in SQL.
struct RecordSql<'a> {
    backend: DbBackend,
    dataset: &'a Dataset,
    table: String,
    key: Vec<&'a Column>,
}

impl Store {
    /// The records that have these keys now, without those that did not change since `since`.
    ///
    /// # Errors
    /// When the database does not answer, or a key is not one of this table's.
    pub async fn records_by_keys(
        &self,
        dataset: &Dataset,
        keys: &[Map<String, Value>],
        since: Option<DateTime<Utc>>,
    ) -> Result<Vec<KeyedRecord>, StoreError> {
        let action = "read the records that changed";
        let sql = RecordSql::new(self.backend(), dataset);
        let rows = self.read.query_all_raw(sql.by_keys(keys, since)).await.context(action)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let position: i64 = row.try_get_by_index(0).context(action)?;
            let Some(key) = usize::try_from(position).ok().and_then(|it| keys.get(it)) else {
                continue;
            };
            let record = sql.record(row).context(action)?;
            found.push(KeyedRecord { key: key.clone(), record });
        }
        Ok(found)
    }

    /// The next records in the order of the key, behind that of `after`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn records_after(
        &self,
        dataset: &Dataset,
        after: Option<&Map<String, Value>>,
        limit: u32,
    ) -> Result<Vec<Map<String, Value>>, StoreError> {
        let action = "read the records of a table";
        let sql = RecordSql::new(self.backend(), dataset);
        let rows = self.read.query_all_raw(sql.page(after, limit)).await.context(action)?;
        let record = |row: &QueryResult| sql.record(row).context(action);
        Ok(rows.iter().map(record).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// True when nothing but Loadbay sets the time at which a record of the dataset changed: then it
    /// says which records of a chunk changed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn has_own_change_time(&self, dataset: &Dataset) -> Result<bool, StoreError> {
        let table = &dataset.table;
        let shapes = self.shapes(vec![table.clone()]).await?;
        if shapes.get(table).is_none_or(|shape| shape.column("updated_at").is_none()) {
            return Ok(false);
        }
        let (sql, name) = match self.backend() {
            DbBackend::Sqlite => (
                "SELECT 1 AS found FROM sqlite_master WHERE type = 'trigger' AND tbl_name = $1",
                TableName::of(table).name,
            ),
            _ => (
                "SELECT 1 AS found FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = to_regclass($1)",
                quoted_table(table),
            ),
        };
        let ask = Statement::from_sql_and_values(self.backend(), sql, [name.into()]);
        Ok(self.read.query_one_raw(ask).await.context("look for triggers")?.is_none())
    }
}

impl<'a> RecordSql<'a> {
    fn new(backend: DbBackend, dataset: &'a Dataset) -> Self {
        let key = dataset.key.iter().filter_map(|index| dataset.columns.get(*index)).collect();
        Self { backend, dataset, table: quoted_table(&dataset.table), key }
    }

    /// Columns: the position of the key, then the record.
    fn by_keys(&self, keys: &[Map<String, Value>], since: Option<DateTime<Utc>>) -> Statement {
        let keys = serde_json::to_string(keys).unwrap_or_default();
        let mut values: Vec<Sql> = vec![keys.into()];
        let changed = since.map_or_else(String::new, |since| {
            values.push(self.time(since));
            let first = self.first_key();
            format!(" WHERE t.{first} IS NULL OR t.updated_at >= $2")
        });
        let table = &self.table;
        let sql = if self.backend == DbBackend::Sqlite {
            let same = self.key.iter().map(|column| {
                format!("t.{} = {}", quoted(&column.field), in_json("j.value", column))
            });
            format!(
                "SELECT j.key, {} FROM json_each($1) j LEFT JOIN {table} t ON {}{changed}",
                self.columns(),
                same.collect::<Vec<_>>().join(" AND ")
            )
        } else {
            let same =
                self.key.iter().map(|column| format!("t.{0} = g.{0}", quoted(&column.field)));
            let first = self.first_key();
            format!(
                "SELECT j.number - 1, CASE WHEN t.{first} IS NOT NULL THEN \
                 (SELECT row_to_json(r)::text FROM (SELECT {}) r) END \
                 FROM json_array_elements($1::json) WITH ORDINALITY AS j (image, number) \
                 CROSS JOIN LATERAL json_populate_record(NULL::{table}, j.image) AS g \
                 LEFT JOIN LATERAL (SELECT * FROM {table} t WHERE {} LIMIT 1) t ON true{changed}",
                self.columns(),
                same.collect::<Vec<_>>().join(" AND ")
            )
        };
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    /// Columns: a number, then the record.
    fn page(&self, after: Option<&Map<String, Value>>, limit: u32) -> Statement {
        let table = &self.table;
        let names = list(self.key.iter().map(|column| format!("t.{}", quoted(&column.field))));
        let mut values: Vec<Sql> = Vec::new();
        let behind = after.map_or_else(String::new, |after| {
            let image = serde_json::to_string(after).unwrap_or_default();
            values.push(image.into());
            self.behind(&names)
        });
        let columns = self.columns();
        let sql = if self.backend == DbBackend::Sqlite {
            format!("SELECT 0, {columns} FROM {table} t{behind} ORDER BY {names} LIMIT {limit}")
        } else {
            format!(
                "SELECT 0::bigint, (SELECT row_to_json(r)::text FROM (SELECT {columns}) r) \
                 FROM {table} t{behind} ORDER BY {names} LIMIT {limit}"
            )
        };
        Statement::from_sql_and_values(self.backend, sql, values)
    }

    /// The condition that a key lies behind that of the first parameter. That of the first column alone
    /// lets the database begin in the middle of the key's index.
    fn behind(&self, names: &str) -> String {
        let first = self.first_key();
        if self.backend == DbBackend::Sqlite {
            let given: Vec<String> = self.key.iter().map(|column| in_json("$1", column)).collect();
            let of_first = given.first().cloned().unwrap_or_default();
            return format!(
                " WHERE t.{first} >= {of_first} AND ({names}) > ({})",
                given.join(", ")
            );
        }
        let given = list(self.key.iter().map(|column| format!("g.{}", quoted(&column.field))));
        let from = format!("FROM json_populate_record(NULL::{}, $1::json) g", self.table);
        format!(
            " WHERE t.{first} >= (SELECT g.{first} {from}) AND ({names}) > (SELECT {given} {from})"
        )
    }

    /// The columns of the dataset, each under its name; of a reference the name that it stands for.
    fn columns(&self) -> String {
        list(self.dataset.columns.iter().map(|column| {
            let name = quoted(&column.name);
            if let Some(join) = &column.join {
                return format!("{} AS {name}", item_names(join, self.backend));
            }
            let Some((field, reference, matched)) = self.dataset.named_by(column) else {
                return format!("t.{} AS {name}", quoted(&column.field));
            };
            format!(
                "(SELECT r.{} FROM {} r WHERE r.{} = t.{} LIMIT 1) AS {name}",
                quoted(matched),
                quoted_table(&reference.table),
                quoted(&reference.key),
                quoted(field)
            )
        }))
    }

    fn first_key(&self) -> String {
        let first = self.key.first();
        assert!(first.is_some(), "every dataset has a key");
        first.map_or_else(String::new, |column| quoted(&column.field))
    }

    fn time(&self, time: DateTime<Utc>) -> Sql {
        match self.backend {
            DbBackend::Sqlite => time_text(&time).into(),
            _ => time.into(),
        }
    }

    /// The record of a row behind its first column.
    fn record(&self, row: &QueryResult) -> Result<Option<Map<String, Value>>, sea_orm::DbErr> {
        let unreadable = || sea_orm::DbErr::Type("a record is no JSON object".to_owned());
        let Some(row) = row.try_as_sqlite_row() else {
            let text: Option<String> = row.try_get_by_index(1)?;
            let record = text.map(|text| serde_json::from_str(&text)).transpose();
            return record.map_err(|_| unreadable());
        };
        let record = sqlite_values::behind_first(row)
            .map_err(|fault| sea_orm::DbErr::Query(sea_orm::RuntimeErr::SqlxError(fault.into())))?;
        let Value::Object(mut record) = record else { return Err(unreadable()) };
        if self.key.first().is_some_and(|column| record.get(&column.name) == Some(&Value::Null)) {
            return Ok(None);
        }
        for column in &self.dataset.columns {
            if let Some(value) = record.get_mut(&column.name) {
                as_typed(value, column.kind);
            }
        }
        Ok(Some(record))
    }
}

/// SQLite has neither booleans nor JSON of its own.
fn as_typed(value: &mut Value, kind: ColumnType) {
    let typed = match (kind, &*value) {
        (ColumnType::Boolean, Value::Number(number)) => {
            number.as_i64().filter(|it| (0..=1).contains(it)).map(|it| Value::Bool(it == 1))
        }
        (ColumnType::Json | ColumnType::List, Value::String(text)) => {
            serde_json::from_str(text).ok()
        }
        _ => None,
    };
    if let Some(typed) = typed {
        *value = typed;
    }
}

/// A value of a JSON object in SQLite.
fn in_json(object: &str, column: &Column) -> String {
    let path = format!("$.\"{}\"", column.field);
    format!("json_extract({object}, '{}')", path.replace('\'', "''"))
}
