//! What the tables of the database really look like: the definitions are checked against it.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, TryGetable};

use crate::dataset::{FieldShape, TableKind, TableName, TableShape};
use crate::store::Store;
use crate::store::dialect::CatalogSql;
use crate::store::error::{ErrorContext, StoreError};

/// Tables that are looked at side by side: each takes a connection of the pool.
const LOOKS_AT_A_TIME: usize = 3;

impl Store {
    /// The shapes of those of `tables` that exist, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn shapes(
        &self,
        tables: Vec<String>,
    ) -> Result<BTreeMap<String, TableShape>, StoreError> {
        let tables: Vec<String> = BTreeSet::from_iter(tables).into_iter().collect();
        let mut shapes = Vec::with_capacity(tables.len());
        // All answers are waited for: none of the questions is cut off half-way.
        for some in tables.chunks(LOOKS_AT_A_TIME) {
            shapes.extend(join_all(some.iter().map(|table| self.shape(table))).await);
        }
        let named = tables.iter().zip(shapes).filter_map(|(table, shape)| {
            shape.transpose().map(|shape| shape.map(|shape| (table.clone(), shape)))
        });
        named.collect()
    }

    pub(in crate::store) async fn shape(
        &self,
        table: &str,
    ) -> Result<Option<TableShape>, StoreError> {
        self.shape_within(&self.read, table).await
    }

    /// The same, as a transaction sees it.
    pub(in crate::store) async fn shape_within(
        &self,
        connection: &impl ConnectionTrait,
        table: &str,
    ) -> Result<Option<TableShape>, StoreError> {
        let (backend, CatalogSql { columns, unique }) = (self.backend(), self.catalog_sql());
        let TableName { schema, name } = TableName::of(table);
        let values = [name, schema.unwrap_or_default()].map(sea_orm::Value::from);
        let ask = |sql: &str| Statement::from_sql_and_values(backend, sql, values.clone());
        let rows = connection.query_all_raw(ask(columns)).await.context("look at a table")?;
        if rows.is_empty() {
            return Ok(None);
        }
        let kind = kind(rows.first()).context("look at a table")?;
        let columns = rows
            .iter()
            .map(|row| field(row, backend))
            .collect::<Result<_, _>>()
            .context("look at a table's columns")?;
        let rows = connection.query_all_raw(ask(unique)).await.context("look at a table's keys")?;
        let key = |row: &QueryResult| -> Result<Vec<String>, sea_orm::DbErr> {
            let names: String = row.try_get("", "columns")?;
            Ok(names.split('\u{1f}').map(str::to_owned).collect())
        };
        let unique =
            rows.iter().map(key).collect::<Result<_, _>>().context("look at a table's keys")?;
        Ok(Some(TableShape { table: table.to_owned(), kind, columns, unique }))
    }
}

/// What stands behind the name: the catalog says it with each column.
fn kind(row: Option<&QueryResult>) -> Result<TableKind, sea_orm::DbErr> {
    let word: Option<String> = row.map(|row| row.try_get("", "kind")).transpose()?.flatten();
    Ok(match word.as_deref() {
        Some("view") => TableKind::View,
        Some("partitioned") => TableKind::Partitioned,
        Some("foreign") => TableKind::Foreign,
        Some("ruled") => TableKind::Ruled,
        Some("virtual" | "shadow") => TableKind::Virtual,
        Some("without rowid") => TableKind::WithoutRowid,
        _ => TableKind::Table,
    })
}

fn field(row: &QueryResult, backend: DbBackend) -> Result<FieldShape, sea_orm::DbErr> {
    let sql_type: String = row.try_get("", "sql_type")?;
    let (word, length, precision, scale) = if backend == DbBackend::Sqlite {
        declared(&sql_type)
    } else {
        (
            sql_type,
            number(row, "max_length")?,
            number(row, "num_precision")?,
            number(row, "num_scale")?,
        )
    };
    let (labels, enum_type) = if backend == DbBackend::Sqlite {
        (Vec::new(), None)
    } else {
        let labels: Option<String> = row.try_get("", "labels")?;
        let split = |labels: String| labels.split('\u{1f}').map(str::to_owned).collect();
        (labels.map(split).unwrap_or_default(), row.try_get("", "enum_type")?)
    };
    Ok(FieldShape {
        default_sql: row.try_get("", "default_sql")?,
        is_generated: row.try_get("", "is_generated")?,
        labels,
        enum_type,
        name: row.try_get("", "name")?,
        sql_type: word,
        nullable: row.try_get("", "nullable")?,
        has_default: row.try_get("", "has_default")?,
        max_length: length,
        precision,
        scale,
    })
}

fn number(row: &QueryResult, column: &str) -> Result<Option<u32>, sea_orm::DbErr> {
    let number = Option::<i32>::try_get(row, "", column)?;
    Ok(number.and_then(|number| u32::try_from(number).ok()))
}

/// SQLite keeps the declared type as text: `varchar(64)`, `real(12, 2)`.
fn declared(sql_type: &str) -> (String, Option<u32>, Option<u32>, Option<u32>) {
    let lower = sql_type.to_ascii_lowercase();
    let Some((word, rest)) = lower.split_once('(') else { return (lower, None, None, None) };
    let mut numbers =
        rest.trim_end_matches(')').split(',').filter_map(|number| number.trim().parse().ok());
    let (first, second) = (numbers.next(), numbers.next());
    let word = word.trim().to_owned();
    if word.contains("char") || word.contains("text") || word.contains("clob") {
        (word, first, None, None)
    } else {
        (word, None, first, second)
    }
}

#[cfg(test)]
mod tests {
    use super::declared;

    #[test]
    fn declared_types_are_taken_apart() {
        assert_eq!(declared("varchar(64)"), ("varchar".into(), Some(64), None, None));
        assert_eq!(declared("real(12, 2)"), ("real".into(), None, Some(12), Some(2)));
        assert_eq!(declared("INTEGER"), ("integer".into(), None, None, None));
    }
}
