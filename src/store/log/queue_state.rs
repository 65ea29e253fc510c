//! How the queue of all servers stands, for those who watch over it.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Statement, TransactionTrait};

use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;

/// The jobs that have not ended, which the index by status finds.
const STATE: &str = "SELECT dataset, import_status, count(*) AS jobs, min(created_at) AS oldest, \
     min(lease_expires_at) AS lease FROM import_log \
     WHERE import_status IN ('PENDING', 'PROCESSING', 'PAUSED') GROUP BY dataset, import_status";

/// How the queue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// Jobs that have not ended.
    pub jobs: Vec<JobsOfDataset>,
    /// Now, by the clock of the database.
    pub now: DateTime<Utc>,
    /// When the upload of the oldest waiting job was accepted.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// The first moment at which a lease of a running job ends, or has ended.
    pub first_lease_end: Option<DateTime<Utc>>,
}

/// Jobs of a dataset with the same status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsOfDataset {
    /// The dataset.
    pub dataset: String,
    /// Their status.
    pub status: JobStatus,
    /// How many they are.
    pub jobs: u64,
}

impl Store {
    /// How the queue of all servers stands.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_state(&self) -> Result<QueueState, StoreError> {
        let action = "look how the queue stands";
        let transaction = self.lists.begin().await.context(action)?;
        let now = self.time(&transaction).await?;
        let statement = Statement::from_string(self.backend(), STATE);
        let rows = transaction.query_all_raw(statement).await.context(action)?;
        transaction.rollback().await.context(action)?;
        let mut state =
            QueueState { jobs: Vec::new(), now, oldest_waiting: None, first_lease_end: None };
        for row in rows {
            let status: String = row.try_get("", "import_status").context(action)?;
            let Some(status) = JobStatus::parse(&status) else { continue };
            let jobs = unsigned(row.try_get("", "jobs").context(action)?);
            let oldest: Option<DateTime<Utc>> = row.try_get("", "oldest").context(action)?;
            let lease: Option<DateTime<Utc>> = row.try_get("", "lease").context(action)?;
            match status {
                JobStatus::Pending => state.oldest_waiting = earlier(state.oldest_waiting, oldest),
                JobStatus::Processing => {
                    state.first_lease_end = earlier(state.first_lease_end, lease);
                }
                _ => {}
            }
            let dataset = row.try_get("", "dataset").context(action)?;
            state.jobs.push(JobsOfDataset { dataset, status, jobs });
        }
        Ok(state)
    }
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}
