//! A connection to PostgreSQL that is opened when it is first needed and kept: a test that looks
//! again and again must not cost a new server process each time.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::Mutex;

/// The connection to one database.
#[derive(Debug)]
pub(crate) struct Session {
    address: String,
    open: Mutex<Option<PgConnection>>,
}

impl Session {
    pub(super) fn new(address: String) -> Self {
        Self { address, open: Mutex::new(None) }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Runs statements and gives what they return, every value as text.
    pub(super) async fn run(&self, sql: &str) -> Vec<PgRow> {
        let mut open = self.open.lock().await;
        if let Some(mut kept) = open.take() {
            match fetch(&mut kept, sql).await {
                Ok(rows) => {
                    *open = Some(kept);
                    return rows;
                }
                // The server was restarted or cut the connection; a new one does.
                Err(error) if is_cut(&error) => {}
                Err(error) => panic!("`{sql}`: {error}"),
            }
        }
        let mut new = connect(&self.address).await;
        let rows = fetch(&mut new, sql).await.unwrap_or_else(|e| panic!("`{sql}`: {e}"));
        *open = Some(new);
        rows
    }

    /// Ends the connection, so that nobody is in the database.
    pub(super) async fn close(&self) {
        if let Some(kept) = self.open.lock().await.take() {
            let _ = kept.close().await;
        }
    }
}

/// An unprepared query gives every value as text, whatever its type.
async fn fetch(connection: &mut PgConnection, sql: &str) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await
}

fn is_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The classes "operator intervention" and "connection exception".
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
        }
        _ => false,
    }
}

async fn connect(address: &str) -> PgConnection {
    let mut connection = PgConnection::connect(address).await.unwrap_or_else(|e| {
        panic!("PostgreSQL for the tests does not answer ({e}); run them with `scripts/test`")
    });
    // What a test makes goes where a user's tables are; what the server made is found, too.
    let set = fetch(&mut connection, "set search_path = public, loadbay").await;
    set.expect("a session has a search path");
    connection
}
