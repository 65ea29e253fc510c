//! Commands of a person to a job: pause, resume, go next, cancel, delete. Each is a compare-and-set
//! along the edges of `domain::status`, whatever server owns the job. The new epoch fences the owner
//! off.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, TransactionTrait, UpdateMany};

use crate::domain::error_code::ErrorCode;
use crate::domain::event::{Event, lifecycle};
use crate::domain::job::Job;
use crate::domain::limits::PRIORITY_OF_FORCED;
use crate::domain::status::JobStatus;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::{changed, ends};
use crate::store::log::child::{ChildKind, earlier};
use crate::store::log::lease::{has, ours};
use crate::store::log::run_time::touched;
use import_log::Column as C;

/// What became of the command to delete a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The job is no more.
    Done,
    /// It has not ended, or is no more already.
    NotNow,
    /// This job, which has not ended, rolls it back.
    RolledBackBy(i64),
}

impl Store {
    /// Cancels a job; `None` when it has ended already.
    pub async fn cancel(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let which = Condition::all().add(C::Id.eq(id)).add(may_become(JobStatus::Cancelled));
        self.close_where(which, JobStatus::Cancelled, None, None).await
    }

    /// Pauses a job; `None` when its status does not allow it.
    pub async fn pause(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let which = Condition::all().add(C::Id.eq(id)).add(may_become(JobStatus::Paused));
        let pause = revoke_lease(to(JobStatus::Paused)).filter(which);
        self.apply(pause, lifecycle::paused, "pause a job").await
    }

    /// Pauses a job of this owner that lacks something; it is retried after `pause`; `None` when
    /// the job belongs to another owner by now.
    pub async fn suspend(
        &self,
        job: &Job,
        code: ErrorCode,
        message: &str,
        pause: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let suspend = revoke_lease(to(JobStatus::Paused))
            .col_expr(C::ErrorCode, Expr::value(code.as_str()))
            .col_expr(C::ErrorMessage, Expr::value(message))
            .col_expr(C::ResumeAt, self.lease_end(pause))
            // The attempt ended in order and does not count.
            .col_expr(C::Attempts, Expr::value(0))
            .filter(ours(job));
        let suspended = self.apply(suspend, lifecycle::paused, "pause a job automatically").await?;
        fault!("room.after", StoreError::busy());
        Ok(suspended)
    }

