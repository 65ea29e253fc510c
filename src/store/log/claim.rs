//! How a job gets its owner: the next due job, claimed under a lock that all servers share. How it
//! runs is unknown here.

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, SubQueryStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, Order, QueryFilter,
    QueryOrder, QuerySelect, TransactionTrait, UpdateMany,
};

use crate::domain::event::lifecycle;
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::faults::fault;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::{changed, unfinished};
use crate::store::log::claimant::Claimant;
use crate::store::log::lease::has;
use import_log::Column as C;

/// Clients of which the next job is tried, before any job will do.
const CANDIDATES: u64 = 8;

/// Work that has begun goes before work that waits: 0 or 1.
const BEGUN: &str = "CASE WHEN import_status = 'PENDING' THEN 0 ELSE 1 END";

impl Store {
    /// Takes the next due job: of those that wait, those whose owner is gone and those whose
    /// pause is over. Begun jobs continue first, so that the jobs of a table stay in order;
    /// then the highest priority; of these the client that was served least recently; of these the
    /// oldest. Only jobs whose file `by` can reach, or that need none, of datasets that `by` has and
    /// that have a free concurrency slot.
    ///
    /// All claims of a database take turns, so that two servers never take the last slot of a
    /// dataset together.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim(&self, by: &Claimant) -> Result<Option<Job>, StoreError> {
        let action = "claim a job";
        let _guard = self.lock_writes().await;
        let transaction = self.begin_claim().await?;
        if by.has_unknown_claims {
            // Under the lock: a claim without an answer has taken effect by now, or never will.
            self.expire_orphaned_leases(&transaction, by).await?;
        }
        // A download writes no rows.
        let full = if by.downloads {
            Vec::new()
        } else {
            self.full_datasets(&transaction, by, None).await?
        };
        let claimed = self.claim_next(&transaction, by, &full).await?;
        // Nothing was written when there is nothing to claim; the lock goes either way.
        transaction.commit().await.context(action)?;
        fault!("claim.after", StoreError::busy());
        Ok(claimed)
    }

    /// Lets the jobs go that `by` owns and does not work on, before it claims the first time: what an
    /// earlier process left behind does not run.
    ///
    /// # Errors
    /// When the database does not answer, or another server holds a job locked.
    pub async fn release_orphaned(&self, by: &Claimant) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        let transaction = self.begin_claim().await?;
        self.expire_orphaned_leases(&transaction, by).await?;
        transaction.commit().await.context("take up interrupted jobs")
    }

    /// The datasets that `by` lacks and that jobs wait for. None where there is no other server: there
    /// such jobs are taken all the same.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn missing_datasets(&self, by: &Claimant) -> Result<Vec<String>, StoreError> {
        if self.is_exclusive() {
            return Ok(Vec::new());
        }
        import_log::Entity::find()
            .select_only()
            .column(C::Dataset)
            .distinct()
            .filter(C::ImportStatus.is_in(unfinished()))
            .filter(C::Dataset.is_not_in(&by.datasets))
            .order_by_asc(C::Dataset)
            .into_tuple()
            .all(&self.read)
            .await
            .context("look for jobs of other datasets")
    }

    /// A transaction beside which no other server claims.
    async fn begin_claim(&self) -> Result<DatabaseTransaction, StoreError> {
        let transaction = self.write.begin().await.context("claim a job")?;
        self.lock_slots(&transaction).await?;
        Ok(transaction)
    }

    /// Ends the leases of jobs of `by` that it does not work on; on a database that only one server
    /// can use, of all jobs that it does not work on.
    async fn expire_orphaned_leases(
        &self,
        transaction: &DatabaseTransaction,
        by: &Claimant,
    ) -> Result<(), StoreError> {
        let mut unknown = Condition::all()
            .add(has(JobStatus::Processing))
            .add(C::Id.is_not_in(by.busy_with.iter().copied()));
        if !self.is_exclusive() {
            unknown = unknown.add(C::LeaseOwner.eq(&by.owner));
        }
        import_log::Entity::update_many()
            .col_expr(C::LeaseExpiresAt, Expr::value(None::<DateTime<Utc>>))
            .filter(unknown)
            .exec(transaction)
            .await
            .context("take up interrupted jobs")?;
        Ok(())
    }

    /// Claims the best candidate that no transaction holds locked, else any due job that none does.
    async fn claim_next(
        &self,
        transaction: &DatabaseTransaction,
        by: &Claimant,
        full: &[String],
    ) -> Result<Option<Job>, StoreError> {
        let action = "claim a job";
        let due = self.due(by, full);
        let rows = transaction.query_all(&candidates(&due)).await.context(action)?;
        let mut next: Vec<SelectStatement> = Vec::with_capacity(rows.len() + 1);
        for row in &rows {
            let id: i64 = row.try_get("", "first_id").context(action)?;
            next.push(self.unlocked(due.clone().add(C::Id.eq(id))));
        }
        if !rows.is_empty() {
            next.push(self.unlocked(due));
        }
        for next in next {
            let claim = self.claiming(by, next);
            let claimed = changed(transaction, claim, lifecycle::claimed).await.context(action)?;
            if let Some(job) = claimed {
                return job.map(Some);
            }
        }
        Ok(None)
    }

    /// True of the jobs that `by` may take.
    fn due(&self, by: &Claimant, full: &[String]) -> Condition {
        let ownerless = Condition::any()
            .add(C::LeaseExpiresAt.is_null())
            .add(Expr::col(C::LeaseExpiresAt).lt(self.now()));
        let may_go_on = Expr::col(C::ResumeAt).lte(self.now());
        let due = Condition::any()
            .add(has(JobStatus::Pending))
            .add(Condition::all().add(has(JobStatus::Processing)).add(ownerless))
            .add(Condition::all().add(has(JobStatus::Paused)).add(may_go_on));
        // A rollback reads the journal in the database and no file; a far file is nobody's yet.
        let can_be_read = Condition::any()
            .add(C::StorageLocation.is_in(&by.storage_locations))
            .add(C::RollbackOf.is_not_null())
            .add(C::AwaitsFile.eq(true));
        let mut due =
            Condition::all().add(due).add(can_be_read).add(C::AwaitsFile.eq(by.downloads));
        if !by.downloads {
            due = due.add(follows_a_download().not());
        }
        if !self.is_exclusive() {
            due = due.add(C::Dataset.is_in(&by.datasets));
        }
        if let Some(only) = &by.only {
            let is_single = C::BulkId.is_null().and(C::RetryOf.is_null());
            let is_single = is_single.and(C::RollbackOf.is_null());
            due = due.add(C::Dataset.is_in(only)).add(is_single);
        }
        if !full.is_empty() {
            due = due.add(C::Dataset.is_not_in(full));
        }
        if !by.busy_with.is_empty() {
            due = due.add(C::Id.is_not_in(by.busy_with.iter().copied()));
        }
        due
    }

    /// The first due job that no transaction holds, without a look at who was served: a job that is
    /// just being cancelled, or held by a server that froze, is left alone instead of waited for.
    fn unlocked(&self, due: Condition) -> SelectStatement {
        let mut next = Query::select();
        next.column(C::Id)
            .from(import_log::Entity)
            .cond_where(due)
            .order_by_expr(Expr::cust(BEGUN), Order::Desc)
            .order_by(C::Priority, Order::Desc)
            .order_by(C::Id, Order::Asc)
            .limit(1);
        self.skip_locked(&mut next);
        next
    }

    fn claiming(&self, by: &Claimant, next: SelectStatement) -> UpdateMany<import_log::Entity> {
        let processing = Expr::value(JobStatus::Processing.as_stored());
        let first_start = Func::coalesce([Expr::col(C::StartedAt), self.now()]);
        // The rows that a rollback must keep are listed where it runs; a far file comes to where it is
        // downloaded.
        let here = by.storage_locations.first().unwrap_or(&by.owner).clone();
        let is_moved =
            Condition::any().add(C::RollbackOf.is_not_null()).add(C::AwaitsFile.eq(true));
        let storage_location = Expr::case(is_moved, here).finally(Expr::col(C::StorageLocation));
        import_log::Entity::update_many()
            .col_expr(C::ImportStatus, processing)
            .col_expr(C::LeaseOwner, Expr::value(by.owner.clone()))
            .col_expr(C::LeaseExpiresAt, self.lease_end(by.lease))
            .col_expr(C::LeaseEpoch, Expr::col(C::LeaseEpoch).add(1))
            .col_expr(C::Attempts, Expr::col(C::Attempts).add(1))
            .col_expr(C::StartedAt, first_start.into())
            .col_expr(C::StorageLocation, storage_location.into())
            .col_expr(C::ClaimedAt, self.now())
            .col_expr(C::UpdatedAt, self.now())
            // The reason why it was paused may be over.
            .col_expr(C::ResumeAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(C::ErrorCode, Expr::value(None::<String>))
            .col_expr(C::ErrorMessage, Expr::value(None::<String>))
            // `=`, not `IN`: PostgreSQL may run the subquery of an `IN` once for each row, and then
            // it takes more jobs than the one that is run.
            .filter(Expr::col(C::Id).eq(Expr::from(SubQueryStatement::from(next))))
    }
}

