//! Bringing the tables up to date. Where nothing is to be done nothing is done: a role that may not
//! change tables can start a server.

use migration::{Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqlxPostgresConnector, Statement,
    TransactionTrait,
};
use sqlx::postgres::PgPool;

use crate::dataset::TableName;
use crate::store::chunk::target::quoted_table;
use crate::store::connection::home::Home;
use crate::store::connection::rights::{MIGRATIONS, missing_own_rights};
use crate::store::connection::sessions::Sessions;
use crate::store::connection::start_fault::StartFault;
use crate::store::error::{ErrorContext, StoreError};

/// Key of the advisory lock that lets one server at a time migrate a PostgreSQL database.
pub(in crate::store) const MIGRATION_LOCK: i64 = 0x4c6f_6164_6261_7901;

const LOOK: &str = "look which migrations are done";

/// Migrations that are not done, or done and unknown.
#[derive(Debug)]
pub(super) struct Pending {
    /// Those that are to be done, oldest first.
    names: Vec<String>,
    /// The first one that a newer program did.
    unknown: Option<String>,
}

impl Pending {
    /// The migrations that are to be done, and the first one that is unknown.
    pub(super) fn parts(self) -> (Vec<String>, Option<String>) {
        (self.names, self.unknown)
    }
}

/// What is to be done to the tables; `None` when that is nothing.
pub(super) async fn pending(
    database: &DatabaseConnection,
    home: Option<&Home>,
) -> Result<Option<Pending>, StoreError> {
    let backend = database.get_database_backend();
    let table = match backend {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations' \
             AND $1 = ''"
        }
        // Another program's table of that name may lie on the rest of the path.
        _ => {
            "SELECT c.oid FROM pg_class c WHERE c.relname = 'seaql_migrations' \
             AND CASE WHEN $1 = '' THEN c.oid = to_regclass('seaql_migrations') \
             ELSE c.relnamespace = to_regnamespace(quote_ident($1)) END"
        }
    };
    let schema = home.map_or("", |home| home.schema.as_str());
    let table = Statement::from_sql_and_values(backend, table, [schema.into()]);
    let ask = |sql: &str| Statement::from_string(backend, sql);
    let known = Migrator::names();
    if database.query_one_raw(table).await.context(LOOK)?.is_none() {
        return Ok(Some(Pending { names: known, unknown: None }));
    }
    // With its schema: who may not use that is not told that there is no table.
    let schema = home.map(|home| home.schema.clone());
    let table = TableName { schema, name: MIGRATIONS.to_owned() }.to_string();
    let versions = format!("SELECT version FROM {}", quoted_table(&table));
    let rows = database.query_all_raw(ask(&versions)).await;
    let done: Vec<String> = rows
        .context(LOOK)?
        .iter()
        .map(|row| row.try_get("", "version"))
        .collect::<Result<_, _>>()
        .context(LOOK)?;
    let unknown = done.iter().find(|name| !known.contains(name)).cloned();
    let names: Vec<_> = known.into_iter().filter(|name| !done.contains(name)).collect();
    Ok((!names.is_empty() || unknown.is_some()).then_some(Pending { names, unknown }))
}

/// Runs the migrations that are not done, on PostgreSQL under an advisory lock: servers that start
/// together migrate once. Answers where the tables are.
///
/// # Errors
/// When the role may not, a newer program was here, the database does not answer, or a migration
/// fails.
pub(super) async fn migrate(sessions: &Sessions, schema: &str) -> Result<Option<Home>, StoreError> {
    let mut sessions = sessions.clone();
    sessions.home = home(&sessions, schema).await?;
    let pool = sessions.patient_pool();
    let database = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let home = sessions.home;
    let migrated = match pending(&database, home.as_ref()).await {
        Ok(None) => Ok(()),
        Ok(Some(pending)) => run(&database, &pool, &pending, home.as_ref()).await,
        Err(error) if error.is_missing_right() => refusal(&database, home.as_ref()).await,
        Err(error) => Err(error),
    };
    pool.close().await;
    migrated.map(|()| home)
}

/// Where the tables are, or will be.
pub(super) async fn home(sessions: &Sessions, schema: &str) -> Result<Option<Home>, StoreError> {
    let pool = sessions.patient_pool();
    let database = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let home = Home::find(&database, schema).await;
    pool.close().await;
    home
}

