//! `import_log` as the queue: claimed by lease and epoch, changed only by compare-and-set along the
//! edges of `domain::status`.

use std::time::Duration;

use entity::{import_chunk, import_error, import_log, import_superseded};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SubQueryStatement};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::error::{Doing, StoreError};
use super::stored::{signed, unsigned};
use super::{Kind, Store};
use crate::domain::error_code::ErrorCode;
use crate::domain::event::{Event, story};
use crate::domain::job::Job;
use crate::domain::limits::ATTEMPTS_MAX;
use crate::domain::status::JobStatus;

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

/// A chunk that is in the table for good.
#[derive(Debug, Clone, Copy)]
pub struct CommittedChunk {
    /// Its number, unique within the job.
    pub number: u32,
    /// Whose share of the rows.
    pub lane: u32,
    /// The last row of it.
    pub last_row: u32,
    /// Whether any row of it failed.
    pub has_failed_rows: bool,
}

fn has(status: JobStatus) -> sea_orm::sea_query::Expr {
    import_log::Column::ImportStatus.eq(status.as_stored())
}

impl Store {
    /// Takes the next due job for `owner`: of those that wait and those whose owner is gone the
    /// one with the highest priority, then the oldest. Only jobs whose file `owner` has.
    pub async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Job>, StoreError> {
        let ownerless = Condition::any()
            .add(import_log::Column::LeaseExpiresAt.is_null())
            .add(Expr::col(import_log::Column::LeaseExpiresAt).lt(self.now()));
        let due = Condition::any()
            .add(has(JobStatus::Pending))
            .add(Condition::all().add(has(JobStatus::Processing)).add(ownerless));
        let mut next = Query::select();
        next.column(import_log::Column::Id)
            .from(import_log::Entity)
            .cond_where(due)
            .cond_where(import_log::Column::SourceServer.eq(owner))
            .order_by(import_log::Column::Priority, sea_orm::Order::Desc)
            .order_by(import_log::Column::Id, sea_orm::Order::Asc)
            .limit(1);
        if let Kind::Postgres { .. } = self.kind {
            next.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
        let _turn = self.turn().await;
        let claim = import_log::Entity::update_many()
            .col_expr(
                import_log::Column::ImportStatus,
                Expr::value(JobStatus::Processing.as_stored()),
            )
            .col_expr(import_log::Column::LeaseOwner, Expr::value(owner))
            .col_expr(import_log::Column::LeaseExpiresAt, self.lease_end(lease))
            .col_expr(
                import_log::Column::LeaseEpoch,
                Expr::col(import_log::Column::LeaseEpoch).add(1),
            )
            .col_expr(import_log::Column::Attempts, Expr::col(import_log::Column::Attempts).add(1))
            .col_expr(
                import_log::Column::StartedAt,
                sea_orm::sea_query::Func::coalesce([
                    Expr::col(import_log::Column::StartedAt),
                    self.now(),
                ])
                .into(),
            )
            .col_expr(import_log::Column::UpdatedAt, self.now())
            // `=`, not `IN`: PostgreSQL may run the subquery of an `IN` once for each row, and then
            // it takes more jobs than the one that is run.
            .filter(
                Expr::col(import_log::Column::Id).eq(Expr::from(SubQueryStatement::from(next))),
            );
        self.change(claim, story::taken_up, "claim a job").await
    }

    /// Moves the end of a lease; false when the job is no longer ours.
    pub async fn renew(&self, job: &Job, lease: Duration) -> Result<bool, StoreError> {
        let _turn = self.turn().await;
        let renewed = import_log::Entity::update_many()
            .col_expr(import_log::Column::LeaseExpiresAt, self.lease_end(lease))
            .filter(ours(job))
            .exec(&self.write)
            .await
            .doing("renew a lease")?;
        Ok(renewed.rows_affected == 1)
    }

    /// Gives a job back unfinished, so that it goes on at once elsewhere or after a restart.
    pub async fn release(&self, job: &Job) -> Result<(), StoreError> {
        let _turn = self.turn().await;
        let release = import_log::Entity::update_many()
            .col_expr(import_log::Column::LeaseOwner, Expr::value(None::<String>))
            .col_expr(import_log::Column::LeaseExpiresAt, self.now())
            // It ended with a word: the attempt does not count.
            .col_expr(import_log::Column::Attempts, Expr::col(import_log::Column::Attempts).sub(1))
            .filter(ours(job));
        self.change(release, story::given_back, "give a job back").await?;
        Ok(())
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
        self.close_where(ours(job), status, code, message).await
    }

    /// Gives up a job that was taken up too often without an end; `None` when it is not ours.
    pub async fn give_up_if_poisoned(&self, job: &Job) -> Result<Option<Job>, StoreError> {
        if job.attempts <= ATTEMPTS_MAX {
            return Ok(None);
        }
        let message = format!(
            "the job was taken up {ATTEMPTS_MAX} times and the server ended each time; it is not tried again"
        );
        self.finish(job, &End::Failed { code: ErrorCode::CrashedRepeatedly, message }).await
    }

    /// Cancels a job, whoever owns it; `None` when it has ended already.
    pub async fn cancel(&self, id: i64) -> Result<Option<Job>, StoreError> {
        let mut open = Condition::any();
        for status in JobStatus::ALL {
            if status.may_become(JobStatus::Cancelled) {
                open = open.add(has(status));
            }
        }
        let which = Condition::all().add(import_log::Column::Id.eq(id)).add(open);
        self.close_where(which, JobStatus::Cancelled, None, None).await
    }

    async fn close_where(
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
        let _turn = self.turn().await;
        let note = import_log::Entity::update_many()
            .col_expr(import_log::Column::TotalRows, Expr::value(signed(total_rows)))
            .col_expr(import_log::Column::Lanes, Expr::value(i32::try_from(lanes).unwrap_or(1)))
            .col_expr(import_log::Column::UpdatedAt, self.now())
            .filter(ours(job));
        let is_known = job.total_rows.is_some();
        let story = |job: &Job| if is_known { Vec::new() } else { story::found(job) };
        self.change(note, story, "note the number of rows").await
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

    /// Among how many writers the job's rows were divided when it was first taken up.
    pub async fn lanes_of(&self, id: i64) -> Result<Option<u32>, StoreError> {
        let row =
            import_log::Entity::find_by_id(id).one(&self.write).await.doing("read the job")?;
        Ok(row.and_then(|row| row.lanes).and_then(|lanes| u32::try_from(lanes).ok()))
    }

    /// The chunks of a job that are committed: together they are its checkpoint.
    pub async fn committed_chunks(&self, id: i64) -> Result<Vec<CommittedChunk>, StoreError> {
        let rows = import_chunk::Entity::find()
            .filter(import_chunk::Column::ImportLogId.eq(id))
            .order_by_asc(import_chunk::Column::Number)
            .all(&self.read)
            .await
            .doing("read the checkpoint")?;
        let chunk = |row: import_chunk::Model| {
            let unreadable = |what| StoreError::Unreadable { id, what };
            Ok(CommittedChunk {
                number: u32::try_from(row.number).map_err(|_| unreadable("chunk number"))?,
                lane: u32::try_from(row.lane).map_err(|_| unreadable("lane"))?,
                last_row: u32::try_from(row.last_row).map_err(|_| unreadable("last row"))?,
                has_failed_rows: row.failed_count > 0,
            })
        };
        rows.into_iter().map(chunk).collect()
    }

    /// Row errors and superseded rows that are stored of a job.
    pub async fn stored_notes(&self, id: i64) -> Result<(u64, u64), StoreError> {
        let errors = import_error::Entity::find()
            .filter(import_error::Column::ImportLogId.eq(id))
            .count(&self.read)
            .await
            .doing("count the row errors")?;
        let superseded = import_superseded::Entity::find()
            .filter(import_superseded::Column::ImportLogId.eq(id))
            .count(&self.read)
            .await
            .doing("count the superseded rows")?;
        Ok((errors, superseded))
    }

    /// Rows of a job of which a row error is stored.
    pub async fn stored_error_rows(&self, id: i64) -> Result<u64, StoreError> {
        import_error::Entity::find()
            .select_only()
            .column(import_error::Column::RowNumber)
            .filter(import_error::Column::ImportLogId.eq(id))
            .distinct()
            .count(&self.read)
            .await
            .doing("count the rows with errors")
    }

    /// Rows of a job that have an outcome by its chunks: must be what `import_log` says.
    pub async fn rows_in_chunks(&self, id: i64) -> Result<u64, StoreError> {
        let rows = import_chunk::Entity::find()
            .filter(import_chunk::Column::ImportLogId.eq(id))
            .all(&self.read)
            .await
            .doing("add up the chunks")?;
        let of = |row: &import_chunk::Model| {
            unsigned(row.created_count)
                + unsigned(row.updated_count)
                + unsigned(row.unchanged_count)
                + unsigned(row.superseded_count)
                + unsigned(row.failed_count)
        };
        Ok(rows.iter().map(of).sum())
    }
}

/// The job as long as nobody else took it and nobody ended it.
pub(super) fn ours(job: &Job) -> Condition {
    Condition::all()
        .add(import_log::Column::Id.eq(job.id))
        .add(import_log::Column::LeaseEpoch.eq(job.lease_epoch))
        .add(has(JobStatus::Processing))
}
