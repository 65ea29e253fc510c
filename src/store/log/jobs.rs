//! Jobs as records: put in, looked up one by one, or as far as they changed. Lists are in `list`.

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};
use uuid::Uuid;

use crate::domain::event::lifecycle;
use crate::domain::job::{Job, NewJob};
use crate::domain::trace::TraceContext;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::emit;
use crate::store::log::bulks::bulk_with_key;
use crate::store::log::job_row::{job, unsigned, waiting};

/// Jobs that one query reads by their numbers: well under the bind limit of both databases.
const IDS_PER_QUERY: usize = 500;

/// What is being done when a job cannot be stored.
const STORE_JOB: &str = "store the job";

/// What became of a new job.
#[derive(Debug)]
pub enum Inserted {
    /// It is stored now.
    New(Job),
    /// Its `Idempotency-Key` belongs to this job already.
    KeyTaken(Job),
    /// Its `Idempotency-Key` belongs to this bulk already.
    KeyOfBulk(Uuid),
}

/// A state of a job, to be compared with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobMark {
    /// The job.
    pub id: i64,
    /// The number of its last event.
    pub event_count: u64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Store {
    /// Stores a new job as PENDING. Only servers that reach `storage_location`, where its file lies, can
    /// run it.
    pub async fn insert(
        &self,
        new: &NewJob,
        storage_location: &str,
    ) -> Result<Inserted, StoreError> {
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(STORE_JOB)?;
        self.insert_within(transaction, new, storage_location).await
    }

    /// The same at the end of a transaction, which is committed or rolled back. The caller holds the
    /// write lock.
    pub(in crate::store) async fn insert_within(
        &self,
        transaction: DatabaseTransaction,
        new: &NewJob,
        storage_location: &str,
    ) -> Result<Inserted, StoreError> {
        // Before the row, which takes a number also when it is not stored.
        if let Some(job) = self.holder(&transaction, new.idempotency_key.as_deref()).await? {
            transaction.rollback().await.context(STORE_JOB)?;
            let is_own = job.uuid == new.uuid;
            return Ok(if is_own { Inserted::New(job) } else { Inserted::KeyTaken(job) });
        }
        if let Some(bulk) = bulk_with_key(&transaction, new.idempotency_key.as_deref()).await? {
            transaction.rollback().await.context(STORE_JOB)?;
            return Ok(Inserted::KeyOfBulk(bulk));
        }
        let now = self.time(&transaction).await?;
        let row = waiting(new, storage_location, now);
        let action = STORE_JOB;
        fault!("submit.before", StoreError::busy());
        let inserted = import_log::Entity::insert_many([row])
            // Its key or its own uuid: asked again because the answer was lost, it is there already.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_with_returning(&transaction)
            .await
            .context(action)?;
        if let Some(row) = inserted.into_iter().next() {
            let mut job = job(row)?;
            let events = lifecycle::received(&job);
            emit(&transaction, &mut job, &events).await.context(action)?;
            notify(&transaction, job.id).await.context(action)?;
            transaction.commit().await.context(action)?;
            fault!("submit.after", StoreError::busy());
            return Ok(Inserted::New(job));
        }
        transaction.rollback().await.context(action)?;
        if let Some(stored) = self.get_by_uuid(new.uuid).await? {
            return Ok(Inserted::New(stored));
        }
        match self.get_by_key(new.idempotency_key.as_deref().unwrap_or_default()).await? {
            Some(job) => Ok(Inserted::KeyTaken(job)),
            None => Err(StoreError::Query {
                action: STORE_JOB,
                source: sea_orm::DbErr::RecordNotInserted.into(),
            }),
        }
    }

    /// The job that has the key of a new one or of a bulk. When there is none, nobody else stores a job under this
    /// key until the transaction ends.
    pub(in crate::store) async fn holder(
        &self,
        transaction: &DatabaseTransaction,
        key: Option<&str>,
    ) -> Result<Option<Job>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        self.lock_key(transaction, key).await?;
        let with_key = import_log::Column::IdempotencyKey.eq(key);
        let found = import_log::Entity::find().filter(with_key).one(transaction).await;
        found.context("look up the Idempotency-Key")?.map(job).transpose()
    }

    /// The job with this `Idempotency-Key`.
    pub async fn get_by_key(&self, key: &str) -> Result<Option<Job>, StoreError> {
        let with_key = import_log::Column::IdempotencyKey.eq(key);
        let found = import_log::Entity::find().filter(with_key).one(&self.read).await;
        found.context("look up the Idempotency-Key")?.map(job).transpose()
    }

    /// The job with this number.
    pub async fn get(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let row =
            import_log::Entity::find_by_id(id).one(&self.read).await.context("read the job")?;
        row.map(job).transpose()
    }

    /// The trace of the request that made a job; `None` where there is none, and of a job that is gone.
    pub async fn trace_of(&self, id: i64) -> Result<Option<TraceContext>, StoreError> {
        let stored: Option<Option<String>> = import_log::Entity::find_by_id(id)
            .select_only()
            .column(import_log::Column::Traceparent)
            .into_tuple()
            .one(&self.read)
            .await
            .context("read the trace of the job")?;
        Ok(stored.flatten().as_deref().and_then(TraceContext::parse))
    }

    /// The job with this folder of files.
    pub async fn get_by_uuid(&self, uuid: Uuid) -> Result<Option<Job>, StoreError> {
        let with_uuid = import_log::Column::Uuid.eq(uuid.to_string());
        let found = import_log::Entity::find().filter(with_uuid).one(&self.read).await;
        found.context("find the job")?.map(job).transpose()
    }

    /// When any job last changed.
    pub async fn last_change(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        import_log::Entity::find()
            .select_only()
            .column(import_log::Column::UpdatedAt)
            .order_by_desc(import_log::Column::UpdatedAt)
            .limit(1)
            .into_tuple()
            .one(&self.read)
            .await
            .context("find the last change")
    }

    /// Which jobs changed at `since` or later, the last change first, at most `limit`.
    pub async fn changed_since(
        &self,
        since: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<JobMark>, StoreError> {
        use import_log::Column as C;
        let rows: Vec<(i64, i64, DateTime<Utc>)> = import_log::Entity::find()
            .select_only()
            .columns([C::Id, C::EventCount, C::UpdatedAt])
            .filter(C::UpdatedAt.gte(since))
            .order_by_desc(C::UpdatedAt)
            .order_by_desc(C::Id)
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await
            .context("find the jobs that changed")?;
        let mark =
            |(id, events, updated_at)| JobMark { id, event_count: unsigned(events), updated_at };
        Ok(rows.into_iter().map(mark).collect())
    }

    /// The jobs with these numbers, oldest first.
    pub async fn jobs(&self, ids: &[i64]) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::with_capacity(ids.len());
        for part in ids.chunks(IDS_PER_QUERY) {
            let rows = import_log::Entity::find()
                .filter(import_log::Column::Id.is_in(part.iter().copied()))
                .order_by_asc(import_log::Column::Id)
                .all(&self.read)
                .await
                .context("read the jobs that changed")?;
            for row in rows {
                jobs.push(job(row)?);
            }
        }
        Ok(jobs)
    }
}
