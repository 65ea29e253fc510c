//! `import_log` as the queue, for the owner of a job: kept by lease and epoch, given back, ended;
//! changed only by compare-and-set along the edges of `domain::status`. How a job gets its owner is
//! in `claim`.

use std::time::Duration;

use entity::import_log;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, TransactionTrait, UpdateMany};

use crate::domain::error_code::ErrorCode;
use crate::domain::event::{Event, lifecycle};
use crate::domain::job::Job;
use crate::domain::limits::ATTEMPTS_MAX;
use crate::domain::status::JobStatus;
use crate::domain::warning::WarningCode;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::changed;
use crate::store::log::claimant::Claimant;
use crate::store::log::destination::Destination;
use crate::store::log::job_row::{as_json, signed, small};
use crate::store::log::run_time::{touched, touched_between_rows};

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

/// Why a job is given back unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseReason {
    /// The server stops.
    ServerStops,
    /// Its lease ran out, and it was not to be had again.
    LeaseExpired,
    /// Something of ours panicked.
    Crashed,
}

pub(in crate::store) fn has(status: JobStatus) -> Expr {
    import_log::Column::ImportStatus.eq(status.as_stored())
}

impl Store {
    /// Moves the end of a lease; false when the job is no longer ours, or when its lease ran out and
    /// the concurrency slot is another job's.
    pub async fn renew(&self, job: &Job, by: &Claimant) -> Result<bool, StoreError> {
        fault!("renew.before", StoreError::busy());
        let _guard = self.lock_writes().await;
        let renewed = self
            .renewal(job, by.lease)
            .filter(self.lease_runs())
            .exec(&self.write)
            .await
            .context("renew a lease")?;
        if renewed.rows_affected == 1 {
            return Ok(true);
        }
        self.renew_with_slot(job, by).await
    }

    pub(in crate::store) fn renewal(
        &self,
        job: &Job,
        lease: Duration,
    ) -> UpdateMany<import_log::Entity> {
        import_log::Entity::update_many()
            .col_expr(import_log::Column::LeaseExpiresAt, self.lease_end(lease))
            .filter(ours(job))
            // An attempt that the database answers late must not bind a job that was given back.
            .filter(import_log::Column::LeaseOwner.is_not_null())
    }

    /// Releases an unfinished job, so that it continues at once on another server or after a restart.
    pub async fn release(&self, job: &Job, why: ReleaseReason) -> Result<(), StoreError> {
        fault!("release.before", StoreError::busy());
        let action = "give a job back";
        // One that ended with a word does not count; one that breaks off each time is given up.
        let (uncounted, story): (i32, fn(&Job) -> Vec<Event>) = match why {
            ReleaseReason::ServerStops => (1, lifecycle::server_stopping),
            ReleaseReason::LeaseExpired => (1, lifecycle::lease_lost),
            ReleaseReason::Crashed => (0, lifecycle::crashed),
        };
        let guard = self.lock_writes().await;
        let release = import_log::Entity::update_many()
            .col_expr(import_log::Column::LeaseOwner, Expr::value(None::<String>))
            .col_expr(
                import_log::Column::LeaseExpiresAt,
                Expr::value(None::<sea_orm::prelude::DateTimeUtc>),
            )
            .col_expr(
                import_log::Column::Attempts,
                Expr::col(import_log::Column::Attempts).sub(uncounted),
            )
            .filter(ours(job))
            // Asked again because the answer was lost, it must not count twice.
            .filter(import_log::Column::LeaseOwner.is_not_null());
        let release = touched(release, self.backend(), &self.now());
        let transaction = self.write.begin().await.context(action)?;
        changed(&transaction, release, story).await.context(action)?.transpose()?;
        notify(&transaction, job.id).await.context(action)?;
        transaction.commit().await.context(action)?;
        drop(guard);
        fault!("release.after", StoreError::busy());
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

    /// Fails a job that was claimed too often without an end; `None` when it is not ours.
    pub async fn fail_if_attempts_exhausted(&self, job: &Job) -> Result<Option<Job>, StoreError> {
        if job.attempts <= ATTEMPTS_MAX {
            return Ok(None);
        }
        let message = format!(
            "the job was claimed {ATTEMPTS_MAX} times and crashed each time; it is not retried"
        );
        self.finish(job, &End::Failed { code: ErrorCode::CrashedRepeatedly, message }).await
    }

    pub(in crate::store) async fn close_where(
        &self,
        which: Condition,
        status: JobStatus,
        code: Option<&str>,
        message: Option<String>,
    ) -> Result<Option<Job>, StoreError> {
        let _guard = self.lock_writes().await;
        let now = self.now();
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
            .col_expr(import_log::Column::CompletedAt, now.clone())
            .filter(which);
        let events = match status {
            JobStatus::Completed => lifecycle::rows_done(),
            _ => Vec::new(),
        };
        self.end(touched(end, self.backend(), &now), events).await
    }

    /// Records how many rows the file has, among how many writers they are divided, and where they go
    /// unless that was recorded before; `None` when the job is no longer ours. One transaction: a
    /// small file waits for the disk as often as for its rows.
    pub async fn set_total(
        &self,
        job: &Job,
        total_rows: u64,
        partitions: u32,
        destination: Option<&Destination>,
    ) -> Result<Option<Job>, StoreError> {
        fault!("total.before", StoreError::busy());
        let _guard = self.lock_writes().await;
        let note = import_log::Entity::update_many()
            .col_expr(import_log::Column::TotalRows, Expr::value(signed(total_rows)))
            .col_expr(import_log::Column::Lanes, Expr::value(small(partitions)))
            .filter(ours(job));
        let note = match destination {
            Some(destination) => destination.noted_by(note),
            None => note,
        };
        let note = touched_between_rows(note, self.backend(), &self.now());
        let is_known = job.total_rows.is_some();
        let story = |job: &Job| if is_known { Vec::new() } else { lifecycle::counted(job) };
        let noted = self.change(note, story, "note the number of rows").await?;
        fault!("total.after", StoreError::busy());
        Ok(noted)
    }

    /// Adds a warning to a job of this owner, once; `None` when the job is no longer ours.
    pub async fn warn_once(&self, job: &Job, code: WarningCode) -> Result<Option<Job>, StoreError> {
        let Some(now) = self.get(job.id).await? else { return Ok(None) };
        let mut warnings = now.warnings.clone();
        if warnings.iter().any(|warning| warning.code == code) {
            return Ok(Some(now));
        }
        warnings.add(code, None, None, None);
        let _guard = self.lock_writes().await;
        let update = import_log::Entity::update_many()
            .col_expr(import_log::Column::Warnings, Expr::value(as_json(&warnings)))
            .filter(ours(job));
        let update = touched_between_rows(update, self.backend(), &self.now());
        self.change(update, |_| Vec::new(), "store a warning of a job").await
    }

    /// Stores events of a job of this owner; `None` when the job is no longer ours.
    pub async fn emit(
        &self,
        job: &Job,
        story: impl FnOnce(&Job) -> Vec<Event> + Send,
    ) -> Result<Option<Job>, StoreError> {
        let _guard = self.lock_writes().await;
        let touch = import_log::Entity::update_many().filter(ours(job));
        let touch = touched_between_rows(touch, self.backend(), &self.now());
        self.change(touch, story, "store an event of a job").await
    }
}

/// The job as long as it is PROCESSING under this epoch.
pub(in crate::store) fn ours(job: &Job) -> Condition {
    Condition::all()
        .add(import_log::Column::Id.eq(job.id))
        .add(import_log::Column::LeaseEpoch.eq(job.lease_epoch))
        .add(has(JobStatus::Processing))
}
