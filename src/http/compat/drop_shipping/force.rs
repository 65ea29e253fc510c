//! `POST /api/dropship/force-process/{batch_id}`: the batch is processed, whatever keeps it.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::batch::{Batch, skipped_rows};
use super::pace::Pace;
use super::{batch_job, json};
use crate::domain::job::Job;
use crate::domain::selection::RetryRows;
use crate::domain::status::JobStatus;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::upload::Requester;
use crate::jobs::{Command, JobsError, Retry};

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Forced<'a> {
    #[serde(flatten)]
    batch: Batch<'a>,
    message: String,
    /// The batch of which this one imports the file again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<i64>,
}

/// 200 with the batch that is processed.
pub(in crate::http::compat) async fn force(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let job = batch_job(&api, &id).await?;
    let id = job.id;
    let (job, message) = match job.status {
        JobStatus::Completed => (job, format!("Batch {id} is completed already")),
        JobStatus::Paused => {
            (api.jobs.apply(id, Command::Resume).await?, format!("Batch {id} continues"))
        }
        JobStatus::Pending | JobStatus::Processing => forced(&api, id).await?,
        JobStatus::Failed | JobStatus::Cancelled => {
            let Requester { created_by, idempotency_key, trace } = Requester::of(&request, &api)?;
            let rows = RetryRows::All;
            let retry = Retry { rows, created_by, trace, idempotency_key };
            let again = api.jobs.retry(id, retry).await?;
            let message = format!("Batch {} imports the file of batch {id} again", again.job.id);
            (again.job, message)
        }
    };
    let pace = Pace::measure(&api).await?;
    let batch = Batch::of(&job, skipped_rows(&api, &job).await?, &pace);
    json(StatusCode::OK, &Forced { batch, message, retry_of: job.retry_of })
}

/// Runs a batch that waits next, and takes one that stands still from its server. One that moves, or
/// ended in this moment, needs nothing.
async fn forced(api: &Api, id: i64) -> Result<(Job, String), Problem> {
    match api.jobs.apply(id, Command::Force).await {
        Ok(job) => Ok((job, format!("Batch {id} is processed next"))),
        Err(JobsError::NotStuck { job, .. } | JobsError::InvalidState { job, .. }) => {
            let message = format!("Batch {id} is {}", job.status);
            Ok((*job, message))
        }
        Err(fault) => Err(fault.into()),
    }
}
