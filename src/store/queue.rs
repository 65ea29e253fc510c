//! `import_log` as the queue: claimed by lease and epoch, changed only by compare-and-set along the
//! edges of `domain::status`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, Func, LockBehavior, LockType, Query, SelectStatement, SubQueryStatement,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, Order, QueryFilter,
    QuerySelect, TransactionTrait, UpdateMany,
};

use super::error::{Doing, StoreError};
use super::events::changed;
use super::notify::notify;
use super::stored::{signed, unsigned};
use super::{Kind, Store};
use crate::domain::error_code::ErrorCode;
use crate::domain::event::{Event, story};
use crate::domain::job::Job;
use crate::domain::limits::ATTEMPTS_MAX;
use crate::domain::status::JobStatus;
use crate::faults::fault;

/// How a job ends that is not cancelled.
#[derive(Debug, Clone)]
pub enum End {
    /// Every row has an outcome.
    Completed,
    /// It could not go on.
    Failed {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
}

/// Who claims.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// The server's id.
    pub owner: String,
    /// Where files lie that it can read.
    pub places: Vec<String>,
    /// How long it keeps a job without a sign of life.
    pub lease: Duration,
    /// How many jobs may run of which datasets.
    pub limits: Vec<TableLimit>,
}

/// How many jobs may write to one table at the same time, on all servers together.
#[derive(Debug, Clone)]
pub struct TableLimit {
    /// The datasets that write to it.
    pub datasets: Vec<String>,
    /// Jobs at most.
    pub running_max: u32,
}

/// Key of the advisory lock under which jobs are claimed.
const CLAIM_LOCK: i64 = 0x4c6f_6164_6261_7902;

pub(super) fn has(status: JobStatus) -> Expr {
    import_log::Column::ImportStatus.eq(status.as_stored())
}

impl Store {
    /// Takes the next due job: of those that wait, those whose owner is gone and those that are set
    /// aside until now the one with the highest priority, of these the one of the client that was
    /// served least recently, of these the oldest. Only jobs whose file `by` can reach, of datasets
    /// that have a place.
    ///
    /// All claims of a database take turns, so that two servers never take the last place of a
    /// dataset together.
    pub async fn claim(&self, by: &Claimant) -> Result<Option<Job>, StoreError> {
        let doing = "claim a job";
        let _turn = self.turn().await;
        let transaction = self.write.begin().await.doing(doing)?;
        if let Kind::Postgres { .. } = self.kind {
            let lock = Expr::cust_with_values("pg_advisory_xact_lock($1)", [CLAIM_LOCK]);
            let lock = Query::select().expr(lock).to_owned();
            transaction.query_one(&lock).await.doing(doing)?;
        }
        let full = self.full_datasets(&transaction, &by.limits).await?;
        let claim = self.claiming(by, self.next_job(by, &full));
        let claimed = changed(&transaction, claim, story::taken_up).await.doing(doing)?;
        // Nothing was written when there is nothing to claim; the lock goes either way.
        transaction.commit().await.doing(doing)?;
        fault!("claim.after", StoreError::busy());
        claimed.transpose()
    }

    /// The datasets of which as many jobs run as may.
    async fn full_datasets(
        &self,
        transaction: &DatabaseTransaction,
        limits: &[TableLimit],
    ) -> Result<Vec<String>, StoreError> {
        use import_log::Column as C;
        let running: Vec<(String, i64)> = import_log::Entity::find()
            .select_only()
            .column(C::Dataset)
            .column_as(C::Id.count(), "jobs")
            .filter(has(JobStatus::Processing))
            .filter(Expr::col(C::LeaseExpiresAt).gte(self.now()))
            .group_by(C::Dataset)
            .into_tuple()
            .all(transaction)
            .await
            .doing("count the running jobs")?;
        let is_full = |limit: &&TableLimit| {
            let of_table = running.iter().filter(|(name, _)| limit.datasets.contains(name));
            of_table.map(|(_, jobs)| unsigned(*jobs)).sum::<u64>() >= u64::from(limit.running_max)
        };
        let full = limits.iter().filter(is_full).flat_map(|limit| limit.datasets.iter().cloned());
        Ok(full.collect())
    }

