//! The chunk writer of PostgreSQL: a chunk goes into a temporary table by binary COPY, then a few
//! set-based statements do the rest, on a connection that the writer has for itself.

mod copy;
mod merge;
mod references;
mod sql;
mod undo;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DbBackend, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Postgres, Transaction};

pub(super) use undo::PostgresUndoer;

use crate::domain::chunk::Chunk;
use crate::domain::counts::Counts;
use crate::faults::fault;
use crate::store::chunk::events::Fenced;
use crate::store::chunk::ledger::{ChunkLedger, ChunkOutcome};
use crate::store::chunk::references::References;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::rows::complete;
use crate::store::chunk::target::Target;
use crate::store::chunk::writer::{ChunkWriter, WriterSettings, Written};
use crate::store::connection::sessions::Sessions;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// One partition's connection, and what it knows of the job.
pub(super) struct PostgresWriter {
    sessions: Sessions,
    /// Gone after an error; the next chunk connects again.
    connection: Option<PgConnection>,
    pub(super) settings: WriterSettings,
    names: RowLabels,
    pub(super) target: Target,
    pub(super) references: References,
    sql: sql::ImportSql,
    /// Only of a job that can be taken back.
    journal: Option<undo::PostgresJournal>,
    /// Reused from chunk to chunk.
    pub(super) buffer: Vec<u8>,
    /// Most records of the last chunk were in the table already.
    pub(super) mostly_known: bool,
    /// Triggers of the table may leave rows out without a word.
    pub(super) has_triggers: bool,
}

impl PostgresWriter {
    pub(super) async fn open(
        sessions: Sessions,
        settings: WriterSettings,
        target: Target,
    ) -> Result<Self, StoreError> {
        let sql = sql::ImportSql::new(&target);
        let references = References::new(&target);
        let names = RowLabels::new(&settings.dataset, &settings.plan);
        let undo = settings.job.options.undo && !settings.job.options.dry_run;
        let journal = undo.then(|| undo::PostgresJournal::new(&target));
        let mut writer = Self {
            sessions,
            connection: None,
            settings,
            names,
            target,
            references,
            sql,
            journal,
            buffer: Vec::new(),
            mostly_known: false,
            has_triggers: false,
        };
        let mut connection = writer.connect().await?;
        references::load(&mut connection, &mut writer.references)
            .await
            .context("read the names of the references")?;
        writer.has_triggers = sqlx::query_scalar(AssertSqlSafe(writer.sql.has_triggers.clone()))
            .fetch_one(&mut connection)
            .await
            .context("look for triggers")?;
        writer.connection = Some(connection);
        Ok(writer)
    }

    /// Opens a session with its stage.
    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let tables = self.sql.prepare.iter().chain(self.journal.as_ref().map(|it| &it.prepare));
        open_session(&self.sessions, tables).await
    }
}

/// Opens a session with its temporary tables.
async fn open_session(
    sessions: &Sessions,
    tables: impl IntoIterator<Item = &String> + Send,
) -> Result<PgConnection, StoreError> {
    let mut connection = sessions.writer().await.context("connect to PostgreSQL")?;
    let tables: Vec<&String> = tables.into_iter().collect();
    for table in tables {
        sqlx::raw_sql(AssertSqlSafe(table.clone()))
            .execute(&mut connection)
            .await
            .context("create the stage")?;
    }
    Ok(connection)
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
        if written.as_ref().is_err_and(is_committed_already) {
            // An earlier commit whose answer was lost came to its end only now.
            self.references.forget();
            written = Ok(Written { counts: Counts::default(), already: true });
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
        isolate_rows: bool,
    ) -> Result<Written, StoreError> {
        let job = self.settings.job.clone();
        let mut transaction = connection.begin().await.context("begin a chunk")?;
        fault!("chunk.begin", StoreError::busy());
        let (now, already) = look(&mut transaction, job.id, chunk.number).await?;
        if already {
            transaction.rollback().await.context("leave a chunk that is committed")?;
            return Ok(Written { counts: Counts::default(), already: true });
        }
        if job.options.dry_run {
            run_plain(&mut transaction, "SAVEPOINT rows").await?;
        }
        let mut outcome = self.rows(&mut transaction, chunk, now, isolate_rows).await?;
        fault!("chunk.rows", StoreError::busy());
        outcome.references = self.references.take_created(job.options.dry_run);
        if job.options.dry_run {
            run_plain(&mut transaction, "ROLLBACK TO SAVEPOINT rows").await?;
        }
        complete(&mut outcome, chunk);
        conclude(transaction, &self.names, &mut self.settings, chunk, &outcome, now).await?;
        let known = outcome.counts.updated + outcome.counts.unchanged;
        self.mostly_known = known > outcome.counts.created;
        Ok(Written { counts: outcome.counts, already: false })
    }
}

