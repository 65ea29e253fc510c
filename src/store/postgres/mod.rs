//! The chunk writer of PostgreSQL: a chunk goes into a temporary table by binary COPY, then a few
//! set-based statements do the rest, on a connection that the writer has for itself.

mod copy;
mod merge;
mod references;
mod sql;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{DbBackend, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::accounts::{Account, Outcome};
use super::error::{Doing, StoreError};
use super::notes::RowNames;
use super::references::References;
use super::rows::complete;
use super::stored::unsigned;
use super::target::Target;
use super::told::{Fenced, Teller};
use super::writer::{ChunkWriter, WriterSettings, Written};
use crate::domain::chunk::Chunk;
use crate::domain::counts::Counts;
use crate::faults::fault;

/// One lane's connection, and what it knows of the job.
pub(super) struct PostgresWriter {
    options: PgConnectOptions,
    /// Gone after an error; the next chunk connects again.
    connection: Option<PgConnection>,
    pub(super) settings: WriterSettings,
    names: RowNames,
    pub(super) target: Target,
    pub(super) references: References,
    sql: sql::Statements,
    /// Reused from chunk to chunk.
    pub(super) buffer: Vec<u8>,
    /// Most records of the last chunk were in the table already.
    pub(super) mostly_known: bool,
    /// Triggers of the table may leave rows out without a word.
    pub(super) has_triggers: bool,
}

impl PostgresWriter {
    pub(super) async fn open(
        options: PgConnectOptions,
        settings: WriterSettings,
        target: Target,
    ) -> Result<Self, StoreError> {
        let sql = sql::Statements::new(&target);
        let references = References::new(&target);
        let names = RowNames::new(&settings.dataset, &settings.plan);
        let mut writer = Self {
            options,
            connection: None,
            settings,
            names,
            target,
            references,
            sql,
            buffer: Vec::new(),
            mostly_known: false,
            has_triggers: false,
        };
        let mut connection = writer.connect().await?;
        references::load(&mut connection, &mut writer.references)
            .await
            .doing("read the names of the references")?;
        writer.has_triggers = sqlx::query_scalar(AssertSqlSafe(writer.sql.has_triggers.clone()))
            .fetch_one(&mut connection)
            .await
            .doing("look for triggers")?;
        writer.connection = Some(connection);
        Ok(writer)
    }

    /// Opens a session. Compiling a statement of a chunk would take longer than running it.
    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let mut connection = self.options.connect().await.doing("connect to PostgreSQL")?;
        let settings = "SET jit = off; \
                        SET client_min_messages = warning; SET TIME ZONE 'UTC'; \
                        SET idle_in_transaction_session_timeout = '60s'";
        sqlx::raw_sql(settings).execute(&mut connection).await.doing("prepare a session")?;
        for table in &self.sql.prepare {
            sqlx::raw_sql(AssertSqlSafe(table.clone()))
                .execute(&mut connection)
                .await
                .doing("create the stage")?;
        }
        Ok(connection)
    }
}

#[async_trait]
impl ChunkWriter for PostgresWriter {
    async fn commit(&mut self, chunk: Arc<Chunk>) -> Result<Written, StoreError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut written = self.try_commit(&mut connection, &chunk, false).await;
        if let Err(error) = &written
            && merge::is_fault_of_row(error)
        {
            self.references.forget();
            written = self.try_commit(&mut connection, &chunk, true).await;
        }
        match &written {
            Ok(_) if !self.settings.job.options.dry_run => self.references.settle(),
            _ => self.references.forget(),
        }
        match &written {
            // A connection that failed may be in any state; a new one is certain.
            Err(StoreError::Postgres { .. }) => {}
            _ => self.connection = Some(connection),
        }
        written
    }
}

