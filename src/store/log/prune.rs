//! The end of jobs as records: each leaves with everything that the tables hold of it, in steps that
//! no other writer waits for.

use std::time::Duration;

use entity::import_log;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};

use crate::domain::job::Job;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::ends;
use crate::store::log::job_row::job;
use import_log::Column as C;

/// Jobs that go in one step.
const JOBS_PER_STEP: u64 = 100;

/// Rows of other tables that go in one step, about.
const ROWS_PER_STEP: u64 = 10_000;

const ACTION: &str = "remove old jobs";

/// The tables with rows of a job that may be many, and the number that is unique within a job.
const TABLES: [(&str, &str); 6] = [
    ("import_undo", "row_number"),
    ("import_errors", "row_number"),
    ("import_superseded", "row_number"),
    ("import_differences", "row_number"),
    ("import_events", "number"),
    ("import_chunks", "number"),
];

/// What belongs to a job.
const OF_JOB: &str = "import_log_id";

impl Store {
    /// Removes some jobs that ended `retention` ago and earlier, and gives them; none when none is
    /// left. Their files are gone by now, so that nobody repeats them or rolls them back; one of
    /// which an unfinished job came stays as long as that.
    pub async fn prune_jobs(&self, retention: Duration) -> Result<Vec<Job>, StoreError> {
        let rows = import_log::Entity::find()
            // Only jobs that have ended have these times.
            .filter(C::FilesRemovedAt.is_not_null())
            .filter(Expr::col(C::CompletedAt).lt(self.ago(retention)))
            .filter(Self::needed_by_none())
            .order_by_asc(C::CompletedAt)
            .limit(JOBS_PER_STEP)
            .all(&self.read)
            .await
            .context(ACTION)?;
        let due = rows.into_iter().map(job).collect::<Result<Vec<_>, _>>()?;
        let mut rows = 0;
        let small = due.iter().take_while(|job| {
            rows += rows_of(job);
            rows <= ROWS_PER_STEP
        });
        let small: Vec<Job> = small.cloned().collect();
        let step = if small.is_empty() { due.into_iter().take(1).collect() } else { small };
        if let [large] = step.as_slice() {
            while self.clear_rows_of(large.id).await? {}
        }
        if !step.is_empty() {
            self.delete_ended(&step).await?;
        }
        Ok(step)
    }

    async fn delete_ended(&self, jobs: &[Job]) -> Result<(), StoreError> {
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(ACTION)?;
        import_log::Entity::delete_many()
            .filter(C::Id.is_in(jobs.iter().map(|job| job.id)))
            .filter(C::ImportStatus.is_in(ends()))
            .exec(&transaction)
            .await
            .context(ACTION)?;
        for job in jobs {
            notify(&transaction, job.id).await.context(ACTION)?;
        }
        transaction.commit().await.context(ACTION)
    }

    /// Removes some rows that the tables hold of a job; false when the rest is few enough to go with
    /// the job itself.
    pub(in crate::store) async fn clear_rows_of(&self, id: i64) -> Result<bool, StoreError> {
        for (table, number) in TABLES {
            let (table, number) = (Alias::new(table), Alias::new(number));
            let of_job = Expr::col(OF_JOB).eq(id);
            let first = Query::select()
                .expr_as(Expr::col(number.clone()).cast_as("bigint").min(), "first")
                .from(table.clone())
                .and_where(of_job.clone())
                .to_owned();
            let first = self.read.query_one(&first).await.context(ACTION)?;
            let first: Option<i64> = match first {
                Some(row) => row.try_get("", "first").context(ACTION)?,
                None => None,
            };
            let Some(first) = first else { continue };
            let step = Query::delete()
                .from_table(table)
                .and_where(of_job)
                .and_where(Expr::col(number).lt(first.saturating_add_unsigned(ROWS_PER_STEP)))
                .to_owned();
            let _guard = self.lock_writes().await;
            self.write.execute(&step).await.context(ACTION)?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// At least as many rows as the tables hold of a job.
fn rows_of(job: &Job) -> u64 {
    // A row of the file has at most a journal entry, an error or an entry of a superseded row, and a
    // chunk has at least one row.
    job.event_count + 2 * job.counts.processed() + 1
}
