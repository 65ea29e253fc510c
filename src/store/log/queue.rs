//! The jobs that wait, with what decides about their order. The order itself is in
//! `domain::claim_order`; it is that of `claim`.

use sea_orm::{ConnectionTrait, Statement};

use crate::domain::claim_order::WaitingJob;
use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// The first jobs of each client come first, so that no client is left out. When a client was served
/// is looked up once for each client, as in `claim`. Parameter: how many jobs are wanted.
const WAITING: &str = "WITH waiting AS (SELECT id, priority, coalesce(created_by, '') AS client, \
     row_number() OVER (PARTITION BY priority, created_by ORDER BY id) AS turn \
     FROM import_log WHERE import_status = 'PENDING'), \
     clients AS (SELECT client, CASE WHEN client = '' THEN \
     (SELECT max(claimed_at) FROM import_log WHERE created_by IS NULL) ELSE \
     (SELECT max(claimed_at) FROM import_log WHERE created_by = one.client) END AS served \
     FROM (SELECT DISTINCT client FROM waiting) one) \
     SELECT id, priority, waiting.client AS client, served FROM waiting \
     JOIN clients ON clients.client = waiting.client \
     ORDER BY priority DESC, turn, id LIMIT $1";

/// The jobs of a dataset that have not ended, by status, and the bytes of their files that are still
/// to be imported. Dataset and status are compared as one value, as their index has it.
const UNFINISHED: &str = "SELECT import_status, count(*) AS jobs, CAST(coalesce(sum(\
     CASE WHEN coalesce(total_rows, 0) > 0 THEN CAST(file_size AS double precision) \
     * (total_rows - processed_rows) / total_rows ELSE file_size END), 0) AS bigint) \
     AS bytes FROM import_log WHERE (dataset || ' ' || import_status) \
     IN ($1 || ' PENDING', $1 || ' PROCESSING', $1 || ' PAUSED') GROUP BY import_status";

/// Jobs that have not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Those that wait.
    pub waiting: u64,
    /// Those that run.
    pub running: u64,
    /// Those that are paused.
    pub paused: u64,
    /// Bytes of the waiting and the running ones that are still to be imported.
    pub bytes: u64,
}

impl Store {
    /// The jobs of a dataset that have not ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unfinished(&self, dataset: &str) -> Result<Unfinished, StoreError> {
        let action = "count the jobs that have not ended";
        let statement =
            Statement::from_sql_and_values(self.backend(), UNFINISHED, [dataset.into()]);
        let rows = self.read.query_all_raw(statement).await.context(action)?;
        let mut found = Unfinished::default();
        for row in rows {
            let status: String = row.try_get("", "import_status").context(action)?;
            let jobs = unsigned(row.try_get("", "jobs").context(action)?);
            let bytes = unsigned(row.try_get("", "bytes").context(action)?);
            match JobStatus::parse(&status) {
                Some(JobStatus::Paused) => found.paused = jobs,
                Some(JobStatus::Processing) => found.running = jobs,
                _ => found.waiting = jobs,
            }
            if status != JobStatus::Paused.as_stored() {
                found.bytes += bytes;
            }
        }
        Ok(found)
    }

    /// The jobs that wait, at most `limit`. Their order holds as long as every dataset has a free slot.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn waiting(&self, limit: i64) -> Result<Vec<WaitingJob>, StoreError> {
        let action = "look at the queue";
        let statement = Statement::from_sql_and_values(self.backend(), WAITING, [limit.into()]);
        let rows = self.read.query_all_raw(statement).await.context(action)?;
        let waiting = |row: &sea_orm::QueryResult| -> Result<_, sea_orm::DbErr> {
            Ok(WaitingJob {
                id: row.try_get("", "id")?,
                priority: row.try_get("", "priority")?,
                client: row.try_get("", "client")?,
                served: row.try_get("", "served")?,
            })
        };
        rows.iter().map(waiting).collect::<Result<_, _>>().context(action)
    }
}
