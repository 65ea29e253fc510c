//! The transactions of a rollback: through sea-orm on both databases. A rollback is rare, and being
//! written once is worth more to it than speed.

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait,
    FromQueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::OwnedMutexGuard;

use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::protocol::{ChunkTx, CommitState};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::sqlite::busy_timeout::BusyTimeout;
use crate::store::{Database, Store};

/// Foreign keys refuse their row at once, not the whole chunk at the end. Images show times in UTC,
/// as those of the journal do. Other jobs may hold a lock for as long as a chunk takes.
const POSTGRES_SETTINGS: &str = "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL TIME ZONE 'UTC'; \
     SET LOCAL lock_timeout = 0; SET LOCAL jit = off";

/// One transaction at a time.
pub(in crate::store) struct RollbackTx {
    store: Store,
    connection: DatabaseConnection,
    open: Option<OpenTransaction>,
}

struct OpenTransaction {
    transaction: DatabaseTransaction,
    _write_lock: Option<OwnedMutexGuard<BusyTimeout>>,
}

impl RollbackTx {
    /// Nothing is connected before the first transaction.
    pub(in crate::store) fn new(store: &Store) -> Self {
        let connection = match &store.kind {
            Database::Sqlite { .. } => store.write.clone(),
            // One of its own: what other jobs ask does not wait behind a chunk.
            Database::Postgres { sessions } => {
                sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(sessions.pool(1, None))
            }
        };
        Self { store: store.clone(), connection, open: None }
    }

    /// The open transaction.
    pub(in crate::store) fn transaction(&self) -> Result<&DatabaseTransaction, StoreError> {
        self.open.as_ref().map(|open| &open.transaction).ok_or(StoreError::WriterDied)
    }

    async fn begin_locked(&self) -> Result<OpenTransaction, StoreError> {
        let action = "begin a chunk";
        let write_lock = self.store.lock_writes().await;
        let options = TransactionOptions {
            // A read lock that is raised later can fail in the middle.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.connection.begin_with_options(options).await.context(action)?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            transaction.execute_unprepared(POSTGRES_SETTINGS).await.context(action)?;
        }
        Ok(OpenTransaction { transaction, _write_lock: write_lock })
    }
}

#[async_trait]
impl ChunkTx for RollbackTx {
    fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        self.open = Some(self.begin_locked().await?);
        Ok(())
    }

    async fn is_committed(&mut self, job: i64, chunk: u32) -> Result<CommitState, StoreError> {
        let number = i32::try_from(chunk).unwrap_or(i32::MAX);
        let committed = entity::import_chunk::Entity::find_by_id((job, number))
            .one(self.transaction()?)
            .await
            .context("look for the chunk")?;
        match committed {
            Some(_) => Ok(CommitState::Committed),
            None => Ok(CommitState::Open(self.store.time(self.transaction()?).await?)),
        }
    }

    async fn run(
        &mut self,
        statement: &Statement,
        action: &'static str,
    ) -> Result<u64, StoreError> {
        let done = self.transaction()?.execute_raw(statement.clone()).await.context(action)?;
        Ok(done.rows_affected())
    }

    async fn fence(&mut self, statement: &Statement) -> Result<Option<FencedJob>, StoreError> {
        let fenced = FencedJob::find_by_statement(statement.clone());
        fenced.one(self.transaction()?).await.context("add a chunk to its job")
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let open = self.open.take().ok_or(StoreError::WriterDied)?;
        open.transaction.commit().await.context("commit a chunk")
    }

    async fn rollback(&mut self) {
        if let Some(open) = self.open.take() {
            // The answer does not matter: without a commit nothing is written.
            let _rolled_back = open.transaction.rollback().await;
        }
    }
}
