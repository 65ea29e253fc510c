//! A database of a test's own, and direct access to its tables, so that an assertion sees what is
//! stored and not what the server says of it.

use std::path::{Path, PathBuf};

use sqlx::{Row, TypeInfo, ValueRef};

use super::cluster;
use super::session::Session;

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// The database of one test. The one on PostgreSQL is dropped with this value.
#[derive(Debug)]
pub(crate) enum Database {
    /// The file that the server makes in its data folder.
    Sqlite { path: PathBuf },
    /// A fresh database in the cluster of the tests.
    Postgres { session: Session, name: String },
    /// A PostgreSQL database that somebody else made and removes.
    Given { session: Session },
}

impl Database {
    /// A database for a server with this data folder.
    pub(crate) async fn create(kind: Kind, data_dir: &Path) -> Self {
        if kind == Kind::Sqlite {
            return Self::Sqlite { path: data_dir.join("loadbay.sqlite") };
        }
        Self::create_postgres("").await
    }

    /// A PostgreSQL database that somebody else made and removes.
    pub(crate) fn given(address: String) -> Self {
        Self::Given { session: Session::new(address) }
    }

    async fn create_postgres(template: &str) -> Self {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let cluster = cluster::address();
        let create = Session::new(cluster.to_owned());
        create.run(&format!("create database {name} {template}")).await;
        create.close().await;
        let (server, _) = cluster.rsplit_once('/').expect("the address ends with a database");
        Self::Postgres { session: Session::new(format!("{server}/{name}")), name }
    }

    /// A copy of a database that nobody uses, for a server with this data folder, which has the
    /// file of an SQLite database already.
    pub(crate) async fn copy(of: &Self, data_dir: &Path) -> Self {
        let Self::Postgres { name: origin, session } = of else {
            return Self::Sqlite { path: data_dir.join("loadbay.sqlite") };
        };
        session.close().await;
        Self::create_postgres(&format!("template {origin}")).await
    }

    /// The value of `DATABASE_URL` for the server; none means SQLite in the data folder.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { session, .. } | Self::Given { session } => Some(session.address()),
        }
    }

    /// Which database this is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite { .. } => Kind::Sqlite,
            Self::Postgres { .. } | Self::Given { .. } => Kind::Postgres,
        }
    }

    /// The rows that a query gives, every value as text, the same on both databases: no value is
    /// `NULL`, booleans are `0` and `1`, UUIDs are written with hyphens. Decimals are as stored.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Sqlite { path } => sqlite_rows(path, sql),
            Self::Postgres { session, .. } | Self::Given { session } => {
                postgres_rows(session, sql).await
            }
        }
    }

    /// The one value that a query gives.
    pub(crate) async fn value(&self, sql: &str) -> String {
        match self.rows(sql).await.as_slice() {
            [row] if row.len() == 1 => row.concat(),
            rows => panic!("`{sql}` gives {rows:?}, not one value"),
        }
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&self, sql: &str) -> u64 {
        let value = self.value(sql).await;
        value.parse().unwrap_or_else(|_| panic!("`{sql}` gives {value}, not a number"))
    }

    /// Changes the tables behind the server's back, to prepare a state.
    pub(crate) async fn execute(&self, sql: &str) {
        match self {
            Self::Sqlite { path } => {
                let connection = rusqlite::Connection::open(path).expect("the database opens");
                connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
                connection.execute_batch(sql).unwrap_or_else(|e| panic!("`{sql}`: {e}"));
            }
            Self::Postgres { session, .. } | Self::Given { session } => {
                session.run(sql).await;
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Self::Postgres { name, .. } = self else { return };
        let drop_it = format!("drop database if exists {name} with (force)");
        // A runtime of its own: this may run inside the test's runtime, which cannot wait here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let cluster = Session::new(cluster::address().to_owned());
            runtime.expect("a runtime").block_on(cluster.run(&drop_it));
        });
        let is_dropped = dropped.join().is_ok();
        assert!(is_dropped || std::thread::panicking(), "the test's database was not dropped");
    }
}

fn sqlite_rows(path: &Path, sql: &str) -> Vec<Vec<String>> {
    use rusqlite::types::ValueRef as Value;

    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = rusqlite::Connection::open_with_flags(path, flags)
        .unwrap_or_else(|e| panic!("{} does not open: {e}", path.display()));
    connection.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    let mut statement = connection.prepare(sql).unwrap_or_else(|e| panic!("`{sql}`: {e}"));
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..width)
            .map(|index| {
                Ok(match row.get_ref(index)? {
                    Value::Null => "NULL".to_owned(),
                    Value::Integer(number) => number.to_string(),
                    Value::Real(number) => number.to_string(),
                    Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    Value::Blob(bytes) => match uuid::Uuid::from_slice(bytes) {
                        Ok(uuid) => uuid.to_string(),
                        Err(_) => format!("{bytes:02x?}"),
                    },
                })
            })
            .collect()
    });
    let rows: Result<_, rusqlite::Error> = rows.and_then(Iterator::collect);
    rows.unwrap_or_else(|e| panic!("`{sql}`: {e}"))
}

async fn postgres_rows(session: &Session, sql: &str) -> Vec<Vec<String>> {
    let rows = session.run(sql).await;
    let text = |row: &sqlx::postgres::PgRow, index: usize| {
        let value = row.try_get_raw(index).expect("the column is there");
        if value.is_null() {
            return "NULL".to_owned();
        }
        let is_boolean = value.type_info().name() == "BOOL";
        match value.as_str().expect("the value is text") {
            "t" if is_boolean => "1".to_owned(),
            "f" if is_boolean => "0".to_owned(),
            text => text.to_owned(),
        }
    };
    rows.iter().map(|row| (0..row.len()).map(|index| text(row, index)).collect()).collect()
}
