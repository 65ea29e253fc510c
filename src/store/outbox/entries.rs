//! The rows of the outbox for the search engine: which is next, and that it was passed on. A row is
//! passed on at least once; what that came to is counted once.

use chrono::{DateTime, Utc};
use entity::{import_log, import_outbox};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};

use crate::domain::job::Job;
use crate::domain::search_sync::{DocumentTally, SearchSync};
use crate::domain::status::JobStatus;
use crate::domain::trace::TraceContext;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::{as_json, signed, unsigned};
use crate::store::outbox::search::SearchLease;
use crate::store::outbox::{CHANGED, ENDED, SEARCH};
use import_outbox::Column as C;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// Records changed.
    Records {
        /// The keys among which they are: a JSON array of objects.
        keys: String,
        /// How many.
        count: u64,
    },
    /// The job ended.
    Ended,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxChange {
    /// Its number.
    pub id: i64,
    /// The job that made it.
    pub job: i64,
    /// The request that made the job; `None` where the job is gone, too.
    pub trace: Option<TraceContext>,
    /// The time that changed records have.
    pub changed_at: DateTime<Utc>,
    /// What happened.
    pub kind: ChangeKind,
}

impl Store {
    /// The datasets that have something to be passed on, or a collection to be built.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn datasets_to_sync(&self) -> Result<Vec<String>, StoreError> {
        let action = "look into the outbox";
        let changed: Vec<String> = import_outbox::Entity::find()
            .select_only()
            .column(C::Dataset)
            .distinct()
            .filter(due())
            .into_tuple()
            .all(&self.read)
            .await
            .context(action)?;
        let mut datasets = self.datasets_to_build().await?;
        datasets.extend(changed);
        datasets.sort_unstable();
        datasets.dedup();
        Ok(datasets)
    }

    /// The next change of a dataset that is to be passed on: of jobs that do not run.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_change(&self, dataset: &str) -> Result<Option<OutboxChange>, StoreError> {
        let row = import_outbox::Entity::find()
            .filter(due().add(C::Dataset.eq(dataset)))
            .order_by_asc(C::Id)
            .one(&self.read)
            .await
            .context("read the outbox")?;
        self.outbox_change(row).await
    }

    /// All changes of the records of a dataset that there are now, with their keys left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn change_numbers(&self, dataset: &str) -> Result<Vec<i64>, StoreError> {
        import_outbox::Entity::find()
            .select_only()
            .column(C::Id)
            .filter(C::Topic.eq(SEARCH))
            .filter(C::Kind.eq(CHANGED))
            .filter(C::Dataset.eq(dataset))
            .order_by_asc(C::Id)
            .into_tuple()
            .all(&self.read)
            .await
            .context("read the outbox")
    }

    /// A change by its number, unless it was passed on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn change_by_number(&self, id: i64) -> Result<Option<OutboxChange>, StoreError> {
        let row = import_outbox::Entity::find_by_id(id).one(&self.read).await;
        self.outbox_change(row.context("read the outbox")?).await
    }

    /// A row of the outbox with what is known of its job.
    async fn outbox_change(
        &self,
        row: Option<import_outbox::Model>,
    ) -> Result<Option<OutboxChange>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        let (id, job, changed_at) = (row.id, row.import_log_id, row.changed_at);
        let trace = self.trace_of(job).await?;
        Ok(Some(OutboxChange { id, job, trace, changed_at, kind: kind(row) }))
    }

    /// Notes that a change was passed on, and what that came to; gives its job, unless that is no more or the
    /// change was counted before. `None` when the lease is another's by now: what it passes on may be
    /// older than what was passed on here, so the change is noted anew.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pass_on(
        &self,
        lease: &SearchLease,
        passed: &OutboxChange,
        tally: &DocumentTally,
    ) -> Result<Option<Option<Job>>, StoreError> {
        let action = "store what was passed on";
        fault!("outbox.passed", StoreError::busy());
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let is_ours = self.renew_within(&transaction, lease).await?;
        let deleted = import_outbox::Entity::delete_by_id(passed.id)
            .exec(&transaction)
            .await
            .context(action)?;
        if !is_ours {
            if let ChangeKind::Records { .. } = passed.kind {
                import_outbox::Entity::insert(row(lease, passed))
                    .exec_without_returning(&transaction)
                    .await
                    .context(action)?;
            }
            transaction.commit().await.context(action)?;
            return Ok(None);
        }
        let updated = if deleted.rows_affected == 1 {
            self.note_sync(&transaction, passed, tally).await?
        } else {
            None
        };
        transaction.commit().await.context(action)?;
        Ok(Some(updated))
    }

    /// Adds to the job of a change what became of it.
    async fn note_sync(
        &self,
        transaction: &DatabaseTransaction,
        passed: &OutboxChange,
        tally: &DocumentTally,
    ) -> Result<Option<Job>, StoreError> {
        let now = self.time(transaction).await?;
        self.change_sync(transaction, passed.job, |sync| match passed.kind {
            ChangeKind::Records { .. } => sync.add(tally),
            ChangeKind::Ended => sync.complete(now),
        })
        .await
    }

    /// Notes that a change could not be passed on; gives its job, unless that is no more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn note_sync_failure(
        &self,
        job: i64,
        message: &str,
        attempts: u32,
    ) -> Result<Option<Job>, StoreError> {
        let action = "store why nothing was passed on";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let failed = self
            .change_sync(&transaction, job, |sync| sync.fail(message.to_owned(), attempts))
            .await?;
        transaction.commit().await.context(action)?;
        Ok(failed)
    }

    pub(super) async fn change_sync(
        &self,
        transaction: &DatabaseTransaction,
        id: i64,
        change: impl FnOnce(&mut SearchSync) + Send,
    ) -> Result<Option<Job>, StoreError> {
        let action = "store how far a job is passed on";
        let Some(mut job) = self.locked(transaction, id).await? else { return Ok(None) };
        let mut sync = job.sync.unwrap_or_default();
        change(&mut sync);
        import_log::Entity::update_many()
            .col_expr(import_log::Column::Sync, Expr::value(as_json(&sync)))
            .filter(import_log::Column::Id.eq(id))
            .exec(transaction)
            .await
            .context(action)?;
        notify(transaction, id).await.context(action)?;
        job.sync = Some(sync);
        Ok(Some(job))
    }
}

