//! Between the row of `import_log` and the domain's job.

use chrono::{DateTime, SubsecRound, Utc};
use entity::import_log::{self, Column};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::error::{Doing, StoreError};
use super::{Kind, Store};
use crate::domain::counts::Counts;
use crate::domain::job::Job;
use crate::domain::status::JobStatus;

/// Reads a row of `import_log`.
pub(super) fn job(row: import_log::Model) -> Result<Job, StoreError> {
    let id = row.id;
    let unreadable = |what| StoreError::Unreadable { id, what };
    Ok(Job {
        id,
        uuid: Uuid::parse_str(&row.uuid).map_err(|_| unreadable("uuid"))?,
        status: JobStatus::parse(&row.import_status).ok_or(unreadable("import_status"))?,
        counts: Counts {
            created: unsigned(row.created_count),
            updated: unsigned(row.updated_count),
            unchanged: unsigned(row.unchanged_count),
            superseded: unsigned(row.superseded_count),
            failed: unsigned(row.error_count),
            removed: unsigned(row.removed_count),
        },
        options: serde_json::from_value(row.options).map_err(|_| unreadable("options"))?,
        detected: serde_json::from_value(row.detected).map_err(|_| unreadable("detected"))?,
        bulk_id: row.bulk_id.as_deref().and_then(|text| Uuid::parse_str(text).ok()),
        total_rows: row.total_rows.map(unsigned),
        dataset: row.dataset,
        file_name: row.file_name,
        file_size: row.file_size,
        sha256: row.sha256,
        error_code: row.error_code,
        error_message: row.error_message,
        priority: row.priority,
        attempts: row.attempts,
        lease_epoch: row.lease_epoch,
        event_count: unsigned(row.event_count),
        row_events: row.row_events,
        storage_location: row.storage_location,
        retry_of: row.retry_of,
        selection: row
            .selection
            .map(serde_json::from_value)
            .transpose()
            .map_err(|_| unreadable("selection"))?,
        rollback_of: row.rollback_of,
        resume_at: row.resume_at,
        created_by: row.created_by,
        created_at: row.created_at,
        started_at: row.started_at,
        updated_at: row.updated_at,
        completed_at: row.completed_at,
        files_removed_at: row.files_removed_at,
    })
}

/// A count of the table; a negative one cannot be ours.
pub(super) fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A count for the table.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Now, in the microseconds that both databases keep: what is in memory and what is read back are
/// the same to the byte.
pub(super) fn now_utc() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

impl Store {
    /// Now by the database's clock: what [`now`](Self::now) would give.
    pub(super) async fn time(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<DateTime<Utc>, StoreError> {
        let doing = "ask for the time";
        match self.kind {
            Kind::Sqlite { .. } => Ok(now_utc()),
            Kind::Postgres { .. } => {
                let now = Query::select().expr_as(self.now(), "now").to_owned();
                let row = transaction.query_one(&now).await.doing(doing)?;
                let row = row.ok_or(sea_orm::DbErr::RecordNotFound(doing.to_owned()));
                row.doing(doing)?.try_get("", "now").doing(doing)
            }
        }
    }

    /// Now by the database's clock, as an expression: servers' clocks may differ, leases must not.
    /// When the statement begins, not when its transaction did: that one may have waited for a lock.
    pub(super) fn now(&self) -> Expr {
        match self.kind {
            Kind::Sqlite { .. } => Expr::value(now_utc()),
            Kind::Postgres { .. } => Expr::cust("statement_timestamp()"),
        }
    }

    /// True while the lease of a job runs, also after the statement has waited for the job's row.
    pub(super) fn lease_runs(&self) -> Expr {
        match self.kind {
            Kind::Sqlite { .. } => Expr::col(Column::LeaseExpiresAt).gte(now_utc()),
            Kind::Postgres { .. } => lease_runs_on_postgres(),
        }
    }

    /// A time that lies `before` now.
    pub(super) fn ago(&self, before: std::time::Duration) -> Expr {
        match self.kind {
            Kind::Sqlite { .. } => Expr::value(now_utc() - before),
            Kind::Postgres { .. } => Expr::cust("statement_timestamp()")
                .sub(Expr::cust_with_values("make_interval(secs => $1)", [before.as_secs_f64()])),
        }
    }

    /// The end of a lease that begins now.
    pub(super) fn lease_end(&self, lease: std::time::Duration) -> Expr {
        match self.kind {
            Kind::Sqlite { .. } => Expr::value(now_utc() + lease),
            Kind::Postgres { .. } => Expr::cust("statement_timestamp()")
                .add(Expr::cust_with_values("make_interval(secs => $1)", [lease.as_secs_f64()])),
        }
    }
}

/// True while the lease of a job runs. Whoever waits for the row of a job is asked once more when he
/// has it, and the clock goes on: by the time of the statement a lease could be renewed that ran out
/// meanwhile, and whose place was given away.
pub(super) fn lease_runs_on_postgres() -> Expr {
    Expr::col(Column::LeaseExpiresAt).gte(Expr::cust("clock_timestamp()"))
}
