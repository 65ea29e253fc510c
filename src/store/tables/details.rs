//! What a proposal of a definition needs to know of a table besides its shape: what it refers to, and
//! the values that its checks list.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

use crate::dataset::{ForeignKey, TableDetails, TableName, TableShape};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

pub(super) const ACTION: &str = "look at what a table refers to";

/// Between the names of a list.
const SEPARATOR: char = '\u{1f}';

/// Each foreign key of the table `$1`, which is SQL, in the order of their columns. A table is named
/// without its schema where the search path finds it.
const POSTGRES_FOREIGN: &str = "SELECT (SELECT string_agg(a.attname, chr(31) ORDER BY k.place) \
     FROM unnest(f.conkey) WITH ORDINALITY AS k (attnum, place) \
     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns, \
     (SELECT string_agg(a.attname, chr(31) ORDER BY k.place) \
     FROM unnest(f.confkey) WITH ORDINALITY AS k (attnum, place) \
     JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum) AS referenced, \
     CASE WHEN NOT pg_table_is_visible(c.oid) THEN n.nspname END AS other_schema, \
     c.relname AS other FROM pg_constraint f \
     JOIN pg_class c ON c.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE f.contype = 'f' AND f.conrelid = $1::regclass ORDER BY f.conkey";

/// The checks of single columns of the table `$1`, which is SQL.
const POSTGRES_CHECKS: &str = "SELECT a.attname AS name, pg_get_expr(k.conbin, k.conrelid) AS condition \
     FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] \
     WHERE k.contype = 'c' AND cardinality(k.conkey) = 1 AND k.conrelid = $1::regclass";

const SQLITE_FOREIGN: &str = "SELECT group_concat(\"from\", char(31)) AS columns, \
     group_concat(coalesce(\"to\", ''), char(31)) AS referenced, NULL AS other_schema, \
     \"table\" AS other \
     FROM (SELECT * FROM pragma_foreign_key_list($1) ORDER BY id, seq) GROUP BY id ORDER BY id";

/// The statement that made the table `$1`.
const SQLITE_STATEMENT: &str =
    "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = $1 COLLATE NOCASE";

impl Store {
    /// A table with what it refers to; `None` when it is not there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn details(&self, table: &str) -> Result<Option<TableDetails>, StoreError> {
        let Some(shape) = self.shape(table).await? else { return Ok(None) };
        let mut details = TableDetails { shape, ..TableDetails::default() };
        if self.backend() == DbBackend::Postgres {
            let rows = self.ask(POSTGRES_CHECKS, table).await?;
            for row in &rows {
                let name: String = row.try_get("", "name").context(ACTION)?;
                let condition: String = row.try_get("", "condition").context(ACTION)?;
                if let Some(values) = listed_by_postgres(&condition) {
                    details.allowed.insert(name, values);
                }
            }
        } else if let Some(row) = self.ask(SQLITE_STATEMENT, table).await?.first() {
            let sql: String = row.try_get("", "sql").context(ACTION)?;
            details.allowed = listed_by_sqlite(&sql);
        }
        (details.foreign_keys, details.referenced) = self.foreign_keys(table).await?;
        Ok(Some(details))
    }

    /// What a table refers to: its foreign keys, and the tables behind them by their names.
    pub(super) async fn foreign_keys(
        &self,
        table: &str,
    ) -> Result<(Vec<ForeignKey>, BTreeMap<String, TableShape>), StoreError> {
        let (mut keys, mut referenced) = (Vec::new(), BTreeMap::new());
        let foreign =
            if self.backend() == DbBackend::Postgres { POSTGRES_FOREIGN } else { SQLITE_FOREIGN };
        for row in self.ask(foreign, table).await? {
            let mut foreign = foreign_key(&row).context(ACTION)?;
            if let Some(other) = self.shape(&foreign.table).await? {
                if let [only] = foreign.referenced.as_mut_slice()
                    && only.is_empty()
                {
                    // SQLite leaves out the name of the primary key.
                    *only = other.unique.last().map(|key| key.concat()).unwrap_or_default();
                }
                referenced.insert(foreign.table.clone(), other);
            }
            keys.push(foreign);
        }
        Ok((keys, referenced))
    }

    pub(super) async fn ask(&self, sql: &str, table: &str) -> Result<Vec<QueryResult>, StoreError> {
        let table = match self.backend() {
            DbBackend::Postgres => crate::store::chunk::target::quoted_table(table),
            _ => TableName::of(table).name,
        };
        let ask = Statement::from_sql_and_values(self.backend(), sql, [table.into()]);
        self.read.query_all_raw(ask).await.context(ACTION)
    }
}