    /// The id of the job that goes next.
    fn next_job(&self, by: &Claimant, full: &[String]) -> SelectStatement {
        use import_log::Column as C;
        let ownerless = Condition::any()
            .add(C::LeaseExpiresAt.is_null())
            .add(Expr::col(C::LeaseExpiresAt).lt(self.now()));
        let may_go_on = Expr::col(C::ResumeAt).lte(self.now());
        let due = Condition::any()
            .add(has(JobStatus::Pending))
            .add(Condition::all().add(has(JobStatus::Processing)).add(ownerless))
            .add(Condition::all().add(has(JobStatus::Paused)).add(may_go_on));
        let client = Alias::new("client");
        let last_served = Query::select()
            .expr(Func::max(Expr::col((client.clone(), C::ClaimedAt))))
            .from_as(import_log::Entity, client.clone())
            .and_where(Expr::col((client, C::CreatedBy)).equals((import_log::Entity, C::CreatedBy)))
            .to_owned();
        // A client that was never served comes first, on both databases.
        let last_served = Func::coalesce([
            Expr::from(SubQueryStatement::from(last_served)),
            Expr::value(DateTime::<Utc>::UNIX_EPOCH),
        ]);
        let mut next = Query::select();
        next.column((import_log::Entity, C::Id))
            .from(import_log::Entity)
            .cond_where(due)
            .cond_where(C::SourceServer.is_in(&by.places))
            .order_by(C::Priority, Order::Desc)
            .order_by_expr(last_served.into(), Order::Asc)
            .order_by(C::Id, Order::Asc)
            .limit(1);
        if !full.is_empty() {
            next.cond_where(C::Dataset.is_not_in(full));
        }
        if let Kind::Postgres { .. } = self.kind {
            // A job that is just being cancelled is left alone instead of waited for.
            next.lock_with_tables_behavior(
                LockType::Update,
                [import_log::Entity],
                LockBehavior::SkipLocked,
            );
        }
        next
    }