/// Stores the accounts of a chunk, puts its failed rows aside and commits.
async fn conclude(
    mut transaction: Transaction<'_, Postgres>,
    names: &RowLabels,
    settings: &mut WriterSettings,
    chunk: &Chunk,
    outcome: &ChunkOutcome,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let mut ledger = ChunkLedger::new(DbBackend::Postgres, now, settings, names, chunk, outcome);
    let closed = close(&mut transaction, &mut ledger, chunk, now, outcome, settings).await;
    let ended = match closed {
        Ok(fenced) => commit(transaction).await.map(|()| fenced),
        Err(error) => {
            // The answer does not matter: without a commit nothing is written.
            let _rolled_back = transaction.rollback().await;
            Err(error)
        }
    };
    ledger.finish(ended, settings)
}

/// True when the chunk could not be written because its proof is committed.
fn is_committed_already(error: &StoreError) -> bool {
    let StoreError::Postgres { source: sqlx::Error::Database(answer), .. } = error else {
        return false;
    };
    answer.is_unique_violation() && answer.table() == Some("import_chunks")
}

async fn close(
    connection: &mut PgConnection,
    ledger: &mut ChunkLedger,
    chunk: &Chunk,
    now: DateTime<Utc>,
    outcome: &ChunkOutcome,
    settings: &WriterSettings,
) -> Result<Fenced, StoreError> {
    fault!("chunk.proof", StoreError::busy());
    // First: where an earlier commit of the chunk is still on its way, this is what waits for it and
    // what meets it. Its notes would be taken for a fault.
    run(connection, &ledger.commit_record).await.context("store the proof of a chunk")?;
    for note in &ledger.notes {
        run(connection, note).await.context("store the notes on a chunk")?;
    }
    if !outcome.failed.is_empty() {
        let kept = settings.keep_failed.keep(chunk.number, &outcome.failed).await;
        kept.map_err(StoreError::FailedRows)?;
        fault!("chunk.kept", StoreError::busy());
        fault!("chunk.room", StoreError::no_room());
    }
    // Late: it locks the job's row, which the other partition needs too.
    let fenced = fence(connection, &ledger.fence).await.context("add a chunk to its job")?;
    let fenced = fenced.ok_or(StoreError::LostLease { job: settings.job.id })?;
    let backend = DbBackend::Postgres;
    for told in ledger.events.after_fence(backend, now, chunk, fenced, settings) {
        run(connection, &told).await.context("tell what became of a chunk")?;
    }
    Ok(fenced)
}

async fn commit(transaction: Transaction<'_, Postgres>) -> Result<(), StoreError> {
    fault!("chunk.commit", StoreError::busy());
    transaction.commit().await.context("commit a chunk")?;
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
    .context("look for the chunk")
}

pub(super) async fn run_plain(
    connection: &mut PgConnection,
    sql: &'static str,
) -> Result<(), StoreError> {
    sqlx::raw_sql(sql).execute(connection).await.context("control a transaction")?;
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