    /// Resumes a paused job; `None` when it is not paused.
    pub async fn resume(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let which = Condition::all().add(C::Id.eq(id)).add(has(JobStatus::Paused));
        let resume = revoke_lease(to(JobStatus::Processing))
            .col_expr(C::ResumeAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(C::ErrorCode, Expr::value(None::<String>))
            .col_expr(C::ErrorMessage, Expr::value(None::<String>))
            // A person looked at it: what was before does not count.
            .col_expr(C::Attempts, Expr::value(0))
            .filter(which);
        self.apply(resume, lifecycle::resumed, "resume a job").await
    }

    /// Lets a job go next: one that waits, or one that is stuck, which is then taken from its
    /// owner. Stuck is a job whose lease has run out, or that has not moved for two times `lease`.
    /// `None` when it is neither.
    pub async fn force(&self, id: i64, lease: Duration) -> Result<Option<Job>, StoreError> {
        let stuck = Condition::all().add(has(JobStatus::Processing)).add(
            Condition::any()
                .add(C::LeaseExpiresAt.is_null())
                .add(Expr::col(C::LeaseExpiresAt).lt(self.now()))
                .add(Expr::col(C::UpdatedAt).lt(self.ago(2 * lease))),
        );
        let may = Condition::any().add(has(JobStatus::Pending)).add(stuck);
        // One that waits was never owned: its epoch stays.
        let one_more = "CASE WHEN import_status = 'PROCESSING' THEN 1 ELSE 0 END";
        let force = without_lease(import_log::Entity::update_many())
            .col_expr(C::LeaseEpoch, Expr::col(C::LeaseEpoch).add(Expr::cust(one_more)))
            .col_expr(C::Priority, Expr::value(PRIORITY_OF_FORCED))
            // A person looked at it: what was before does not count.
            .col_expr(C::Attempts, Expr::value(0))
            .filter(Condition::all().add(C::Id.eq(id)).add(may));
        self.apply(force, lifecycle::forced, "force a job").await
    }

    /// How long ago a job last changed, by the clock that [`force`](Self::force) goes by.
    pub async fn time_since_change(&self, job: &Job) -> Result<Duration, StoreError> {
        let action = "ask for the time";
        let transaction = self.read.begin().await.context(action)?;
        let now = self.time(&transaction).await?;
        transaction.rollback().await.context(action)?;
        Ok((now - job.updated_at).to_std().unwrap_or_default())
    }

    /// Changes the priority of a job that has not ended; `None` when it has.
    pub async fn set_priority(&self, id: i64, priority: i32) -> Result<Option<Job>, StoreError> {
        let change = import_log::Entity::update_many()
            .col_expr(C::Priority, Expr::value(priority))
            .filter(C::Id.eq(id))
            .filter(C::ImportStatus.is_not_in(ends()));
        self.apply(change, lifecycle::prioritised, "change a job's priority").await
    }

    /// Deletes a job that has ended, with all that the tables hold of it. The caller removes its files.
    ///
    /// Its time ends first, so that nothing rolls it back any more; then what the tables hold of it
    /// goes in steps: as one with the row it would hold up everybody else.
    pub async fn delete(&self, id: i64) -> Result<Deletion, StoreError> {
        match self.end_retention_of(id).await? {
            Deletion::Done => {}
            refused => return Ok(refused),
        }
        while self.clear_rows_of(id).await? {}
        let action = "delete a job";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let deleted =
            import_log::Entity::delete_by_id(id).exec(&transaction).await.context(action)?;
        notify(&transaction, id).await.context(action)?;
        transaction.commit().await.context(action)?;
        Ok(if deleted.rows_affected == 1 { Deletion::Done } else { Deletion::NotNow })
    }

    /// Ends the time of the files and the journal of a job that is to be deleted.
    async fn end_retention_of(&self, id: i64) -> Result<Deletion, StoreError> {
        let action = "end the time of a job";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        // The server that stores a rollback locks this row, too.
        let job = self.locked(&transaction, id).await?;
        let Some(job) = job.filter(|job| job.status.is_terminal()) else {
            transaction.rollback().await.context(action)?;
            return Ok(Deletion::NotNow);
        };
        if let Some(by) = earlier(&transaction, ChildKind::Rollback, id).await? {
            transaction.rollback().await.context(action)?;
            return Ok(Deletion::RolledBackBy(by.id));
        }
        if job.files_removed_at.is_none() {
            let mark = import_log::Entity::update_many()
                .col_expr(C::FilesRemovedAt, self.now())
                .filter(C::Id.eq(id));
            mark.exec(&transaction).await.context(action)?;
        }
        transaction.commit().await.context(action)?;
        Ok(Deletion::Done)
    }

    /// Changes a job, stores the events of the change, and notifies the other servers.
    async fn apply(
        &self,
        update: UpdateMany<import_log::Entity>,
        story: fn(&Job) -> Vec<Event>,
        action: &'static str,
    ) -> Result<Option<Job>, StoreError> {
        fault!("control.before", StoreError::busy());
        let guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let update = touched(update, self.backend(), &self.now());
        let steered = changed(&transaction, update, story).await.context(action)?;
        let steered = steered.transpose()?;
        if let Some(job) = &steered {
            notify(&transaction, job.id).await.context(action)?;
        }
        transaction.commit().await.context(action)?;
        drop(guard);
        fault!("control.after", StoreError::busy());
        Ok(steered)
    }
}

/// The statuses from which an edge leads to `status`.
fn may_become(status: JobStatus) -> Condition {
    let from = JobStatus::ALL.into_iter().filter(|from| from.may_become(status));
    from.fold(Condition::any(), |any, from| any.add(has(from)))
}

fn to(status: JobStatus) -> UpdateMany<import_log::Entity> {
    import_log::Entity::update_many().col_expr(C::ImportStatus, Expr::value(status.as_stored()))
}

/// Takes the job from its owner, which can commit nothing from here on.
fn revoke_lease(update: UpdateMany<import_log::Entity>) -> UpdateMany<import_log::Entity> {
    without_lease(update).col_expr(C::LeaseEpoch, Expr::col(C::LeaseEpoch).add(1))
}

fn without_lease(update: UpdateMany<import_log::Entity>) -> UpdateMany<import_log::Entity> {
    update
        .col_expr(C::LeaseOwner, Expr::value(None::<String>))
        .col_expr(C::LeaseExpiresAt, Expr::value(None::<DateTime<Utc>>))
}
