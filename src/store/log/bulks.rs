//! `import_bulks`: files that were uploaded together, and their jobs. A bulk and all of its jobs are
//! stored in one transaction: there is never a part of one.

use entity::{import_bulk, import_log};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait,
    FromQueryResult, QueryFilter, QueryOrder, QuerySelect, TransactionTrait,
};
use uuid::Uuid;

use crate::domain::bulk::{Bulk, BulkJob};
use crate::domain::counts::Counts;
use crate::domain::event::lifecycle;
use crate::domain::job::{Job, NewJob};
use crate::domain::status::JobStatus;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::emit;
use crate::store::log::job_row::{as_json, job, signed, unsigned, waiting};
use import_log::Column as C;

/// Jobs that one statement stores: well under the bind limit of both databases.
const JOBS_PER_INSERT: usize = 200;

/// What is being done when a bulk cannot be stored.
const STORE_BULK: &str = "store the bulk";

/// What became of a new bulk.
#[derive(Debug)]
pub enum BulkInserted {
    /// It is stored now.
    New(Bulk, Vec<BulkJob>),
    /// Its `Idempotency-Key` belongs to this bulk already.
    KeyTaken(Bulk),
    /// Its `Idempotency-Key` belongs to this job already.
    KeyOfJob(i64),
}

/// A new job, and where its file lies.
#[derive(Debug)]
pub struct NewBulkJob {
    /// The job; its `bulk_id` is the bulk's.
    pub new: NewJob,
    /// Only servers that reach it can run the job.
    pub storage_location: String,
}

/// What a bulk shows of a job.
#[derive(Debug, FromQueryResult)]
struct BulkJobRow {
    id: i64,
    file_name: String,
    file_size: i64,
    import_status: String,
    total_rows: Option<i64>,
    created_count: i64,
    updated_count: i64,
    unchanged_count: i64,
    superseded_count: i64,
    removed_count: i64,
    error_count: i64,
    error_code: Option<String>,
    error_message: Option<String>,
    event_count: i64,
    started_at: Option<sea_orm::prelude::DateTimeUtc>,
    updated_at: sea_orm::prelude::DateTimeUtc,
    completed_at: Option<sea_orm::prelude::DateTimeUtc>,
}

impl Store {
    /// Stores a bulk and its jobs, in the order of their files, as PENDING. Asked again because the
    /// answer was lost, it gives what is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_bulk(
        &self,
        bulk: &Bulk,
        jobs: &[NewBulkJob],
    ) -> Result<BulkInserted, StoreError> {
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(STORE_BULK)?;
        let found = self.bulk_or_holder(&transaction, bulk).await?;
        if let Some(found) = found {
            transaction.rollback().await.context(STORE_BULK)?;
            return Ok(match found {
                BulkInserted::New(bulk, _) => {
                    let jobs = self.bulk_jobs(bulk.id).await?;
                    BulkInserted::New(bulk, jobs)
                }
                taken => taken,
            });
        }
        fault!("submit.before", StoreError::busy());
        let now = self.time(&transaction).await?;
        let bulk = Bulk { created_at: now, ..bulk.clone() };
        let own = import_bulk::Entity::insert(bulk_row(&bulk));
        own.exec_without_returning(&transaction).await.context(STORE_BULK)?;
        let mut stored: Vec<Job> = Vec::with_capacity(jobs.len());
        for part in jobs.chunks(JOBS_PER_INSERT) {
            let rows = part.iter().map(|it| waiting(&it.new, &it.storage_location, now));
            let rows = import_log::Entity::insert_many(rows);
            let rows = rows.exec_with_returning(&transaction).await.context(STORE_BULK)?;
            for row in rows {
                stored.push(job(row)?);
            }
        }
        stored.sort_by_key(|job| job.id);
        for job in &mut stored {
            let events = lifecycle::received(job);
            emit(&transaction, job, &events).await.context(STORE_BULK)?;
            notify(&transaction, job.id).await.context(STORE_BULK)?;
        }
        transaction.commit().await.context(STORE_BULK)?;
        fault!("submit.after", StoreError::busy());
        Ok(BulkInserted::New(bulk, stored.iter().map(BulkJob::from).collect()))
    }

    /// The bulk itself when it is stored already, else who has its key.
    async fn bulk_or_holder(
        &self,
        transaction: &DatabaseTransaction,
        bulk: &Bulk,
    ) -> Result<Option<BulkInserted>, StoreError> {
        let own = import_bulk::Entity::find_by_id(bulk.id.to_string()).one(transaction).await;
        if let Some(stored) = own.context(STORE_BULK)?.map(read).transpose()? {
            return Ok(Some(BulkInserted::New(stored, Vec::new())));
        }
        let key = bulk.idempotency_key.as_deref();
        if let Some(job) = self.holder(transaction, key).await? {
            return Ok(Some(BulkInserted::KeyOfJob(job.id)));
        }
        let Some(key) = key else { return Ok(None) };
        let with_key = import_bulk::Column::IdempotencyKey.eq(key);
        let found = import_bulk::Entity::find().filter(with_key).one(transaction).await;
        let found = found.context("look up the Idempotency-Key")?;
        Ok(found.map(read).transpose()?.map(BulkInserted::KeyTaken))
    }

    /// The bulk with this id.
    pub async fn bulk(&self, id: Uuid) -> Result<Option<Bulk>, StoreError> {
        let found = import_bulk::Entity::find_by_id(id.to_string()).one(&self.read).await;
        found.context("read the bulk")?.map(read).transpose()
    }

    /// The bulk with this `Idempotency-Key`.
    pub async fn bulk_by_key(&self, key: &str) -> Result<Option<Bulk>, StoreError> {
        let with_key = import_bulk::Column::IdempotencyKey.eq(key);
        let found = import_bulk::Entity::find().filter(with_key).one(&self.read).await;
        found.context("look up the Idempotency-Key")?.map(read).transpose()
    }

    /// The jobs of a bulk in the order of their files.
    pub async fn bulk_jobs(&self, id: Uuid) -> Result<Vec<BulkJob>, StoreError> {
        let columns = [
            C::Id,
            C::FileName,
            C::FileSize,
            C::ImportStatus,
            C::TotalRows,
            C::CreatedCount,
            C::UpdatedCount,
            C::UnchangedCount,
            C::SupersededCount,
            C::RemovedCount,
            C::ErrorCount,
            C::ErrorCode,
            C::ErrorMessage,
            C::EventCount,
            C::StartedAt,
            C::UpdatedAt,
            C::CompletedAt,
        ];
        let rows = import_log::Entity::find()
            .select_only()
            .columns(columns)
            .filter(C::BulkId.eq(id.to_string()))
            .order_by_asc(C::Id)
            .into_model::<BulkJobRow>()
            .all(&self.read)
            .await
            .context("read the jobs of the bulk")?;
        rows.into_iter().map(BulkJobRow::read).collect()
    }

    /// Removes bulks of which no job is left.
    pub async fn remove_empty_bulks(&self) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        let own = Expr::col((import_bulk::Entity, import_bulk::Column::Id));
        let jobs = Query::select()
            .column(C::Id)
            .from(import_log::Entity)
            .and_where(Expr::col((import_log::Entity, C::BulkId)).eq(own))
            .take();
        import_bulk::Entity::delete_many()
            .filter(Expr::not_exists(jobs))
            .exec(&self.write)
            .await
            .context("remove bulks without jobs")?;
        Ok(())
    }
}