/// True of a job of a bulk while an earlier file of the bulk is still to come from elsewhere: the rows
/// of the last file win, whichever is downloaded first. One that a client paused is not waited for.
fn follows_a_download() -> Expr {
    let earlier = Alias::new("earlier");
    let of = |column: C| Expr::col((earlier.clone(), column));
    let runs = [JobStatus::Pending, JobStatus::Processing].map(JobStatus::as_stored);
    let waits = of(C::ImportStatus).eq(JobStatus::Paused.as_stored());
    let is_coming = of(C::ImportStatus).is_in(runs).or(waits.and(of(C::ResumeAt).is_not_null()));
    let files = Query::select()
        .expr(Expr::value(1))
        .from_as(import_log::Entity, earlier.clone())
        .and_where(of(C::BulkId).equals((import_log::Entity, C::BulkId)))
        .and_where(of(C::Id).lt(Expr::col((import_log::Entity, C::Id))))
        .and_where(of(C::AwaitsFile).eq(true))
        .and_where(is_coming)
        .to_owned();
    Expr::exists(files)
}

/// The first job of each client, best first. Which client was served when is asked once for each
/// client, not once for each job: with 20,000 jobs that is ten times faster.
fn candidates(due: &Condition) -> SelectStatement {
    let first_of_each = Query::select()
        .expr_as(Expr::cust(BEGUN), "begun")
        .columns([C::Priority, C::CreatedBy])
        .expr_as(Func::min(Expr::col(C::Id)), "first_id")
        .from(import_log::Entity)
        .cond_where(due.clone())
        .add_group_by([Expr::cust(BEGUN), Expr::col(C::Priority), Expr::col(C::CreatedBy)])
        .to_owned();
    let (first, served) = (Alias::new("first"), Alias::new("served"));
    let last_served = |of_client: Expr| {
        let last = Query::select()
            .expr(Func::max(Expr::col((served.clone(), C::ClaimedAt))))
            .from_as(import_log::Entity, served.clone())
            .and_where(of_client)
            .to_owned();
        Expr::from(SubQueryStatement::from(last))
    };
    let client = Expr::col((served.clone(), C::CreatedBy));
    let named = last_served(client.clone().equals((first.clone(), C::CreatedBy)));
    // Jobs without a client count as those of one client.
    let unnamed = Expr::case(
        Expr::col((first.clone(), C::CreatedBy)).is_null(),
        last_served(client.is_null()),
    );
    // A client that was never served comes first, on both databases.
    let never = Expr::value(DateTime::<Utc>::UNIX_EPOCH);
    Query::select()
        .column((first.clone(), Alias::new("first_id")))
        .from_subquery(first_of_each, first.clone())
        .order_by((first.clone(), Alias::new("begun")), Order::Desc)
        .order_by((first.clone(), C::Priority), Order::Desc)
        .order_by_expr(Func::coalesce([named, unnamed.into(), never]).into(), Order::Asc)
        .order_by((first, Alias::new("first_id")), Order::Asc)
        .limit(CANDIDATES)
        .to_owned()
}