/// What is due: that of jobs which run waits, so that an import has the machine for itself.
fn due() -> Condition {
    let moving = [JobStatus::Pending, JobStatus::Processing].map(JobStatus::as_stored);
    let moving_job = Query::select()
        .expr(Expr::value(1))
        .from(import_log::Entity)
        .and_where(
            Expr::col((import_log::Entity, import_log::Column::Id))
                .equals((import_outbox::Entity, C::ImportLogId)),
        )
        .and_where(import_log::Column::ImportStatus.is_in(moving))
        .to_owned();
    Condition::all().add(C::Topic.eq(SEARCH)).add(Expr::exists(moving_job).not())
}

fn kind(row: import_outbox::Model) -> ChangeKind {
    match row.keys {
        Some(keys) if row.kind == CHANGED => {
            ChangeKind::Records { keys, count: unsigned(row.records) }
        }
        _ => ChangeKind::Ended,
    }
}

fn row(lease: &SearchLease, change: &OutboxChange) -> import_outbox::ActiveModel {
    let (kind, records, keys) = match &change.kind {
        ChangeKind::Records { keys, count } => (CHANGED, signed(*count), Some(keys.clone())),
        ChangeKind::Ended => (ENDED, 0, None),
    };
    import_outbox::ActiveModel {
        topic: Set(SEARCH.to_owned()),
        dataset: Set(lease.dataset.clone()),
        import_log_id: Set(change.job),
        kind: Set(kind.to_owned()),
        records: Set(records),
        keys: Set(keys),
        changed_at: Set(change.changed_at),
        ..Default::default()
    }
}
