//! Opening the database, bringing its tables up to date.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use migration::{Migrator, MigratorTrait};
use sea_orm::{SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;

use crate::store::connection::sessions::{ACQUIRE_TIMEOUT, Sessions};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::sqlite::busy_timeout::BusyTimeout;
use crate::store::{Database, Store};

/// Key of the advisory lock that lets one server at a time migrate a PostgreSQL database.
const MIGRATION_LOCK: i64 = 0x4c6f_6164_6261_7901;

/// Connections for what requests ask of PostgreSQL.
const CONNECTIONS: u32 = 5;

/// Connections for what running jobs ask of PostgreSQL, besides those of their writers.
const CONNECTIONS_FOR_WORK: u32 = 3;

/// What the store must know to open its database.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// `postgres://…` or `sqlite:path`; without it the SQLite file at `sqlite_path`.
    pub database_url: Option<String>,
    /// Where the embedded database lies.
    pub sqlite_path: PathBuf,
    /// How long a server that fell silent keeps its jobs. Its transactions are not kept much longer.
    pub lease: Duration,
}

impl Store {
    /// Opens the database and runs the migrations that are missing.
    ///
    /// # Errors
    /// When the address is no database's, the database does not answer, or a migration fails.
    pub async fn connect(settings: &StoreSettings) -> Result<Self, StoreError> {
        match settings.database_url.as_deref() {
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Self::connect_postgres(url, settings.lease).await
            }
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => {
                    let path = path.strip_prefix("//").unwrap_or(path);
                    Self::connect_sqlite(PathBuf::from(path)).await
                }
                None => Err(StoreError::BadUrl {
                    why: "it begins neither with `postgres://` nor with `sqlite:`".to_owned(),
                }),
            },
            None => Self::connect_sqlite(settings.sqlite_path.clone()).await,
        }
    }

    async fn connect_sqlite(path: PathBuf) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BusyTimeout::LONGEST)
            .pragma("wal_autocheckpoint", "20000")
            // Small questions only: the rows of files go through the chunk writer.
            .pragma("cache_size", "-512")
            .disable_statement_logging();
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            // On a full disk SQLite rolls back by itself, and sqlx takes itself to be inside of a
            // transaction from then on: what is "committed" next is not. Such a connection is not
            // used again; closing it ends whatever is open.
            .after_release(|connection, _| {
                Box::pin(async move {
                    // A rollback that was only asked for is done when this is answered.
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone())
            .await
            .context("open the database")?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_with(options)
            .await
            .context("open the database")?;
        let write = SqlxSqliteConnector::from_sqlx_sqlite_pool(write);
        let read = SqlxSqliteConnector::from_sqlx_sqlite_pool(read);
        // The lock on the data directory keeps other servers away.
        Migrator::up(&write, None).await.context("bring the tables up to date")?;
        Ok(Self {
            write,
            read,
            kind: Database::Sqlite {
                path,
                write_lock: Arc::new(Mutex::new(BusyTimeout::default())),
            },
        })
    }

    async fn connect_postgres(url: &str, lease: Duration) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|source| StoreError::BadUrl { why: without_address(&source) })?
            .application_name("loadbay")
            // A merge of ten thousand rows may take its second; that is no news.
            .disable_statement_logging();
        let sessions = Sessions::new(options, lease);
        migrate_alone(sessions.patient_pool()).await?;
        let write = SqlxPostgresConnector::from_sqlx_postgres_pool(sessions.pool(CONNECTIONS));
        let kind = Database::Postgres { sessions: Box::new(sessions) };
        Ok(Self { read: write.clone(), write, kind })
    }

    /// The same database through connections of its own: what running jobs ask does not wait behind
    /// what requests ask, and the other way round. On SQLite everybody waits for the one writer.
    #[must_use]
    pub fn for_work(&self) -> Self {
        let Database::Postgres { sessions } = &self.kind else { return self.clone() };
        let pool = sessions.pool(CONNECTIONS_FOR_WORK);
        let write = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        Self { read: write.clone(), write, kind: self.kind.clone() }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read.ping().await.context("reach the database")
    }

    /// Closes all connections.
    pub async fn close(&self) {
        for connection in [&self.write, &self.read] {
            if let Err(error) = connection.close_by_ref().await {
                tracing::warn!(
                    event = "connection_close_failed",
                    %error,
                    "database connection did not close cleanly"
                );
            }
        }
    }
}

/// Runs the migrations under an advisory lock: servers that start together migrate once.
async fn migrate_alone(pool: PgPool) -> Result<(), StoreError> {
    let mut lock = pool.acquire().await.context("connect to PostgreSQL")?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *lock)
        .await
        .context("wait for another server's migration")?;
    let database = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
    let migrated = Migrator::up(&database, None).await;
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut *lock)
        .await
        .context("end the migration")?;
    drop(lock);
    pool.close().await;
    migrated.context("bring the tables up to date")
}

/// sqlx quotes the address in some of its errors; it may hold a password.
fn without_address(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(source) => source.to_string(),
        _ => "it cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, TransactionTrait};

    use super::*;

    #[tokio::test]
    async fn after_a_full_disk_a_commit_is_a_commit() {
        let place = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            database_url: None,
            sqlite_path: place.path().join("loadbay.sqlite"),
            lease: Duration::from_secs(30),
        };
        let store = Store::connect(&settings).await.unwrap();
        store.write.execute_unprepared("CREATE TABLE things (content BLOB)").await.unwrap();
        for round in 1..4 {
            let transaction = store.write.begin().await.unwrap();
            // As large as the file may be: what it is now.
            transaction.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
            let large = "INSERT INTO things VALUES (zeroblob(1000000))";
            let full = transaction.execute_unprepared(large).await.context("fill the disk");
            assert!(full.unwrap_err().is_storage_full());
            drop(transaction);

            let undone = store.write.begin().await.unwrap();
            undone.execute_unprepared("INSERT INTO things VALUES (x'00')").await.unwrap();
            undone.rollback().await.unwrap();
            let kept = store.write.begin().await.unwrap();
            kept.execute_unprepared("INSERT INTO things VALUES (x'00')").await.unwrap();
            kept.commit().await.unwrap();
            let other = rusqlite::Connection::open(place.path().join("loadbay.sqlite")).unwrap();
            let seen = other.query_row("SELECT count(*) FROM things", [], |row| row.get(0));
            assert_eq!(seen, Ok(round));
        }
    }
}
