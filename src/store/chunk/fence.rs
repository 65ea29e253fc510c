//! The fence of a chunk: the update of its job that touches nothing once the job belongs to another
//! owner, and the job as that update leaves it.

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter, QueryTrait, Statement,
};

use crate::domain::counts::Counts;
use crate::domain::job::Job;
use crate::domain::new_reference::NewReferences;
use crate::domain::run_time::RunTime;
use crate::domain::warning::Warnings;
use crate::store::dialect::{lease_runs_on_postgres, moment};
use crate::store::error::StoreError;
use crate::store::log::job_row::{absent, as_json, new_references, signed, unsigned, warnings};
use crate::store::log::lease::ours;
use crate::store::log::run_time::touched_by_rows;

/// What changes of a job while it runs, as the fence left it. Its row stays locked until the commit, so
/// that the events which follow have the next numbers.
#[derive(Debug, Clone, FromQueryResult)]
pub(in crate::store) struct FencedJob {
    /// The number of the chunk's last event.
    pub(in crate::store) event_count: i64,
    /// Rows of the job with an outcome, this chunk's included.
    pub(in crate::store) processed_rows: i64,
    pub(in crate::store) created_count: i64,
    pub(in crate::store) updated_count: i64,
    pub(in crate::store) unchanged_count: i64,
    pub(in crate::store) superseded_count: i64,
    pub(in crate::store) error_count: i64,
    pub(in crate::store) removed_count: i64,
    /// When the chunk was added, by the clock that counts the time in which the job runs.
    pub(in crate::store) updated_at: DateTime<Utc>,
    pub(in crate::store) run_ms: i64,
    pub(in crate::store) pace_rows: i64,
    pub(in crate::store) pace_ms: i64,
    pub(in crate::store) priority: i32,
    /// A client asked for the events of every row.
    pub(in crate::store) row_events: bool,
    /// Those of the job before this chunk's are added.
    pub(in crate::store) warnings: serde_json::Value,
    /// What the rows of a dry run would create in other tables; this chunk's are added later, too.
    pub(in crate::store) new_references: Option<serde_json::Value>,
}

impl FencedJob {
    /// Adds the warnings of the chunk, if it has any; the statement stores the sum.
    pub(in crate::store) fn add_warnings(
        &mut self,
        backend: DbBackend,
        job: &Job,
        of_chunk: &Warnings,
    ) -> Result<Option<Statement>, StoreError> {
        if of_chunk.is_empty() {
            return Ok(None);
        }
        let mut warnings = warnings(job.id, self.warnings.take())?;
        warnings.merge(of_chunk);
        self.warnings = as_json(&warnings);
        let update = import_log::Entity::update_many()
            .col_expr(import_log::Column::Warnings, Expr::value(self.warnings.clone()))
            .filter(import_log::Column::Id.eq(job.id));
        Ok(Some(update.build(backend)))
    }

    /// Adds what the rows of the chunk would create in other tables; the statement stores the sum.
    pub(in crate::store) fn add_new_references(
        &mut self,
        backend: DbBackend,
        job: &Job,
        of_chunk: &NewReferences,
    ) -> Result<Option<Statement>, StoreError> {
        if of_chunk.is_empty() {
            return Ok(None);
        }
        let mut all = new_references(job.id, self.new_references.take())?.unwrap_or_default();
        all.merge(of_chunk);
        self.new_references = Some(as_json(&all));
        let update = import_log::Entity::update_many()
            .col_expr(import_log::Column::NewReferences, Expr::value(self.new_references.clone()))
            .filter(import_log::Column::Id.eq(job.id));
        Ok(Some(update.build(backend)))
    }

    /// The job after the commit.
    pub(in crate::store) fn show(self, job: &Job) -> Result<Job, StoreError> {
        Ok(Job {
            warnings: warnings(job.id, self.warnings)?,
            new_references: new_references(job.id, self.new_references)?,
            counts: Counts {
                created: unsigned(self.created_count),
                updated: unsigned(self.updated_count),
                unchanged: unsigned(self.unchanged_count),
                superseded: unsigned(self.superseded_count),
                failed: unsigned(self.error_count),
                removed: unsigned(self.removed_count),
                absent: absent(self.removed_count, job.rollback_of),
            },
            run_time: RunTime {
                millis: unsigned(self.run_ms),
                pace_rows: unsigned(self.pace_rows),
                pace_millis: unsigned(self.pace_ms),
            },
            event_count: unsigned(self.event_count),
            priority: self.priority,
            row_events: self.row_events,
            attempts: ATTEMPTS_OF_MOVING,
            updated_at: self.updated_at,
            ..job.clone()
        })
    }
}

/// A job that commits a chunk moves: attempts count the crashes since it last did.
const ATTEMPTS_OF_MOVING: i32 = 1;

/// Adds the counts of a chunk to its job if the job still belongs to this owner. The row stays locked
/// until the commit, so an owner with a newer epoch waits for it and then sees it.
///
/// Where there are other servers the lease must run as well: the concurrency slot of a job whose lease
/// ran out may belong to a later job by now. Its owner finds out when it renews the lease.
pub(in crate::store) fn fence(
    backend: DbBackend,
    job: &Job,
    counts: &Counts,
    event_numbers: u64,
) -> Statement {
    use import_log::Column as C;
    let grown = |column: C, by: u64| (column, Expr::col(column).add(signed(by)));
    let mut update = import_log::Entity::update_many();
    for (column, value) in [
        grown(C::ProcessedRows, counts.processed()),
        grown(C::CreatedCount, counts.created),
        grown(C::UpdatedCount, counts.updated),
        grown(C::UnchangedCount, counts.unchanged),
        grown(C::SupersededCount, counts.superseded),
        grown(C::SuccessCount, counts.succeeded()),
        grown(C::ErrorCount, counts.failed),
        grown(C::RemovedCount, counts.removed),
        grown(C::EventCount, event_numbers),
        (C::Attempts, Expr::value(ATTEMPTS_OF_MOVING)),
    ] {
        update = update.col_expr(column, value);
    }
    let mut which = ours(job);
    if backend == DbBackend::Postgres {
        which = which.add(lease_runs_on_postgres());
    }
    let update = touched_by_rows(update, backend, &moment(backend));
    let mut update = update.filter(which).into_query();
    update.returning(Query::returning().columns([
        C::EventCount,
        C::ProcessedRows,
        C::CreatedCount,
        C::UpdatedCount,
        C::UnchangedCount,
        C::SupersededCount,
        C::ErrorCount,
        C::RemovedCount,
        C::UpdatedAt,
        C::RunMs,
        C::PaceRows,
        C::PaceMs,
        C::Priority,
        C::RowEvents,
        C::Warnings,
        C::NewReferences,
    ]));
    backend.build(&update)
}
