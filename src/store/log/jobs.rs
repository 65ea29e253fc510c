//! Jobs as records: put in, look up, list. What is stored about their rows is in `row_notes`.

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, TransactionTrait,
};
use uuid::Uuid;

use crate::domain::event::lifecycle;
use crate::domain::job::{Job, NewJob};
use crate::domain::status::JobStatus;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::emit;
use crate::store::log::job_row::{as_json, job, signed, unsigned};

/// Jobs that one query reads by their numbers: well under the bind limit of both databases.
const IDS_PER_QUERY: usize = 500;

/// Jobs with errors, word for word as their indexes say it: with a bound value no database would know
/// that they fit.
const WITH_ERRORS: &str = "(error_count > 0 OR import_status = 'FAILED')";

/// What is being done when a job cannot be stored.
const STORE_JOB: &str = "store the job";

/// What became of a new job.
#[derive(Debug)]
pub enum Inserted {
    /// It is stored now.
    New(Job),
    /// Its `Idempotency-Key` belongs to this job already.
    KeyTaken(Job),
}

/// Which jobs a list shows.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only jobs with this status.
    pub status: Option<JobStatus>,
    /// Only jobs of this dataset.
    pub dataset: Option<String>,
    /// Only jobs that import rows of this one again, or roll it back.
    pub of: Option<i64>,
    /// Only jobs that failed or of which a row failed.
    pub with_errors: bool,
    /// Only jobs older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u64,
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
            return Ok(Inserted::KeyTaken(job));
        }
        let now = self.time(&transaction).await?;
        let row = import_log::ActiveModel {
            uuid: Set(new.uuid.to_string()),
            dataset: Set(new.dataset.clone()),
            file_name: Set(new.file_name.clone()),
            file_size: Set(signed(new.file_size)),
            sha256: Set(new.sha256.clone()),
            import_status: Set(JobStatus::Pending.as_stored().to_owned()),
            options: Set(as_json(&new.options)),
            detected: Set(as_json(&new.detected)),
            warnings: Set(as_json(&new.warnings)),
            dry_run: Set(new.options.dry_run),
            priority: Set(new.options.priority),
            storage_location: Set(storage_location.to_owned()),
            bulk_id: Set(new.bulk_id.map(|id| id.to_string())),
            created_by: Set(new.created_by.clone()),
            idempotency_key: Set(new.idempotency_key.clone()),
            retry_of: Set(new.retry_of),
            rollback_of: Set(new.rollback_of),
            selection: Set(new.selection.as_ref().map(as_json)),
            row_events: Set(false),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        let action = STORE_JOB;
        fault!("submit.before", StoreError::busy());
        let inserted = import_log::Entity::insert_many([row])
            .on_conflict(
                OnConflict::column(import_log::Column::IdempotencyKey).do_nothing().to_owned(),
            )
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
        match self.get_by_key(new.idempotency_key.as_deref().unwrap_or_default()).await? {
            Some(job) => Ok(Inserted::KeyTaken(job)),
            None => Err(StoreError::Query {
                action: STORE_JOB,
                source: sea_orm::DbErr::RecordNotInserted,
            }),
        }
    }

    /// The job that has the key of a new one. When there is none, nobody else stores a job under this
    /// key until the transaction ends.
    async fn holder(
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

    /// The job with this folder of files.
    pub async fn get_by_uuid(&self, uuid: Uuid) -> Result<Option<Job>, StoreError> {
        let with_uuid = import_log::Column::Uuid.eq(uuid.to_string());
        let found = import_log::Entity::find().filter(with_uuid).one(&self.read).await;
        found.context("find the job")?.map(job).transpose()
    }

    /// Imports into a dataset that are no dry runs, newest first, without the first `skip` ones; and how many there are.
    pub async fn newest(
        &self,
        dataset: &str,
        skip: u64,
        limit: u64,
    ) -> Result<(Vec<Job>, u64), StoreError> {
        let action = "list the newest imports";
        let all = import_log::Entity::find()
            .filter(import_log::Column::Dataset.eq(dataset))
            .filter(import_log::Column::RollbackOf.is_null())
            // As the index on imports says it.
            .filter(Expr::cust("NOT dry_run"));
        let total = all.clone().count(&self.read).await.context(action)?;
        let newest = all.order_by_desc(import_log::Column::Id).offset(skip).limit(limit);
        let rows = newest.all(&self.read).await.context(action)?;
        Ok((rows.into_iter().map(job).collect::<Result<_, _>>()?, total))
    }

    /// Jobs, newest first.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, StoreError> {
        let mut query = import_log::Entity::find();
        if let Some(status) = filter.status {
            query = query.filter(import_log::Column::ImportStatus.eq(status.as_stored()));
        }
        if let Some(dataset) = &filter.dataset {
            query = query.filter(import_log::Column::Dataset.eq(dataset));
        }
        if let Some(of) = filter.of {
            let child = Condition::any()
                .add(import_log::Column::RetryOf.eq(of))
                .add(import_log::Column::RollbackOf.eq(of));
            // A child is younger: what came before is not looked at.
            query = query.filter(import_log::Column::Id.gt(of)).filter(child);
        }
        if filter.with_errors {
            query = query.filter(Expr::cust(WITH_ERRORS));
        }
        if let Some(before) = filter.before {
            query = query.filter(import_log::Column::Id.lt(before));
        }
        let rows = query
            .order_by_desc(import_log::Column::Id)
            .limit(filter.limit)
            .all(&self.read)
            .await
            .context("list the jobs")?;
        rows.into_iter().map(job).collect()
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

    /// Which jobs changed at `since` or later, in the order of their change.
    pub async fn changed_since(&self, since: DateTime<Utc>) -> Result<Vec<JobMark>, StoreError> {
        use import_log::Column as C;
        let rows: Vec<(i64, i64, DateTime<Utc>)> = import_log::Entity::find()
            .select_only()
            .columns([C::Id, C::EventCount, C::UpdatedAt])
            .filter(C::UpdatedAt.gte(since))
            .order_by_asc(C::UpdatedAt)
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