fn foreign_key(row: &QueryResult) -> Result<ForeignKey, sea_orm::DbErr> {
    let names = |column: &str| -> Result<Vec<String>, sea_orm::DbErr> {
        let names: String = row.try_get("", column)?;
        Ok(names.split(SEPARATOR).map(str::to_owned).collect())
    };
    let other =
        TableName { schema: row.try_get("", "other_schema")?, name: row.try_get("", "other")? };
    Ok(ForeignKey {
        columns: names("columns")?,
        table: other.to_string(),
        referenced: names("referenced")?,
    })
}

/// The values of a condition such as `((state)::text = ANY (ARRAY['a'::text, 'b'::text]))`: how
/// PostgreSQL writes `IN`. Nothing of one that says more.
fn listed_by_postgres(condition: &str) -> Option<Vec<String>> {
    let is_list = condition.matches(" = ANY (").count() == 1 && condition.contains("ARRAY[");
    let says_more = [" AND ", " OR ", " NOT ", "<", ">"].iter().any(|it| condition.contains(it));
    let (_, list) = condition.split_once("ARRAY[").filter(|_| is_list && !says_more)?;
    let values = literals(list);
    (!values.is_empty()).then_some(values)
}

/// The texts of each `CHECK (column IN ('a', 'b'))` of a statement that makes a table.
fn listed_by_sqlite(sql: &str) -> BTreeMap<String, Vec<String>> {
    let mut listed = BTreeMap::new();
    let lower = sql.to_ascii_lowercase();
    for (at, word) in lower.match_indices("check") {
        let Some(inner) = sql.get(at + word.len()..).and_then(in_brackets) else { continue };
        let Some((column, rest)) = split_in(inner) else { continue };
        let Some(list) = in_brackets(rest) else { continue };
        let after = rest.trim_start().get(list.len() + 2..).unwrap_or_default();
        let values = literals(list);
        if after.trim().is_empty() && !values.is_empty() {
            let column = column.trim().trim_matches(['"', '`', '[', ']']).replace("\"\"", "\"");
            listed.insert(column, values);
        }
    }
    listed
}

/// `state IN ('a')` → `state`, ` ('a')`.
fn split_in(condition: &str) -> Option<(&str, &str)> {
    let lower = condition.to_ascii_lowercase();
    let at = lower.find(" in").filter(|at| {
        let rest = lower.get(at + 3..).unwrap_or_default();
        rest.trim_start().starts_with('(')
    })?;
    let column = condition.get(..at)?;
    let is_name = !column.contains(['(', '\'', '=', '<', '>']) && !column.trim().contains(" not");
    Some((column, condition.get(at + 3..)?)).filter(|_| is_name)
}

/// What stands between the bracket that the text begins with and its partner.
fn in_brackets(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let inner = text.strip_prefix('(')?;
    let (mut depth, mut is_text) = (1, false);
    for (at, letter) in inner.char_indices() {
        match letter {
            '\'' => is_text = !is_text,
            '(' if !is_text => depth += 1,
            ')' if !is_text => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return inner.get(..at);
        }
    }
    None
}

/// The texts in single quotes, one after another.
fn literals(list: &str) -> Vec<String> {
    let (mut values, mut value) = (Vec::new(), None::<String>);
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        match (&mut value, letter) {
            (Some(text), '\'') if letters.peek() == Some(&'\'') => {
                letters.next();
                text.push('\'');
            }
            (Some(_), '\'') => values.extend(value.take()),
            (Some(text), letter) => text.push(letter),
            (None, '\'') => value = Some(String::new()),
            (None, _) => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_check_are_read() {
        for (condition, values) in [
            ("(state = ANY (ARRAY['open'::text, 'it''s'::text]))", Some(vec!["open", "it's"])),
            ("((state)::text = ANY ((ARRAY['a'::character varying])::text[]))", Some(vec!["a"])),
            ("((state = ANY (ARRAY['a'::text])) OR (state IS NULL))", None),
            ("(price >= (0)::numeric)", None),
        ] {
            let read = listed_by_postgres(condition);
            let values = values.map(|it| it.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(read, values, "{condition}");
        }
        let sql = "CREATE TABLE t (a text CHECK (a IN ('x', 'y (z)')), \"The State\" text, \
                   b int check (b > 0), CONSTRAINT c CHECK (\"The State\" in('on','off')), \
                   d text CHECK (d IN ('x') OR d IS NULL))";
        let listed = listed_by_sqlite(sql);
        assert_eq!(listed.len(), 2, "{listed:?}");
        assert_eq!(listed["a"], ["x", "y (z)"]);
        assert_eq!(listed["The State"], ["on", "off"]);
    }
}