/// Why it cannot be seen which migrations are done.
async fn refusal(database: &DatabaseConnection, home: Option<&Home>) -> Result<(), StoreError> {
    let role = Role::of(database, home).await?.name;
    let missing = missing_own_rights(database, home).await?;
    Err(StartFault::MissingRights { role, missing }.into())
}

async fn run(
    database: &DatabaseConnection,
    pool: &PgPool,
    pending: &Pending,
    home: Option<&Home>,
) -> Result<(), StoreError> {
    let role = Role::of(database, home).await?;
    if let Some(migration) = &pending.unknown {
        let (database, migration) = (role.database, migration.clone());
        return Err(StartFault::NewerTables { database, migration }.into());
    }
    let may_not = |missing: String| StartFault::MayNotMigrate {
        role: role.name.clone(),
        database: role.database.clone(),
        count: pending.names.len(),
        missing,
    };
    if let Some(missing) = role.missing() {
        return Err(may_not(missing).into());
    }
    let mut lock = pool.acquire().await.context("connect to PostgreSQL")?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *lock)
        .await
        .context("wait for another server's migration")?;
    let migrated = bring_up(database, home).await;
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *lock)
        .await
        .context("end the migration")?;
    drop(lock);
    match migrated {
        Err(error) if error.is_missing_right() => {
            let answer = error.answer_text().unwrap_or_default();
            Err(may_not(format!("PostgreSQL says `{answer}`")).into())
        }
        migrated => migrated,
    }
}

/// Makes the schema, runs the migrations, and shows the views where others look for them: all of it
/// or, where something fails, nothing.
pub(super) async fn bring_up(
    database: &DatabaseConnection,
    home: Option<&Home>,
) -> Result<(), StoreError> {
    let action = "bring the tables up to date";
    let transaction = database.begin().await.context(action)?;
    if let Some(home) = home {
        home.create(&transaction).await?;
    }
    Migrator::up(&transaction, None).await.context(action)?;
    if let Some(home) = home {
        home.show_views(&transaction).await?;
    }
    transaction.commit().await.context(action)
}

/// Who we are in the database.
struct Role {
    name: String,
    database: String,
    /// Where new tables go.
    schema: Option<String>,
    /// The schema is there, or no schema is to be made.
    has_schema: bool,
    may_create: bool,
}

impl Role {
    async fn of(database: &DatabaseConnection, home: Option<&Home>) -> Result<Self, StoreError> {
        let action = "look at the rights of the role";
        let ask = "SELECT current_user::text AS name, current_database()::text AS database, \
             CASE WHEN $1 = '' THEN current_schema()::text ELSE $1 END AS schema, \
             $1 = '' OR to_regnamespace(quote_ident($1)) IS NOT NULL AS has_schema, \
             coalesce(CASE WHEN $1 = '' THEN has_schema_privilege(current_schema(), 'CREATE') \
             WHEN to_regnamespace(quote_ident($1)) IS NULL \
             THEN has_database_privilege(current_database(), 'CREATE') \
             ELSE has_schema_privilege($1, 'CREATE') AND has_schema_privilege($1, 'USAGE') END, \
             false) AS may_create";
        let schema = home.map_or("", |home| home.schema.as_str());
        let ask = Statement::from_sql_and_values(DbBackend::Postgres, ask, [schema.into()]);
        let row = database.query_one_raw(ask).await.context(action)?;
        let row = row.ok_or(sea_orm::DbErr::RecordNotFound(action.to_owned())).context(action)?;
        Ok(Self {
            name: row.try_get("", "name").context(action)?,
            database: row.try_get("", "database").context(action)?,
            schema: row.try_get("", "schema").context(action)?,
            has_schema: row.try_get("", "has_schema").context(action)?,
            may_create: row.try_get("", "may_create").context(action)?,
        })
    }

    /// The right without which no table can be made.
    fn missing(&self) -> Option<String> {
        match &self.schema {
            None => Some("USAGE on a schema of its `search_path` is missing".to_owned()),
            Some(_) if self.may_create => None,
            Some(schema) if self.has_schema => {
                Some(format!("USAGE, CREATE on schema `{schema}` is missing"))
            }
            Some(schema) => Some(format!(
                "there is no schema `{schema}`, and CREATE on database `{}` is missing; an \
                 administrator runs `CREATE SCHEMA \"{schema}\" AUTHORIZATION \"{}\"`, or \
                 LOADBAY_SCHEMA names another schema",
                self.database, self.name
            )),
        }
    }
}