    fn claiming(&self, by: &Claimant, next: SelectStatement) -> UpdateMany<import_log::Entity> {
        use import_log::Column as C;
        let processing = Expr::value(JobStatus::Processing.as_stored());
        let first_start = Func::coalesce([Expr::col(C::StartedAt), self.now()]);
        import_log::Entity::update_many()
            .col_expr(C::ImportStatus, processing)
            .col_expr(C::LeaseOwner, Expr::value(by.owner.clone()))
            .col_expr(C::LeaseExpiresAt, self.lease_end(by.lease))
            .col_expr(C::LeaseEpoch, Expr::col(C::LeaseEpoch).add(1))
            .col_expr(C::Attempts, Expr::col(C::Attempts).add(1))
            .col_expr(C::StartedAt, first_start.into())
            .col_expr(C::ClaimedAt, self.now())
            .col_expr(C::UpdatedAt, self.now())
            // What it was set aside for is over, as far as anybody knows.
            .col_expr(C::ResumeAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(C::ErrorCode, Expr::value(None::<String>))
            .col_expr(C::ErrorMessage, Expr::value(None::<String>))
            // `=`, not `IN`: PostgreSQL may run the subquery of an `IN` once for each row, and then
            // it takes more jobs than the one that is run.
            .filter(Expr::col(C::Id).eq(Expr::from(SubQueryStatement::from(next))))
    }

    /// Moves the end of a lease; false when the job is no longer ours.
    pub async fn renew(&self, job: &Job, lease: Duration) -> Result<bool, StoreError> {
        fault!("renew.before", StoreError::busy());
        let _turn = self.turn().await;
        let renewed = import_log::Entity::update_many()
            .col_expr(import_log::Column::LeaseExpiresAt, self.lease_end(lease))
            .filter(ours(job))
            // Not after it was given back: a late renewal would keep it from everybody.
            .filter(import_log::Column::LeaseOwner.is_not_null())
            .exec(&self.write)
            .await
            .doing("renew a lease")?;
        Ok(renewed.rows_affected == 1)
    }

    /// Gives a job back unfinished, so that it goes on at once elsewhere or after a restart.
    pub async fn release(&self, job: &Job) -> Result<(), StoreError> {
        fault!("release.before", StoreError::busy());
        // It ended with a word: the attempt does not count.
        self.give_back(job, 1).await?;
        fault!("release.after", StoreError::busy());
        Ok(())
    }

    /// Gives a job back whose run broke off. The attempt counts: a job that breaks off each time is
    /// given up.
    pub async fn let_go(&self, job: &Job) -> Result<(), StoreError> {
        self.give_back(job, 0).await
    }

    async fn give_back(&self, job: &Job, attempts: i32) -> Result<(), StoreError> {
        let doing = "give a job back";
        let _turn = self.turn().await;
        let release = import_log::Entity::update_many()
            .col_expr(import_log::Column::LeaseOwner, Expr::value(None::<String>))
            .col_expr(import_log::Column::LeaseExpiresAt, self.now())
            .col_expr(
                import_log::Column::Attempts,
                Expr::col(import_log::Column::Attempts).sub(attempts),
            )
            .filter(ours(job));
        let transaction = self.write.begin().await.doing(doing)?;
        changed(&transaction, release, story::given_back).await.doing(doing)?.transpose()?;
        notify(&transaction, job.id).await.doing(doing)?;
        transaction.commit().await.doing(doing)
    }

    /// Voids the leases that an earlier process of this server left behind; on a database that
    /// only one server can use, all of them.
    pub async fn void_leases(&self, owner: &str) -> Result<(), StoreError> {
        let mut left = Condition::all().add(has(JobStatus::Processing));
        if !self.is_exclusive() {
            left = left.add(import_log::Column::LeaseOwner.eq(owner));
        }
        let _turn = self.turn().await;
        import_log::Entity::update_many()
            .col_expr(
                import_log::Column::LeaseExpiresAt,
                Expr::value(None::<sea_orm::prelude::DateTimeUtc>),
            )
            .filter(left)
            .exec(&self.write)
            .await
            .doing("take up interrupted jobs")?;
        Ok(())
    }

    /// Ends a job of ours; `None` when it is no longer ours.
    pub async fn finish(&self, job: &Job, end: &End) -> Result<Option<Job>, StoreError> {
        let (status, code, message) = match end {
            End::Completed => (JobStatus::Completed, None, None),
            End::Failed { code, message } => {
                (JobStatus::Failed, Some(code.as_str()), Some(message.clone()))
            }
        };
        fault!("finish.before", StoreError::busy());
        let ended = self.close_where(ours(job), status, code, message).await?;
        fault!("finish.after", StoreError::busy());
        Ok(ended)
    }

    /// Gives up a job that was taken up too often without an end; `None` when it is not ours.
    pub async fn give_up_if_poisoned(&self, job: &Job) -> Result<Option<Job>, StoreError> {
        if job.attempts <= ATTEMPTS_MAX {
            return Ok(None);
        }
        let message = format!(
            "the job was taken up {ATTEMPTS_MAX} times and broke off each time; it is not tried again"
        );
        self.finish(job, &End::Failed { code: ErrorCode::CrashedRepeatedly, message }).await
    }

    pub(super) async fn close_where(
        &self,
        which: Condition,
        status: JobStatus,
        code: Option<&str>,
        message: Option<String>,
    ) -> Result<Option<Job>, StoreError> {
        let _turn = self.turn().await;
        let end = import_log::Entity::update_many()
            .col_expr(import_log::Column::ImportStatus, Expr::value(status.as_stored()))
            .col_expr(import_log::Column::ErrorCode, Expr::value(code.map(str::to_owned)))
            .col_expr(import_log::Column::ErrorMessage, Expr::value(message))
            .col_expr(import_log::Column::LeaseOwner, Expr::value(None::<String>))
            .col_expr(
                import_log::Column::LeaseExpiresAt,
                Expr::value(None::<sea_orm::prelude::DateTimeUtc>),
            )
            .col_expr(
                import_log::Column::LeaseEpoch,
                Expr::col(import_log::Column::LeaseEpoch).add(1),
            )
            .col_expr(import_log::Column::UpdatedAt, self.now())
            .col_expr(import_log::Column::CompletedAt, self.now())
            .filter(which);
        self.end(end).await
    }

    /// Notes how many rows the file has and among how many writers they are divided; `None` when
    /// the job is no longer ours.
    pub async fn set_total(
        &self,
        job: &Job,
        total_rows: u64,
        lanes: u32,
    ) -> Result<Option<Job>, StoreError> {
        fault!("total.before", StoreError::busy());
        let _turn = self.turn().await;
        let note = import_log::Entity::update_many()
            .col_expr(import_log::Column::TotalRows, Expr::value(signed(total_rows)))
            .col_expr(import_log::Column::Lanes, Expr::value(i32::try_from(lanes).unwrap_or(1)))
            .col_expr(import_log::Column::UpdatedAt, self.now())
            .filter(ours(job));
        let is_known = job.total_rows.is_some();
        let story = |job: &Job| if is_known { Vec::new() } else { story::found(job) };
        let noted = self.change(note, story, "note the number of rows").await?;
        fault!("total.after", StoreError::busy());
        Ok(noted)
    }

    /// Tells something of a job of ours; `None` when the job is no longer ours.
    pub async fn tell(
        &self,
        job: &Job,
        story: impl FnOnce(&Job) -> Vec<Event> + Send,
    ) -> Result<Option<Job>, StoreError> {
        let _turn = self.turn().await;
        let touch = import_log::Entity::update_many()
            .col_expr(import_log::Column::UpdatedAt, self.now())
            .filter(ours(job));
        self.change(touch, story, "tell how far a job is").await
    }
}

/// The job as long as nobody else took it and nobody ended it.
pub(super) fn ours(job: &Job) -> Condition {
    Condition::all()
        .add(import_log::Column::Id.eq(job.id))
        .add(import_log::Column::LeaseEpoch.eq(job.lease_epoch))
        .add(has(JobStatus::Processing))
}
