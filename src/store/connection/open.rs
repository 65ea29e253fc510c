//! Opening the database: which connections there are for whom, on either database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{SqlxPostgresConnector, SqlxSqliteConnector};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Mutex;

use crate::store::connection::address::Address;
use crate::store::connection::idle_writers::IdleWriters;
use crate::store::connection::reach::{self, Reached};
use crate::store::connection::sessions::{
    ACQUIRE_TIMEOUT, LIST_TIMEOUT, REQUEST_TIMEOUT, Sessions,
};
use crate::store::connection::{migrate, probe};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::sqlite::busy_timeout::BusyTimeout;
use crate::store::{Database, Store};

/// Connections for what requests ask, but for lists.
const CONNECTIONS: u32 = 4;

/// Connections for lists of clients.
const LIST_CONNECTIONS: u32 = 2;

/// Connections for what running jobs ask, besides those of their writers.
const CONNECTIONS_FOR_WORK: u32 = 3;

/// Steps of SQLite's machine between two looks at the clock: less than a millisecond.
const STEPS_PER_LOOK: i32 = 10_000;

/// What the store must know to open its database.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// `postgres://…` or `sqlite:path`; without it the SQLite file at `sqlite_path`.
    pub database_url: Option<String>,
    /// Where the embedded database lies.
    pub sqlite_path: PathBuf,
    /// The schema of new installations on PostgreSQL.
    pub schema: String,
    /// How long a server that fell silent keeps its jobs. Its transactions are not kept much longer.
    pub lease: Duration,
}

impl StoreSettings {
    /// The file of an SQLite database; `None` of any other address.
    pub(super) fn sqlite_file(&self) -> Option<PathBuf> {
        match self.database_url.as_deref() {
            None => Some(self.sqlite_path.clone()),
            Some(url) if url.starts_with("sqlite:") => Some(sqlite_path(url)),
            Some(_) => None,
        }
    }
}

