//! Where the tables of Loadbay lie in a PostgreSQL database: in a schema of their own, so that they
//! stand beside the tables of any shop. An installation that is there already stays where it is.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use crate::store::chunk::target::quoted;
use crate::store::error::{ErrorContext, StoreError};

const ACTION: &str = "look where the tables of Loadbay are";

/// `is_own`: the schema `$1` has an installation. `is_elsewhere`: one is found without it. Other
/// programs have a `seaql_migrations`, too; only ours has an `import_log` with leases beside it.
const LOOK: &str = "SELECT current_setting('search_path') AS path, \
     EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = $1 AND c.relname = 'seaql_migrations') AS is_own, \
     EXISTS (SELECT 1 FROM pg_class m JOIN pg_class l ON l.relnamespace = m.relnamespace \
     JOIN pg_attribute a ON a.attrelid = l.oid \
     WHERE m.oid = to_regclass('seaql_migrations') AND l.relname = 'import_log' \
     AND a.attname = 'lease_epoch') AS is_elsewhere";

/// The views of older operators.
const VIEWS: [&str; 2] = ["ImportLog", "ImportErrorsLog"];

/// The statements that show the views `$2` of the schema `$1` in the first other schema of the path.
const SHOW: &str = "SELECT format('CREATE VIEW %I.%I AS SELECT * FROM %I.%I', other, name, $1, name) \
     AS statement FROM unnest(string_to_array($2, chr(31))) AS v (name), \
     LATERAL (SELECT s AS other FROM unnest(current_schemas(false)) WITH ORDINALITY AS p (s, place) \
     WHERE s <> $1 ORDER BY place LIMIT 1) o \
     WHERE has_schema_privilege(other, 'CREATE') \
     AND to_regclass(format('%I.%I', other, name)) IS NULL \
     AND to_regclass(format('%I.%I', $1, name)) IS NOT NULL";

/// A schema for the tables of Loadbay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    /// The schema.
    pub(crate) schema: String,
    /// The search path of every session: the schema, then that of the role.
    pub(crate) search_path: String,
    /// The search path of the role, then the schema.
    pub(crate) search_path_of_role: String,
}

impl Home {
    /// The schema for this database; `None` where an installation is found without one.
    pub(super) async fn find(
        database: &DatabaseConnection,
        schema: &str,
    ) -> Result<Option<Self>, StoreError> {
        let ask = Statement::from_sql_and_values(DbBackend::Postgres, LOOK, [schema.into()]);
        let row = database.query_one_raw(ask).await.context(ACTION)?;
        let row = row.ok_or(sea_orm::DbErr::RecordNotFound(ACTION.to_owned())).context(ACTION)?;
        let is = |name: &str| row.try_get::<bool>("", name).context(ACTION);
        if is("is_elsewhere")? && !is("is_own")? {
            return Ok(None);
        }
        let path: String = row.try_get("", "path").context(ACTION)?;
        let own = quoted(schema);
        let (search_path, search_path_of_role) = match path.trim() {
            "" | "\"\"" => (own.clone(), own),
            path => (format!("{own}, {path}"), format!("{path}, {own}")),
        };
        Ok(Some(Self { schema: schema.to_owned(), search_path, search_path_of_role }))
    }

    /// Makes the schema if it is missing. A statement that leaves one alone that is there would need
    /// the right to make one all the same.
    pub(super) async fn create(&self, database: &impl ConnectionTrait) -> Result<(), StoreError> {
        let ask = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
        let ask =
            Statement::from_sql_and_values(DbBackend::Postgres, ask, [self.schema.as_str().into()]);
        if database.query_one_raw(ask).await.context(ACTION)?.is_none() {
            let create = format!("CREATE SCHEMA {}", quoted(&self.schema));
            database.execute_unprepared(&create).await.context("create the schema")?;
        }
        Ok(())
    }

    /// Shows the views of older operators where these look for them: in the schema in which the role
    /// would make its tables. A name that is taken there, or a schema that is not open to the role,
    /// is left alone.
    pub(super) async fn show_views(
        &self,
        database: &impl ConnectionTrait,
    ) -> Result<(), StoreError> {
        let ask = Statement::from_sql_and_values(
            DbBackend::Postgres,
            SHOW,
            [self.schema.as_str().into(), VIEWS.join("\u{1f}").into()],
        );
        for row in database.query_all_raw(ask).await.context(ACTION)? {
            let create: String = row.try_get("", "statement").context(ACTION)?;
            database.execute_unprepared(&create).await.context("show the views of operators")?;
        }
        Ok(())
    }
}
