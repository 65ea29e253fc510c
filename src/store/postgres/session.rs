//! The transactions of chunks on PostgreSQL, on a connection that a writer has for itself.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, FromQueryResult, QueryResult, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::protocol::{ChunkTx, CommitState};
use crate::store::connection::sessions::Sessions;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::small;

/// A session with temporary tables of its own.
pub(in crate::store) struct PostgresTx {
    sessions: Sessions,
    /// Create the temporary tables.
    prepare: Vec<String>,
    /// Gone when its state is unknown after an error; the next transaction connects again.
    connection: Option<PgConnection>,
    /// False outside of any transaction: then another job may have the connection.
    is_busy: bool,
    /// The transaction has a marked place.
    is_marked: bool,
}

impl PostgresTx {
    pub(super) fn new(sessions: Sessions, prepare: Vec<String>) -> Self {
        Self { sessions, prepare, connection: None, is_busy: false, is_marked: false }
    }

    /// The connection; opens one with its temporary tables if there is none.
    pub(super) async fn open(&mut self) -> Result<&mut PgConnection, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Drops the connection, of which nothing is known any more.
    pub(super) fn give_up(&mut self) {
        self.connection = None;
    }

    /// The connection of the open transaction.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection.as_mut().ok_or(StoreError::WriterDied)
    }

    async fn connect(&self) -> Result<PgConnection, StoreError> {
        if let Some(rested) = self.sessions.idle_writers.take(&self.prepare) {
            return Ok(rested);
        }
        let mut connection = self.sessions.writer().await.context("connect to PostgreSQL")?;
        for table in &self.prepare {
            sqlx::raw_sql(AssertSqlSafe(table.clone()))
                .execute(&mut connection)
                .await
                .context("create the stage")?;
        }
        Ok(connection)
    }
}

#[async_trait]
impl ChunkTx for PostgresTx {
    fn backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        (self.is_busy, self.is_marked) = (true, false);
        run_plain(self.open().await?, "BEGIN").await
    }

    async fn is_committed(&mut self, job: i64, chunk: u32) -> Result<CommitState, StoreError> {
        let look = sqlx::query_as(
            "SELECT CURRENT_TIMESTAMP, EXISTS \
             (SELECT 1 FROM import_chunks WHERE import_log_id = $1 AND number = $2)",
        );
        let (now, is_committed): (DateTime<Utc>, bool) = look
            .bind(job)
            .bind(small(chunk))
            .fetch_one(self.connection()?)
            .await
            .context("look for the chunk")?;
        Ok(if is_committed { CommitState::Committed } else { CommitState::Open(now) })
    }

    async fn run(
        &mut self,
        statement: &Statement,
        action: &'static str,
    ) -> Result<u64, StoreError> {
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.clone()), values(statement));
        let done = query.execute(self.connection()?).await.context(action)?;
        Ok(done.rows_affected())
    }

    async fn fence(&mut self, statement: &Statement) -> Result<Option<FencedJob>, StoreError> {
        let action = "add a chunk to its job";
        let query = sqlx::query_with(AssertSqlSafe(statement.sql.clone()), values(statement));
        let row = query.fetch_optional(self.connection()?).await.context(action)?;
        let fenced = row.map(|row| FencedJob::from_query_result(&QueryResult::from(row), ""));
        fenced.transpose().context(action)
    }

    async fn mark(&mut self) -> Result<(), StoreError> {
        let mark = if std::mem::replace(&mut self.is_marked, true) {
            "RELEASE SAVEPOINT chunk; SAVEPOINT chunk"
        } else {
            "SAVEPOINT chunk"
        };
        run_plain(self.connection()?, mark).await
    }

    async fn back_to_mark(&mut self) -> Result<(), StoreError> {
        run_plain(self.connection()?, "ROLLBACK TO SAVEPOINT chunk").await
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let done = sqlx::raw_sql("COMMIT").execute(self.connection()?).await;
        self.is_busy = done.is_err();
        done.map(drop).context("commit a chunk")
    }

    async fn rollback(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        // A connection that does not take this may be in any state: a new one is certain.
        if sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.is_ok() {
            self.connection = Some(connection);
            self.is_busy = false;
        }
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|_| !self.is_busy) {
            self.sessions.idle_writers.keep(std::mem::take(&mut self.prepare), connection);
        }
    }
}

/// Runs a statement without parameters.
pub(super) async fn run_plain(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<(), StoreError> {
    sqlx::raw_sql(sql).execute(connection).await.context("control a transaction")?;
    Ok(())
}

fn values(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or(sea_orm::Values(Vec::new())))
}
