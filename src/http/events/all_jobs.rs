//! `GET /api/v1/import/events`: the newest jobs, then each job as it changes. Nothing is numbered:
//! a client that reconnects gets the state of all jobs.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::encode::write;
use super::stream::{self, Next, RETRY, SseSource};
use crate::domain::job::Job;
use crate::domain::job_view::JobView;
use crate::domain::path_prefix::PathPrefix;
use crate::http::access;
use crate::http::api::Api;
use crate::http::path_prefix;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::jobs::{Jobs, JobsError, JobsSubscription, JobsUpdate};

#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(in crate::http) enum JobsMessage<'a> {
    Snapshot {
        jobs: Vec<JobView<'a>>,
    },
    Job {
        job: &'a JobView<'a>,
    },
    #[serde(rename_all = "camelCase")]
    Deleted {
        job_id: i64,
    },
}

/// All jobs as they change.
pub(in crate::http) async fn all_jobs(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    if request.method() == Method::HEAD {
        return Ok(stream::head());
    }
    let subscription = api.jobs.subscribe_all().await?;
    Ok(stream::answer(AllJobsEvents {
        subscription,
        jobs: api.jobs.clone(),
        prefix: path_prefix::of(&request),
        client: access::caller(&request).sees_only(),
        has_begun: false,
    }))
}

struct AllJobsEvents {
    subscription: JobsSubscription,
    jobs: Jobs,
    prefix: PathPrefix,
    /// The client whose jobs are the only ones that are told.
    client: Option<String>,
    has_begun: bool,
}

impl AllJobsEvents {
    fn is_told(&self, job: &Job) -> bool {
        self.client.is_none() || self.client == job.created_by
    }
}

impl SseSource for AllJobsEvents {
    async fn write_next(&mut self, out: &mut Vec<u8>) -> Result<Next, JobsError> {
        if !self.has_begun {
            self.has_begun = true;
            out.extend_from_slice(RETRY);
            return Ok(Next::More);
        }
        match self.subscription.next().await {
            None => return Ok(Next::Interruption),
            Some(JobsUpdate::Snapshot(jobs)) => {
                let mut told = Vec::with_capacity(jobs.len());
                for job in jobs.iter().filter(|job| self.is_told(job)) {
                    let place = self.jobs.queue_position(job).await;
                    told.push(JobView::in_queue(job, &self.prefix, place));
                }
                write(out, None, &JobsMessage::Snapshot { jobs: told });
            }
            Some(JobsUpdate::Deleted(job_id)) => write(out, None, &JobsMessage::Deleted { job_id }),
            Some(JobsUpdate::Changed(jobs)) => {
                for job in jobs.iter().filter(|job| self.is_told(job)) {
                    let place = self.jobs.queue_position(job).await;
                    let job = &JobView::in_queue(job, &self.prefix, place);
                    write(out, None, &JobsMessage::Job { job });
                }
            }
        }
        Ok(Next::More)
    }
}
