//! Importing files of a bulk that has ended again, as a bulk of its own: each job is a retry of one of
//! the old bulk.

use chrono::DateTime;
use uuid::Uuid;

use super::bulk::BulkSubmitted;
use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::retry::{RetryChild, drop_copies, prepare_child};
use crate::domain::bulk::{Bulk, BulkJob, FileCounts};
use crate::domain::job::NewJob;
use crate::domain::selection::RetryRows;
use crate::domain::status::JobStatus;
use crate::domain::trace::TraceContext;
use crate::store::NewBulkJob;

/// The request to retry a bulk that has ended.
#[derive(Debug, Clone)]
pub struct BulkRetry {
    /// Which rows of each job that has such; without them the files that were not imported.
    pub rows: Option<RetryRows>,
    /// Who asks: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The request, in its trace.
    pub trace: Option<TraceContext>,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
}

impl Jobs {
    /// Imports files of a bulk again.
    ///
    /// # Errors
    /// `NoBulk`; `BulkRuns` when it has not ended; `NothingToRetryInBulk`; `KeyOfBulk`; what a retry
    /// of a job may be refused for; else the store's.
    pub async fn retry_bulk(
        &self,
        id: Uuid,
        request: BulkRetry,
    ) -> Result<BulkSubmitted, JobsError> {
        self.on_runtime(move |context| async move {
            let fingerprint = format!("retry {id} {:?}", request.rows.map(RetryRows::as_str));
            if let Some(key) = request.idempotency_key.as_deref()
                && let Some(bulk) = context.store.bulk_by_key(key).await?
            {
                return context.replayed_bulk(bulk, &fingerprint).await;
            }
            let (bulk, jobs) = context.bulk(id).await?;
            if !FileCounts::of(&bulk, &jobs).status().is_terminal() {
                return Err(JobsError::BulkRuns(id));
            }
            let new_id = Uuid::new_v4();
            let children = match children(&context, &jobs, new_id, &request).await {
                Ok(children) if children.is_empty() => {
                    return Err(JobsError::NothingToRetryInBulk(id));
                }
                children => children?,
            };
            let new = Bulk {
                id: new_id,
                file_count: children.len() as u64,
                refused: Vec::new(),
                fingerprint,
                idempotency_key: request.idempotency_key,
                retry_of: Some(id),
                created_by: request.created_by,
                created_at: DateTime::default(),
                ..bulk
            };
            let (copies, jobs): (Vec<_>, Vec<_>) = children
                .into_iter()
                .map(|RetryChild { new, storage }| {
                    let storage_location = storage.location().to_owned();
                    ((new.uuid, storage), NewBulkJob { new, storage_location })
                })
                .unzip();
            let submitted = context.insert_bulk(new, jobs).await;
            let is_ours = match &submitted {
                Ok(submitted) => !submitted.replayed,
                Err(fault) => fault.may_have_stored(),
            };
            if !is_ours {
                for (uuid, storage) in copies {
                    drop_copies(&storage, uuid).await;
                }
            }
            submitted
        })
        .await
    }
}

/// A child of each job that is to be retried; none when one of them cannot be.
async fn children(
    context: &JobsContext,
    jobs: &[BulkJob],
    bulk_id: Uuid,
    request: &BulkRetry,
) -> Result<Vec<RetryChild>, JobsError> {
    let mut children: Vec<RetryChild> = Vec::new();
    for job in jobs {
        let was_imported = job.status == JobStatus::Completed;
        let rows = match request.rows {
            None if was_imported => continue,
            rows => rows.unwrap_or(RetryRows::All),
        };
        let Some(parent) = context.store.get(job.id).await? else { continue };
        match prepare_child(context, &parent, rows).await {
            Ok(child) => {
                let created_by = request.created_by.clone();
                let (bulk_id, trace) = (Some(bulk_id), request.trace);
                let new = NewJob { bulk_id, created_by, trace, ..child.new };
                children.push(RetryChild { new, ..child });
            }
            // The other jobs may have such rows.
            Err(JobsError::NothingToRetry { .. }) => {}
            Err(fault) => {
                for RetryChild { new, storage } in children {
                    drop_copies(&storage, new.uuid).await;
                }
                return Err(fault);
            }
        }
    }
    Ok(children)
}
