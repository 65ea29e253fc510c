//! Concurrency slots: how many jobs may write to a table at the same time, on all servers together.
//! Slots are given away under a lock that all servers share. Which job gets one is in `claim`.

use entity::import_log;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    TransactionTrait,
};

use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::claimant::{Claimant, TableConcurrency};
use crate::store::log::job_row::unsigned;
use crate::store::log::lease::has;
use import_log::Column as C;

impl Store {
    /// The datasets without a free slot, not counting the job `except`. A job has its slot while its
    /// lease runs, and while `by` itself works on it. A job that is paused until a time keeps its
    /// slot: its rows must not come after those of a later file. One that downloads its file writes no
    /// rows and has none.
    pub(in crate::store) async fn full_datasets(
        &self,
        transaction: &DatabaseTransaction,
        by: &Claimant,
        except: Option<i64>,
    ) -> Result<Vec<String>, StoreError> {
        let runs = Condition::any()
            .add(Expr::col(C::LeaseExpiresAt).gte(self.now()))
            .add(C::Id.is_in(by.busy_with.iter().copied()));
        let is_suspended = Expr::col(C::ResumeAt).gt(self.now());
        let taken = Condition::any()
            .add(Condition::all().add(has(JobStatus::Processing)).add(runs))
            .add(Condition::all().add(has(JobStatus::Paused)).add(is_suspended));
        let mut jobs = import_log::Entity::find()
            .select_only()
            .column(C::Dataset)
            .column_as(C::Id.count(), "jobs")
            .filter(taken)
            .filter(C::AwaitsFile.eq(false))
            .group_by(C::Dataset);
        if let Some(except) = except {
            jobs = jobs.filter(C::Id.ne(except));
        }
        let running: Vec<(String, i64)> =
            jobs.into_tuple().all(transaction).await.context("count the running jobs")?;
        let is_full = |limit: &&TableConcurrency| {
            let of_table = running.iter().filter(|(name, _)| limit.datasets.contains(name));
            of_table.map(|(_, jobs)| unsigned(*jobs)).sum::<u64>() >= u64::from(limit.running_max)
        };
        let full = by.limits.iter().filter(is_full);
        Ok(full.flat_map(|limit| limit.datasets.iter().cloned()).collect())
    }

    /// Renews a lease that ran out; the caller holds the write lock. No server has claimed the job,
    /// but its slot may be a later job's by now. False when it is, or when the job has another owner.
    pub(in crate::store) async fn renew_with_slot(
        &self,
        job: &Job,
        by: &Claimant,
    ) -> Result<bool, StoreError> {
        let action = "renew a lease that ran out";
        let transaction = self.write.begin().await.context(action)?;
        self.lock_slots(&transaction).await?;
        let full = self.full_datasets(&transaction, by, Some(job.id)).await?;
        let mut renewed = 0;
        if job.awaits_file() || !full.contains(&job.dataset) {
            let renewal = self.renewal(job, by.lease).exec(&transaction).await;
            renewed = renewal.context(action)?.rows_affected;
        }
        transaction.commit().await.context(action)?;
        Ok(renewed == 1)
    }
}