impl Store {
    /// Opens the database and runs the migrations that are missing.
    ///
    /// # Errors
    /// When the address is no database's, the database does not answer, or a migration fails.
    pub async fn connect(settings: &StoreSettings) -> Result<Self, StoreError> {
        match settings.database_url.as_deref() {
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Self::connect_postgres(url, settings).await
            }
            Some(url) if url.starts_with("sqlite:") => Self::connect_sqlite(sqlite_path(url)).await,
            Some(_) => Err(StoreError::BadUrl {
                why: "it begins neither with `postgres://` nor with `sqlite:`".to_owned(),
            }),
            None => Self::connect_sqlite(settings.sqlite_path.clone()).await,
        }
    }

    /// Opens the database and makes nothing in it: no migration runs, and no file is made.
    ///
    /// # Errors
    /// When the address is no database's, or the database does not answer.
    pub async fn open_as_it_is(settings: &StoreSettings) -> Result<Self, StoreError> {
        let path = match settings.database_url.as_deref() {
            Some(url) if url.starts_with("sqlite:") => sqlite_path(url),
            None => settings.sqlite_path.clone(),
            Some(url) => {
                let Reached { options, version } = reach::reach(Address::parse(url)?).await?;
                let mut sessions = Sessions::new(options, version, settings.lease);
                sessions.home = migrate::home(&sessions, &settings.schema).await?;
                return Ok(Self::on_postgres(sessions));
            }
        };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .foreign_keys(true)
            .busy_timeout(BusyTimeout::LONGEST)
            .disable_statement_logging();
        let pool = sqlite_pool(1).connect_with(options).await.context("open the database")?;
        let database = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        Ok(Self {
            write: database.clone(),
            read: database.clone(),
            lists: database.clone(),
            probe: database,
            kind: Database::Sqlite {
                path,
                write_lock: Arc::new(Mutex::new(BusyTimeout::default())),
                idle_writers: IdleWriters::default(),
            },
            noted: Arc::default(),
        })
    }

    async fn connect_sqlite(path: PathBuf) -> Result<Self, StoreError> {
        let options = sqlite_options(&path);
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
        let lists = sqlite_pool(LIST_CONNECTIONS)
            .after_connect(|connection, _| Box::pin(limit_lists(connection)))
            .before_acquire(|connection, _| {
                Box::pin(async move { limit_lists(connection).await.map(|()| true) })
            })
            .connect_lazy_with(options.clone());
        let of = |pool| SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        let store = Self {
            write: of(write),
            read: of(sqlite_pool(CONNECTIONS).connect_lazy_with(options.clone())),
            lists: of(lists),
            probe: of(sqlite_pool(1).connect_lazy_with(options)),
            kind: Database::Sqlite {
                path,
                write_lock: Arc::new(Mutex::new(BusyTimeout::default())),
                idle_writers: IdleWriters::default(),
            },
            noted: Arc::default(),
        };
        // The lock on the data directory keeps other servers away.
        if migrate::pending(&store.write, None).await?.is_some() {
            migrate::bring_up(&store.write, None).await?;
        }
        Ok(store)
    }

    async fn connect_postgres(url: &str, settings: &StoreSettings) -> Result<Self, StoreError> {
        let Reached { options, version } = reach::reach(Address::parse(url)?).await?;
        let mut sessions = Sessions::new(options, version, settings.lease);
        probe::refuse_shared_sessions(&sessions).await?;
        sessions.home = migrate::migrate(&sessions, &settings.schema).await?;
        let store = Self::on_postgres(sessions);
        store.check_own_rights().await?;
        Ok(store)
    }

    /// Connections are opened when they are needed.
    fn on_postgres(sessions: Sessions) -> Self {
        let of = |pool| SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        let write = of(sessions.pool(CONNECTIONS, Some(REQUEST_TIMEOUT)));
        Self {
            read: write.clone(),
            write,
            lists: of(sessions.pool(LIST_CONNECTIONS, Some(LIST_TIMEOUT))),
            probe: of(sessions.probe_pool()),
            kind: Database::Postgres { sessions: Box::new(sessions) },
            noted: Arc::default(),
        }
    }

    /// The same database through connections of its own: what running jobs ask does not wait behind
    /// what requests ask, and the other way round. On SQLite everybody waits for the one writer.
    #[must_use]
    pub fn for_work(&self) -> Self {
        match &self.kind {
            Database::Sqlite { path, .. } => {
                let pool = sqlite_pool(CONNECTIONS_FOR_WORK);
                let pool = pool.connect_lazy_with(sqlite_options(path));
                let read = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
                Self { lists: read.clone(), read, ..self.clone() }
            }
            Database::Postgres { sessions } => {
                let pool = sessions.pool(CONNECTIONS_FOR_WORK, None);
                let write = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
                Self { read: write.clone(), lists: write.clone(), write, ..self.clone() }
            }
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        for connection in [&self.write, &self.read, &self.lists, &self.probe] {
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

/// The file of an address such as `sqlite:///srv/shop.db`.
fn sqlite_path(url: &str) -> PathBuf {
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    PathBuf::from(path.strip_prefix("//").unwrap_or(path))
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BusyTimeout::LONGEST)
        .pragma("wal_autocheckpoint", "20000")
        // Small questions only: the rows of files go through the chunk writer.
        .pragma("cache_size", "-512")
        .disable_statement_logging()
}

fn sqlite_pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT)
}

/// Ends what the connection is asked next when it has taken its time.
async fn limit_lists(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let end = Instant::now() + LIST_TIMEOUT;
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(STEPS_PER_LOOK, move || Instant::now() < end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, TransactionTrait};

    use super::*;

    async fn store_in(folder: &Path) -> Store {
        let settings = StoreSettings {
            database_url: None,
            sqlite_path: folder.join("loadbay.sqlite"),
            schema: "loadbay".to_owned(),
            lease: Duration::from_secs(30),
        };
        Store::connect(&settings).await.unwrap()
    }

    #[tokio::test]
    async fn a_list_that_takes_too_long_is_ended_and_the_next_is_not() {
        let place = tempfile::tempdir().unwrap();
        let store = store_in(place.path()).await;
        let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) \
                       SELECT count(*) FROM n";
        let ended = store.lists.execute_unprepared(endless).await.context("list");
        let ended = ended.unwrap_err();
        assert!(ended.is_cancelled(), "{ended:?}");
        assert_eq!(ended.code(), crate::domain::error_code::ErrorCode::StatementCancelled);
        store.lists.execute_unprepared("SELECT count(*) FROM import_log").await.unwrap();
    }

    #[tokio::test]
    async fn after_a_full_disk_a_commit_is_a_commit() {
        let place = tempfile::tempdir().unwrap();
        let store = store_in(place.path()).await;
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
