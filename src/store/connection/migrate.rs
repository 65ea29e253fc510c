//! Bringing the tables up to date. Where nothing is to be done nothing is done: a role that may not
//! change tables can start a server.

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, SqlxPostgresConnector, Statement};
use sqlx::postgres::PgPool;

use crate::store::connection::rights::missing_own_rights;
use crate::store::connection::sessions::Sessions;
use crate::store::connection::start_fault::StartFault;
use crate::store::error::{ErrorContext, StoreError};

/// Key of the advisory lock that lets one server at a time migrate a PostgreSQL database.
const MIGRATION_LOCK: i64 = 0x4c6f_6164_6261_7901;

const LOOK: &str = "look which migrations are done";

/// Migrations that are not done, or done and unknown.
#[derive(Debug)]
pub(super) struct Pending {
    /// How many are to be done.
    count: usize,
    /// The first one that a newer program did.
    unknown: Option<String>,
}

/// What is to be done to the tables; `None` when that is nothing.
pub(super) async fn pending(database: &DatabaseConnection) -> Result<Option<Pending>, StoreError> {
    let backend = database.get_database_backend();
    let table = match backend {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'seaql_migrations'"
        }
        _ => "SELECT 1 WHERE to_regclass('seaql_migrations') IS NOT NULL",
    };
    let ask = |sql: &str| Statement::from_string(backend, sql);
    let known = Migrator::names();
    if database.query_one_raw(ask(table)).await.context(LOOK)?.is_none() {
        return Ok(Some(Pending { count: known.len(), unknown: None }));
    }
    let rows = database.query_all_raw(ask("SELECT version FROM seaql_migrations")).await;
    let done: Vec<String> = rows
        .context(LOOK)?
        .iter()
        .map(|row| row.try_get("", "version"))
        .collect::<Result<_, _>>()
        .context(LOOK)?;
    let count = known.iter().filter(|name| !done.contains(name)).count();
    let unknown = done.into_iter().find(|name| !known.contains(name));
    Ok((count > 0 || unknown.is_some()).then_some(Pending { count, unknown }))
}

/// Runs the migrations that are not done, on PostgreSQL under an advisory lock: servers that start
/// together migrate once.
///
/// # Errors
/// When the role may not, a newer program was here, the database does not answer, or a migration
/// fails.
pub(super) async fn migrate(sessions: &Sessions) -> Result<(), StoreError> {
    let pool = sessions.patient_pool();
    let database = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrated = match pending(&database).await {
        Ok(None) => Ok(()),
        Ok(Some(pending)) => run(&database, &pool, &pending).await,
        Err(error) if error.is_missing_right() => refusal(&database).await,
        Err(error) => Err(error),
    };
    pool.close().await;
    migrated
}

/// Why it cannot be seen which migrations are done.
async fn refusal(database: &DatabaseConnection) -> Result<(), StoreError> {
    let role = Role::of(database).await?.name;
    let missing = missing_own_rights(database).await?;
    Err(StartFault::MissingRights { role, missing }.into())
}

async fn run(
    database: &DatabaseConnection,
    pool: &PgPool,
    pending: &Pending,
) -> Result<(), StoreError> {
    let role = Role::of(database).await?;
    if let Some(migration) = &pending.unknown {
        let (database, migration) = (role.database, migration.clone());
        return Err(StartFault::NewerTables { database, migration }.into());
    }
    let may_not = |missing: String| StartFault::MayNotMigrate {
        role: role.name.clone(),
        database: role.database.clone(),
        count: pending.count,
        missing,
    };
    match (&role.schema, role.may_create) {
        (None, _) => {
            let missing = "USAGE on a schema of its `search_path` is missing".to_owned();
            return Err(may_not(missing).into());
        }
        (Some(schema), false) => {
            return Err(may_not(format!("CREATE on schema `{schema}` is missing")).into());
        }
        (Some(_), true) => {}
    }
    let mut lock = pool.acquire().await.context("connect to PostgreSQL")?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *lock)
        .await
        .context("wait for another server's migration")?;
    let migrated = Migrator::up(database, None).await.context("bring the tables up to date");
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

/// Who we are in the database.
struct Role {
    name: String,
    database: String,
    /// Where new tables go.
    schema: Option<String>,
    may_create: bool,
}

impl Role {
    async fn of(database: &DatabaseConnection) -> Result<Self, StoreError> {
        let action = "look at the rights of the role";
        let ask = "SELECT current_user::text AS name, current_database()::text AS database, \
                   current_schema()::text AS schema, \
                   coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create";
        let row = database.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await;
        let row = row.context(action)?;
        let row = row.ok_or(sea_orm::DbErr::RecordNotFound(action.to_owned())).context(action)?;
        Ok(Self {
            name: row.try_get("", "name").context(action)?,
            database: row.try_get("", "database").context(action)?,
            schema: row.try_get("", "schema").context(action)?,
            may_create: row.try_get("", "may_create").context(action)?,
        })
    }
}