/// The bulk that has the key of a new job.
pub(in crate::store) async fn bulk_with_key(
    connection: &impl ConnectionTrait,
    key: Option<&str>,
) -> Result<Option<Uuid>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    let with_key = import_bulk::Column::IdempotencyKey.eq(key);
    let found = import_bulk::Entity::find().filter(with_key).one(connection).await;
    let found = found.context("look up the Idempotency-Key")?;
    Ok(found.map(read).transpose()?.map(|bulk| bulk.id))
}

fn bulk_row(bulk: &Bulk) -> import_bulk::ActiveModel {
    import_bulk::ActiveModel {
        id: Set(bulk.id.to_string()),
        dataset: Set(bulk.dataset.clone()),
        file_count: Set(signed(bulk.file_count)),
        refused: Set(as_json(&bulk.refused)),
        fingerprint: Set(bulk.fingerprint.clone()),
        idempotency_key: Set(bulk.idempotency_key.clone()),
        retry_of: Set(bulk.retry_of.map(|id| id.to_string())),
        created_by: Set(bulk.created_by.clone()),
        created_at: Set(bulk.created_at),
    }
}

fn read(row: import_bulk::Model) -> Result<Bulk, StoreError> {
    // No job is at fault: bulks have no numbers.
    let unreadable = |what| StoreError::Unreadable { id: 0, what };
    Ok(Bulk {
        id: Uuid::parse_str(&row.id).map_err(|_| unreadable("bulk id"))?,
        dataset: row.dataset,
        file_count: unsigned(row.file_count),
        refused: serde_json::from_value(row.refused).map_err(|_| unreadable("refused files"))?,
        fingerprint: row.fingerprint,
        idempotency_key: row.idempotency_key,
        retry_of: row.retry_of.as_deref().and_then(|id| Uuid::parse_str(id).ok()),
        created_by: row.created_by,
        created_at: row.created_at,
    })
}

impl BulkJobRow {
    fn read(self) -> Result<BulkJob, StoreError> {
        let unreadable = StoreError::Unreadable { id: self.id, what: "import_status" };
        Ok(BulkJob {
            id: self.id,
            file_name: self.file_name,
            file_size: unsigned(self.file_size),
            status: JobStatus::parse(&self.import_status).ok_or(unreadable)?,
            total_rows: self.total_rows.map(unsigned),
            counts: Counts {
                created: unsigned(self.created_count),
                updated: unsigned(self.updated_count),
                unchanged: unsigned(self.unchanged_count),
                superseded: unsigned(self.superseded_count),
                failed: unsigned(self.error_count),
                removed: unsigned(self.removed_count),
                // No job of a bulk is a rollback.
                absent: unsigned(self.removed_count),
            },
            error_code: self.error_code,
            error_message: self.error_message,
            event_count: unsigned(self.event_count),
            started_at: self.started_at,
            updated_at: self.updated_at,
            completed_at: self.completed_at,
        })
    }
}
