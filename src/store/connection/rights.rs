//! The rights that a server needs on PostgreSQL: asked at the start, so that no job ends for want of
//! one.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::dataset::TableName;
use crate::store::chunk::target::quoted_table;
use crate::store::connection::home::Home;
use crate::store::connection::start_fault::{MissingRight, StartFault};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

/// The tables that Loadbay itself owns.
const OWN_TABLES: [&str; 18] = [
    "access_keys",
    "access_sessions",
    "import_log",
    "import_bulks",
    "import_chunks",
    "import_errors",
    "import_superseded",
    "import_differences",
    "import_events",
    "import_error_groups",
    "import_undo",
    "import_chunk_keys",
    "import_mappings",
    "import_database",
    "import_outbox",
    "import_search",
    "import_webhooks",
    "import_webhook_deliveries",
];

/// The table that says which migrations are done.
pub(super) const MIGRATIONS: &str = "seaql_migrations";

const ACTION: &str = "look at the rights of the role";

/// Between the names of a list in one parameter.
const SEPARATOR: &str = "\u{1f}";

/// Between a schema and its table there.
const BEHIND_SCHEMA: &str = "\u{1e}";

/// Rights that are missing on the tables `$1`, from some of which rows are deleted if `$2`; on their
/// sequences; and on the database, where chunks have their temporary tables. A table that is not
/// there is somebody else's fault.
const MISSING: &str = "WITH named AS (SELECT CASE WHEN part[2] IS NOT NULL THEN part[1] END AS schema, \
     part[cardinality(part)] AS name FROM unnest(string_to_array($1, chr(31))) AS t (name), \
     string_to_array(name, chr(30)) AS part), \
     asked AS (SELECT CASE WHEN schema IS NULL THEN to_regclass(quote_ident(name))::oid \
     ELSE (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = schema AND c.relname = named.name) END AS id, schema, \
     concat_ws('.', quote_ident(schema), quote_ident(name)) AS name FROM named) \
     SELECT string_agg(word, ', ' ORDER BY word DESC) AS words, object FROM ( \
     SELECT word, 'TABLE ' || name AS object FROM asked \
     CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS w (word) \
     WHERE NOT has_any_column_privilege(id, word) \
     UNION ALL SELECT 'DELETE', 'TABLE ' || name FROM asked \
     WHERE $2 AND NOT has_table_privilege(id, 'DELETE') \
     UNION ALL SELECT DISTINCT 'USAGE', 'SCHEMA ' || quote_ident(schema) FROM asked \
     WHERE id IS NOT NULL AND NOT has_schema_privilege(schema, 'USAGE') \
     UNION ALL SELECT 'USAGE', 'SEQUENCE ' || s.oid::regclass::text FROM pg_class s \
     JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'a' \
     JOIN asked ON d.refobjid = asked.id \
     WHERE CASE s.relkind WHEN 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE') END \
     UNION ALL SELECT 'TEMPORARY', 'DATABASE ' || quote_ident(current_database()) \
     WHERE NOT has_database_privilege(current_database(), 'TEMPORARY') \
     ) AS missing GROUP BY object ORDER BY object";

impl Store {
    /// Refuses to go on where a right on Loadbay's own tables is missing.
    pub(super) async fn check_own_rights(&self) -> Result<(), StoreError> {
        let Database::Postgres { sessions } = &self.kind else { return Ok(()) };
        self.check_rights_on(&own_tables(sessions.home.as_ref()), true).await
    }

    /// Refuses to go on where rows of one of these tables may not be read or written, or rows of one of
    /// `joins` not deleted. SQLite has no roles.
    ///
    /// # Errors
    /// When a right is missing, or the database does not answer.
    pub async fn check_rights(
        &self,
        tables: &[String],
        joins: &[String],
    ) -> Result<(), StoreError> {
        self.check_rights_on(tables, false).await?;
        self.check_rights_on(joins, true).await
    }

    async fn check_rights_on(&self, tables: &[String], deletes: bool) -> Result<(), StoreError> {
        let Database::Postgres { .. } = self.kind else { return Ok(()) };
        let missing = missing_rights(&self.read, tables, deletes).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let ask = Statement::from_string(DbBackend::Postgres, "SELECT current_user::text AS name");
        let role = self.read.query_one_raw(ask).await.context(ACTION)?;
        let role = role.map(|row| row.try_get("", "name")).transpose().context(ACTION)?;
        Err(StartFault::MissingRights { role: role.unwrap_or_default(), missing }.into())
    }
}

/// Loadbay's own tables, with the schema that is their own.
fn own_tables(home: Option<&Home>) -> Vec<String> {
    let schema = home.map(|home| home.schema.clone());
    let named = |name: &str| TableName { schema: schema.clone(), name: name.to_owned() };
    OWN_TABLES.iter().map(|name| named(name).to_string()).collect()
}

/// The rights that are missing on Loadbay's own tables, and to learn which migrations are done.
pub(super) async fn missing_own_rights(
    database: &DatabaseConnection,
    home: Option<&Home>,
) -> Result<Vec<MissingRight>, StoreError> {
    let schema = home.map(|home| home.schema.clone());
    let migrations = TableName { schema, name: MIGRATIONS.to_owned() };
    let on = format!("TABLE {}", quoted_table(&migrations.to_string()));
    let mut missing = vec![MissingRight { right: "SELECT".to_owned(), on }];
    missing.extend(missing_rights(database, &own_tables(home), true).await?);
    Ok(missing)
}

async fn missing_rights(
    database: &DatabaseConnection,
    tables: &[String],
    deletes: bool,
) -> Result<Vec<MissingRight>, StoreError> {
    let parts = |table: &String| {
        let TableName { schema, name } = TableName::of(table);
        schema.map_or(name.clone(), |schema| format!("{schema}{BEHIND_SCHEMA}{name}"))
    };
    let tables: Vec<String> = tables.iter().map(parts).collect();
    let values = [tables.join(SEPARATOR).into(), deletes.into()];
    let ask = Statement::from_sql_and_values(DbBackend::Postgres, MISSING, values);
    let rows = database.query_all_raw(ask).await.context(ACTION)?;
    let right = |row: &sea_orm::QueryResult| -> Result<_, sea_orm::DbErr> {
        Ok(MissingRight { right: row.try_get("", "words")?, on: row.try_get("", "object")? })
    };
    rows.iter().map(right).collect::<Result<_, _>>().context(ACTION)
}