impl PostgresWriter {
    /// One attempt; `careful` looks for the rows that the database refuses.
    async fn try_commit(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        careful: bool,
    ) -> Result<Written, StoreError> {
        let job = self.settings.job.clone();
        let mut transaction = connection.begin().await.doing("begin a chunk")?;
        fault!("chunk.begin", StoreError::busy());
        let (now, already) = look(&mut transaction, job.id, chunk.number).await?;
        if already {
            transaction.rollback().await.doing("leave a chunk that is committed")?;
            return Ok(Written { counts: Counts::default(), already: true });
        }
        if job.options.dry_run {
            run_plain(&mut transaction, "SAVEPOINT rows").await?;
        }
        let mut outcome = self.rows(&mut transaction, chunk, now, careful).await?;
        fault!("chunk.rows", StoreError::busy());
        outcome.references = self.references.take_created(job.options.dry_run);
        if job.options.dry_run {
            run_plain(&mut transaction, "ROLLBACK TO SAVEPOINT rows").await?;
        }
        complete(&mut outcome, chunk);
        let left = Arc::clone(&self.settings.notes_left);
        let teller = Teller { names: &self.names, left: &left, every_row: self.settings.every_row };
        let (backend, at) = (DbBackend::Postgres, Expr::value(now));
        let mut account = Account::new(backend, &at, &job, chunk, &outcome, &teller);
        let closed = self.close(&mut transaction, &mut account, chunk, now, &outcome).await;
        let committed = match closed {
            Ok(fenced) => commit(transaction).await.map(|()| fenced),
            Err(error) => {
                // The answer does not matter: without a commit nothing is written.
                let _rolled_back = transaction.rollback().await;
                Err(error)
            }
        };
        match committed {
            Ok(fenced) => self.settings.asked(fenced.row_events),
            Err(error) => {
                account.told.undo(&left);
                return Err(error);
            }
        }
        let known = outcome.counts.updated + outcome.counts.unchanged;
        self.mostly_known = known > outcome.counts.created;
        Ok(Written { counts: outcome.counts, already: false })
    }

    async fn close(
        &self,
        connection: &mut PgConnection,
        account: &mut Account,
        chunk: &Chunk,
        now: DateTime<Utc>,
        outcome: &Outcome,
    ) -> Result<Fenced, StoreError> {
        for note in &account.notes {
            run(connection, note).await.doing("store the notes on a chunk")?;
        }
        fault!("chunk.proof", StoreError::busy());
        run(connection, &account.proof).await.doing("store the proof of a chunk")?;
        if !outcome.failed.is_empty() {
            let kept = self.settings.keep_failed.keep(chunk.number, &outcome.failed).await;
            kept.map_err(StoreError::KeepFailed)?;
            fault!("chunk.kept", StoreError::busy());
            fault!("chunk.room", StoreError::no_room());
        }
        // Late: it locks the job's row, which the other lane needs too.
        let fenced = fence(connection, &account.fence).await.doing("add a chunk to its job")?;
        let fenced = fenced.ok_or(StoreError::LostLease { job: self.settings.job.id })?;
        let backend = DbBackend::Postgres;
        for told in account.told.behind_the_fence(backend, now, chunk, fenced, &self.settings) {
            run(connection, &told).await.doing("tell what became of a chunk")?;
        }
        Ok(fenced)
    }
}

async fn commit(transaction: sqlx::Transaction<'_, sqlx::Postgres>) -> Result<(), StoreError> {
    fault!("chunk.commit", StoreError::busy());
    transaction.commit().await.doing("commit a chunk")?;
    fault!("chunk.committed", StoreError::busy());
    Ok(())
}

/// The database's time, and whether the chunk is committed already.
async fn look(
    connection: &mut PgConnection,
    job: i64,
    number: u32,
) -> Result<(DateTime<Utc>, bool), StoreError> {
    sqlx::query_as(
        "SELECT CURRENT_TIMESTAMP, EXISTS \
         (SELECT 1 FROM import_chunks WHERE import_log_id = $1 AND number = $2)",
    )
    .bind(job)
    .bind(i32::try_from(number).unwrap_or(i32::MAX))
    .fetch_one(connection)
    .await
    .doing("look for the chunk")
}

pub(super) async fn run_plain(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<(), StoreError> {
    sqlx::raw_sql(sql).execute(connection).await.doing("steer a transaction")?;
    Ok(())
}

/// Runs the fence; nothing when the job is no longer ours.
async fn fence(
    connection: &mut PgConnection,
    fence: &Statement,
) -> Result<Option<Fenced>, sqlx::Error> {
    let query = sqlx::query_as_with(AssertSqlSafe(fence.sql.clone()), values(fence));
    let row: Option<(i64, i64, bool)> = query.fetch_optional(connection).await?;
    Ok(row.map(|(event_count, processed, row_events)| Fenced {
        event_count: unsigned(event_count),
        processed: unsigned(processed),
        row_events,
    }))
}

/// Runs a statement that sea-orm built.
async fn run(connection: &mut PgConnection, statement: &Statement) -> Result<u64, sqlx::Error> {
    let query = sqlx::query_with(AssertSqlSafe(statement.sql.clone()), values(statement));
    Ok(query.execute(connection).await?.rows_affected())
}

fn values(statement: &Statement) -> SqlxValues {
    SqlxValues(statement.values.clone().unwrap_or(sea_orm::Values(Vec::new())))
}
