//! Between the row of `import_log` and the domain's job.

use chrono::{DateTime, SubsecRound, Utc};
use entity::import_log::{self, Column};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::domain::counts::Counts;
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

/// Reads a row of `import_log`.
pub(in crate::store) fn job(row: import_log::Model) -> Result<Job, StoreError> {
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
pub(in crate::store) fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A count for the table.
pub(in crate::store) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A number for a column of 32 bits, which no job outgrows.
pub(in crate::store) fn small(number: u32) -> i32 {
    let stored = i32::try_from(number);
    assert!(stored.is_ok(), "{number} is more than the column takes");
    stored.unwrap_or(i32::MAX)
}

/// Now, in the microseconds that both databases keep: what is in memory and what is read back are
/// the same to the byte.
pub(in crate::store) fn now_utc() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

impl Store {
    /// Now by the database's clock: what [`now`](Self::now) would give.
    pub(in crate::store) async fn time(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<DateTime<Utc>, StoreError> {
        let action = "ask for the time";
        match self.kind {
            Database::Sqlite { .. } => Ok(now_utc()),
            Database::Postgres { .. } => {
                let now = Query::select().expr_as(self.now(), "now").to_owned();
                let row = transaction.query_one(&now).await.context(action)?;
                let row = row.ok_or(sea_orm::DbErr::RecordNotFound(action.to_owned()));
                row.context(action)?.try_get("", "now").context(action)
            }
        }
    }

    /// Now by the database's clock, as an expression: servers' clocks may differ, leases must not.
    /// When the statement begins, not when its transaction did: that one may have waited for a lock.
    pub(in crate::store) fn now(&self) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::value(now_utc()),
            Database::Postgres { .. } => Expr::cust("statement_timestamp()"),
        }
    }

    /// True while the lease of a job runs, also after the statement has waited for the job's row.
    pub(in crate::store) fn lease_runs(&self) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::col(Column::LeaseExpiresAt).gte(now_utc()),
            Database::Postgres { .. } => lease_runs_on_postgres(),
        }
    }

    /// A time that lies `before` now.
    pub(in crate::store) fn ago(&self, before: std::time::Duration) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::value(now_utc() - before),
            Database::Postgres { .. } => Expr::cust("statement_timestamp()")
                .sub(Expr::cust_with_values("make_interval(secs => $1)", [before.as_secs_f64()])),
        }
    }

    /// The end of a lease that begins now.
    pub(in crate::store) fn lease_end(&self, lease: std::time::Duration) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::value(now_utc() + lease),
            Database::Postgres { .. } => Expr::cust("statement_timestamp()")
                .add(Expr::cust_with_values("make_interval(secs => $1)", [lease.as_secs_f64()])),
        }
    }
}

/// True while the lease of a job runs. Whoever waits for the row of a job is asked once more when he
/// has it, and the clock goes on: by the time of the statement a lease could be renewed that ran out
/// meanwhile, and whose place was given away.
pub(in crate::store) fn lease_runs_on_postgres() -> Expr {
    Expr::col(Column::LeaseExpiresAt).gte(Expr::cust("clock_timestamp()"))
}
