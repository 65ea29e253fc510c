//! Which table a name of a definition means.
//!
//! The tables of built-in datasets lie with Loadbay's own. A definition of the user's own means the
//! table that the role finds by itself; only where there is none, that in Loadbay's schema.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::dataset::TableName;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

const ACTION: &str = "look which tables are there";

/// Between the names of a list in one parameter.
const SEPARATOR: &str = "\u{1f}";

/// Those of the tables `$1` that are in the schema `$2`, or on the path where that is empty.
const POSTGRES_OWN: &str = "SELECT name FROM unnest(string_to_array($1, chr(31))) AS t (name) \
     WHERE CASE WHEN $2 = '' THEN to_regclass(quote_ident(name)) IS NOT NULL \
     ELSE EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $2 AND c.relname = name) END";

const SQLITE_OWN: &str = "SELECT value AS name FROM json_each($1) \
     WHERE $2 = '' AND EXISTS (SELECT 1 FROM sqlite_master m WHERE m.name = value COLLATE NOCASE)";

/// For each of the tables `$1` that is in the schema `$2`, and also in another schema of the path: the
/// first of these.
const POSTGRES_ELSEWHERE: &str = "SELECT name, other FROM unnest(string_to_array($1, chr(31))) AS t (name), \
     LATERAL (SELECT p.s AS other FROM unnest(current_schemas(false)) WITH ORDINALITY AS p (s, place) \
     JOIN pg_namespace n ON n.nspname = p.s JOIN pg_class c ON c.relnamespace = n.oid \
     WHERE p.s <> $2 AND c.relname = t.name ORDER BY p.place LIMIT 1) o \
     WHERE EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $2 AND c.relname = t.name)";

/// Tables and views, without those of Loadbay itself; `$1` is its schema.
const POSTGRES_TABLES: &str = "SELECT c.relname AS name, \
     CASE WHEN NOT pg_table_is_visible(c.oid) THEN n.nspname END AS other_schema \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1) \
     AND n.nspname NOT LIKE 'pg_toast%' AND n.nspname NOT LIKE 'pg_temp%' \
     AND c.relname NOT LIKE 'import\\_%' AND c.relname NOT IN ('seaql_migrations', 'access_keys', \
     'access_sessions', 'ImportLog', 'ImportErrorsLog') ORDER BY 2 NULLS FIRST, 1";

const SQLITE_TABLES: &str = "SELECT name, NULL AS other_schema FROM sqlite_master \
     WHERE type IN ('table', 'view') AND $1 = '' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
     AND name NOT LIKE 'import\\_%' ESCAPE '\\' AND name NOT IN ('seaql_migrations', 'access_keys', \
     'access_sessions', 'ImportLog', 'ImportErrorsLog') ORDER BY name";

impl Store {
    /// Those of the tables that lie where the tables of built-in datasets do.
    pub(super) async fn own_tables_among(
        &self,
        connection: &impl ConnectionTrait,
        tables: &[String],
    ) -> Result<Vec<String>, StoreError> {
        let (sql, names) = match &self.kind {
            Database::Sqlite { .. } => (SQLITE_OWN, serde_json::Value::from(tables).to_string()),
            Database::Postgres { .. } => (POSTGRES_OWN, tables.join(SEPARATOR)),
        };
        let values = [names.into(), self.home().into()];
        let ask = Statement::from_sql_and_values(self.backend(), sql, values);
        let rows = connection.query_all_raw(ask).await.context(ACTION)?;
        rows.iter().map(|row| row.try_get("", "name")).collect::<Result<_, _>>().context(ACTION)
    }

    /// The tables, written without a schema, that Loadbay's schema hides: with the name that is found
    /// without it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hidden_tables(
        &self,
        tables: &[String],
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let home = self.home();
        if home.is_empty() {
            return Ok(BTreeMap::new());
        }
        let bare = tables.iter().map(|table| TableName::of(table));
        let bare = bare.filter(|table| table.schema.is_none()).map(|table| table.name);
        let names = bare.collect::<Vec<_>>().join(SEPARATOR);
        let values = [names.into(), home.into()];
        let ask = Statement::from_sql_and_values(DbBackend::Postgres, POSTGRES_ELSEWHERE, values);
        let rows = self.read.query_all_raw(ask).await.context(ACTION)?;
        let hidden = |row: &sea_orm::QueryResult| -> Result<_, sea_orm::DbErr> {
            let (name, schema): (String, String) =
                (row.try_get("", "name")?, row.try_get("", "other")?);
            let bare = TableName { schema: None, name: name.clone() }.to_string();
            Ok((bare, TableName { schema: Some(schema), name }.to_string()))
        };
        rows.iter().map(hidden).collect::<Result<_, _>>().context(ACTION)
    }

    /// The table that a definition of the user's own means by `table`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn as_definitions_mean(&self, table: &str) -> Result<String, StoreError> {
        let bare = TableName::of(table).to_string();
        let hidden = self.hidden_tables(std::slice::from_ref(&bare)).await?;
        Ok(hidden.get(&bare).cloned().unwrap_or(bare))
    }

    /// The tables and views of the database that are not Loadbay's own, as a definition writes them, in order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tables(&self) -> Result<Vec<String>, StoreError> {
        let sql = match &self.kind {
            Database::Sqlite { .. } => SQLITE_TABLES,
            Database::Postgres { .. } => POSTGRES_TABLES,
        };
        let ask = Statement::from_sql_and_values(self.backend(), sql, [self.home().into()]);
        let rows = self.read.query_all_raw(ask).await.context(ACTION)?;
        let table = |row: &sea_orm::QueryResult| -> Result<_, sea_orm::DbErr> {
            let schema: Option<String> = row.try_get("", "other_schema")?;
            Ok(TableName { schema, name: row.try_get("", "name")? }.to_string())
        };
        rows.iter().map(table).collect::<Result<_, _>>().context(ACTION)
    }

    /// The schema of Loadbay's own tables; empty where the search path of the role decides.
    fn home(&self) -> &str {
        match &self.kind {
            Database::Sqlite { .. } => "",
            Database::Postgres { sessions } => {
                sessions.home.as_ref().map_or("", |home| home.schema.as_str())
            }
        }
    }
}
