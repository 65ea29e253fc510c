//! What the tables of the database really look like: the definitions are checked against it.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, TryGetable};

use crate::dataset::{FieldShape, TableShape};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

/// Columns of a table as the database sees it; only tables that an unqualified name finds.
const POSTGRES_COLUMNS: &str = "SELECT a.attname AS name, t.typname AS sql_type, \
     NOT a.attnotnull AS nullable, (a.atthasdef OR a.attidentity <> '') AS has_default, \
     information_schema._pg_char_max_length(a.atttypid, a.atttypmod)::int AS max_length, \
     information_schema._pg_numeric_precision(a.atttypid, a.atttypmod)::int AS num_precision, \
     information_schema._pg_numeric_scale(a.atttypid, a.atttypmod)::int AS num_scale \
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
     WHERE a.attrelid = to_regclass(quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped \
     ORDER BY a.attnum";

/// Columns of every unique index that holds for all rows and speaks of plain columns.
const POSTGRES_UNIQUE: &str = "SELECT array_to_string(ARRAY(SELECT a.attname \
     FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum ORDER BY k.place), \
     E'\\x1f') AS columns FROM pg_index i WHERE i.indrelid = to_regclass(quote_ident($1)) \
     AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL";

const SQLITE_COLUMNS: &str = "SELECT name, type AS sql_type, \"notnull\" = 0 AS nullable, \
     (dflt_value IS NOT NULL OR (pk = 1 AND lower(type) = 'integer')) AS has_default \
     FROM pragma_table_info($1) ORDER BY cid";

const SQLITE_UNIQUE: &str = "SELECT (SELECT group_concat(name, char(31)) \
     FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) AS columns \
     FROM pragma_index_list($1) l WHERE l.\"unique\" = 1 AND l.partial = 0 \
     AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) x \
     WHERE x.key = 1 AND (x.cid < 0 OR x.coll <> 'BINARY')) \
     UNION ALL SELECT group_concat(name, char(31)) FROM (SELECT name FROM pragma_table_info($1) \
     WHERE pk > 0 ORDER BY pk) HAVING count(*) > 0";

impl Store {
    /// The shapes of those of `tables` that exist, by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn shapes(
        &self,
        tables: Vec<String>,
    ) -> Result<BTreeMap<String, TableShape>, StoreError> {
        let mut shapes = BTreeMap::new();
        for table in tables {
            if let Some(shape) = self.shape(&table).await? {
                shapes.insert(table, shape);
            }
        }
        Ok(shapes)
    }

    async fn shape(&self, table: &str) -> Result<Option<TableShape>, StoreError> {
        let (backend, columns, unique) = match self.kind {
            Database::Sqlite { .. } => (DbBackend::Sqlite, SQLITE_COLUMNS, SQLITE_UNIQUE),
            Database::Postgres { .. } => (DbBackend::Postgres, POSTGRES_COLUMNS, POSTGRES_UNIQUE),
        };
        let ask = |sql: &str| Statement::from_sql_and_values(backend, sql, [table.into()]);
        let rows = self.read.query_all_raw(ask(columns)).await.context("look at a table")?;
        if rows.is_empty() {
            return Ok(None);
        }
        let columns = rows
            .iter()
            .map(|row| field(row, backend))
            .collect::<Result<_, _>>()
            .context("look at a table's columns")?;
        let rows = self.read.query_all_raw(ask(unique)).await.context("look at a table's keys")?;
        let key = |row: &QueryResult| -> Result<Vec<String>, sea_orm::DbErr> {
            let names: String = row.try_get("", "columns")?;
            Ok(names.split('\u{1f}').map(str::to_owned).collect())
        };
        let unique =
            rows.iter().map(key).collect::<Result<_, _>>().context("look at a table's keys")?;
        Ok(Some(TableShape { table: table.to_owned(), columns, unique }))
    }
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
    Ok(FieldShape {
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
