//! What is asked of a database besides its tables: whether sessions are ours alone, and whether it
//! takes changes.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use uuid::Uuid;

use crate::store::connection::sessions::Sessions;
use crate::store::connection::start_fault::StartFault;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

/// How often two connections look at what each has set: a pooler may give each another session for a
/// while.
const LOOKS: u32 = 8;

const ACTION: &str = "look whether the sessions are ours alone";

/// Refuses a database behind a pooler that gives one session to several connections. Temporary
/// tables, LISTEN, advisory locks and prepared statements belong to a session.
///
/// A connection sets a value of its own. As long as it is open, it alone sees that value.
pub(super) async fn refuse_shared_sessions(sessions: &Sessions) -> Result<(), StoreError> {
    let connect = || async { sessions.writer().await.context("connect to PostgreSQL") };
    let (mut own, mut other) = (connect().await?, connect().await?);
    let marks = [Uuid::new_v4(), Uuid::new_v4()].map(|mark| mark.to_string());
    let mut is_shared = false;
    set(&mut own, &marks[0]).await?;
    for _ in 0..LOOKS {
        set(&mut other, &marks[1]).await?;
        is_shared |= seen(&mut own).await? != marks[0];
        is_shared |= seen(&mut other).await? != marks[1];
        if is_shared {
            break;
        }
    }
    for connection in [own, other] {
        // They have answered: how they take the end does not matter.
        let _ = connection.close().await;
    }
    if is_shared { Err(StartFault::SharedSessions.into()) } else { Ok(()) }
}

async fn set(connection: &mut PgConnection, mark: &str) -> Result<(), StoreError> {
    let set = format!("SELECT set_config('loadbay.connection', '{mark}', false)");
    sqlx::raw_sql(AssertSqlSafe(set)).execute(connection).await.map(drop).context(ACTION)
}

async fn seen(connection: &mut PgConnection) -> Result<String, StoreError> {
    let look = "SELECT coalesce(current_setting('loadbay.connection', true), '') AS mark";
    let row = sqlx::raw_sql(look).fetch_one(connection).await.context(ACTION)?;
    row.try_get("mark").context(ACTION)
}

impl Store {
    /// True when the connection to PostgreSQL is encrypted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn speaks_tls(&self) -> Result<bool, StoreError> {
        let action = "look how the database is reached";
        let Database::Postgres { .. } = self.kind else { return Ok(false) };
        let ask = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let ask = Statement::from_string(DbBackend::Postgres, ask);
        let row = self.probe.query_one_raw(ask).await.context(action)?;
        let ssl = row.map(|row| row.try_get("", "ssl")).transpose().context(action)?;
        Ok(ssl.unwrap_or(false))
    }

    /// Asks the database for a sign of life, on a connection of its own, and whether it takes
    /// changes.
    ///
    /// # Errors
    /// When it does not answer; `ReadOnly` when it takes no changes.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let action = "reach the database";
        match &self.kind {
            Database::Sqlite { path, .. } => {
                self.probe.ping().await.context(action)?;
                let access = rustix::fs::access(path, rustix::fs::Access::WRITE_OK);
                if access.is_err() { Err(StoreError::ReadOnly) } else { Ok(()) }
            }
            Database::Postgres { .. } => {
                let ask = "SELECT current_setting('transaction_read_only') = 'on' AS is_read_only";
                let ask = Statement::from_string(DbBackend::Postgres, ask);
                let row = self.probe.query_one_raw(ask).await.context(action)?;
                let is_read_only = row.map(|row| row.try_get("", "is_read_only")).transpose();
                if is_read_only.context(action)? == Some(true) {
                    return Err(StoreError::ReadOnly);
                }
                Ok(())
            }
        }
    }
}
