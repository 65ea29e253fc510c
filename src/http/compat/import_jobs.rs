//! Clients of `/api/upload-csv` and `/api/jobs`: a frontend that uploads, lists its recent imports
//! every few seconds, and follows one by `EventSource`. It knows jobs by their UUID.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::PRODUCTS;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::job_view;
use crate::domain::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};
use crate::domain::options::RowEventMode;
use crate::domain::status::JobStatus;
use crate::http::access;
use crate::http::api::Api;
use crate::http::events::stream::{self, Next, SseSource};
use crate::http::events::write;
use crate::http::json::json_line;
use crate::http::path_prefix;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::status::job_id;
use crate::http::upload;
use crate::jobs::{JobFilter, Jobs, JobsError, Subscription};

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// How often the stream sends the job at least.
const TICK: Duration = Duration::from_secs(1);

/// The jobs of one client that its list goes back to.
const OWN_JOBS_MAX: u64 = 1_000;

/// The furthest that a list can be skipped: what every database counts to.
const SKIP_MAX: u64 = i64::MAX as u64;

/// A job with the members that this client knows, and its UUID under both names.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ImportJob<'a> {
    id: Uuid,
    job_id: Uuid,
    celery_task_id: Option<&'static str>,
    status: &'static str,
    progress: u64,
    total_rows: u64,
    processed_rows: u64,
    error_message: Option<&'a str>,
    file_path: String,
    file_name: &'a str,
    created_at: String,
    updated_at: String,
}

impl<'a> ImportJob<'a> {
    fn of(job: &'a Job) -> Self {
        Self {
            id: job.uuid,
            job_id: job.uuid,
            celery_task_id: None,
            status: status_word(job.status),
            progress: job_view::percentage(job),
            // Its pages calculate with the number before the rows are counted.
            total_rows: job.total_rows.unwrap_or(0),
            processed_rows: job.counts.processed(),
            error_message: match job.status {
                JobStatus::Cancelled => Some("The import was cancelled."),
                _ => job.error_message.as_deref(),
            },
            file_path: format!("uploads/{}/source", job.uuid),
            file_name: &job.file_name,
            created_at: job_view::timestamp(job.created_at),
            updated_at: job_view::timestamp(job.updated_at),
        }
    }
}

/// The one of its four words that makes its page do the right thing.
fn status_word(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Pending => "pending",
        JobStatus::Processing | JobStatus::Paused => "processing",
        JobStatus::Completed => "completed",
        JobStatus::Failed | JobStatus::Cancelled => "failed",
    }
}

/// `POST /api/upload-csv`: 202 with the job.
pub(super) async fn upload(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let dataset = api.dataset(PRODUCTS)?;
    let job = upload::submit(&request, payload, &api, &dataset, |_| ()).await?.job;
    let location = path_prefix::of(&request).to(format_args!("/api/jobs/{}", job.uuid));
    json(HttpResponse::Accepted().insert_header((LOCATION, location)), &ImportJob::of(&job))
}

fn json<T: Serialize>(
    response: &mut HttpResponseBuilder,
    value: &T,
) -> Result<HttpResponse, Problem> {
    let body = json_line(value).map_err(|fault| Problem::because(ErrorCode::Internal, fault))?;
    Ok(response.content_type("application/json").body(body))
}

/// The newest imports of one client, and how many of the newest jobs they are among.
async fn newest_of(
    client: String,
    skip: u64,
    limit: u64,
    api: &Api,
) -> Result<(Vec<Job>, u64), Problem> {
    let filter = JobFilter {
        dataset: Some(PRODUCTS.to_owned()),
        client: Some(client),
        limit: OWN_JOBS_MAX,
        ..JobFilter::default()
    };
    let mut found = api.jobs.list(&filter).await?;
    found.retain(|job| job.rollback_of.is_none() && !job.options.dry_run);
    let total = found.len() as u64;
    let start = usize::try_from(skip).unwrap_or(usize::MAX);
    let rows = usize::try_from(limit).unwrap_or(usize::MAX);
    Ok((found.into_iter().skip(start).take(rows).collect(), total))
}

/// `GET /api/jobs`: an array, newest first.
pub(super) async fn list(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (skip, limit) = page(&request)?;
    let (found, total) = match access::caller(&request).sees_only() {
        None => api.jobs.newest(PRODUCTS, skip, limit).await?,
        Some(client) => newest_of(client, skip, limit, &api).await?,
    };
    let found: Vec<_> = found.iter().map(ImportJob::of).collect();
    json(HttpResponse::Ok().insert_header((X_TOTAL_COUNT, total)), &found)
}

/// How many jobs to skip and to show, under the names that such clients use.
fn page(request: &HttpRequest) -> Result<(u64, u64), Problem> {
    let query = Query::only(request, &["limit", "page_size", "offset", "skip", "page"])?;
    let first = |names: [&'static str; 2], range: std::ops::RangeInclusive<u64>| {
        let given = names.into_iter().find(|name| query.get(name).is_some());
        given.map_or(Ok(None), |name| query.number(name, range))
    };
    let limit = first(["limit", "page_size"], 1..=PAGE_ROWS_MAX)?.unwrap_or(PAGE_ROWS_DEFAULT);
    let skip = match query.number("page", 1..=SKIP_MAX)? {
        Some(page) => (page - 1).saturating_mul(limit).min(SKIP_MAX),
        None => first(["offset", "skip"], 0..=SKIP_MAX)?.unwrap_or(0),
    };
    Ok((skip, limit))
}

/// `GET /api/jobs/{job_id}`.
pub(super) async fn one(
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let job = find(&api, &id).await?;
    json(&mut HttpResponse::Ok(), &ImportJob::of(&job))
}

/// The job with this UUID, or with this number of the API.
async fn find(api: &Api, id: &str) -> Result<Job, Problem> {
    let Ok(uuid) = Uuid::parse_str(id) else {
        let id = job_id(id)?;
        return Ok(api.jobs.get(id).await?);
    };
    let found = api.jobs.get_by_uuid(uuid).await?;
    found.ok_or_else(|| Problem::new(ErrorCode::JobNotFound, format!("there is no job {uuid}")))
}

/// `GET /api/jobs/{job_id}/events`: the job at each change and once a second, up to its end.
pub(super) async fn events(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let job = find(&api, &id).await?;
    if request.method() == Method::HEAD {
        return Ok(stream::head());
    }
    // Only what is new: the job itself says what was before.
    let subscription = api.jobs.subscribe(job.id, job.event_count, RowEventMode::None).await?;
    let (jobs, tick) = (api.jobs.clone(), Instant::now());
    Ok(stream::answer(JobStates { jobs, subscription, tick, last_message: Vec::new() }))
}

/// The states of one job as they follow each other.
struct JobStates {
    jobs: Jobs,
    subscription: Subscription,
    /// When the job is sent even if nothing changed.
    tick: Instant,
    /// The message that was sent last.
    last_message: Vec<u8>,
}

impl SseSource for JobStates {
    async fn write_next(&mut self, out: &mut Vec<u8>) -> Result<Next, JobsError> {
        let id = self.subscription.job().id;
        loop {
            let happened = timeout_at(self.tick, self.subscription.next()).await;
            let (is_due, is_over) = (happened.is_err(), self.subscription.is_over());
            let delivery = happened.ok().transpose()?;
            if matches!(delivery, Some(None)) && !is_over {
                return Ok(Next::Interruption);
            }
            let job = if is_over {
                // The last event may be read a moment before the end is known here.
                self.jobs.wait(id, TICK, &|job| job.status.is_terminal()).await?
            } else {
                self.jobs.get(id).await?
            };
            let mut message = Vec::new();
            write(&mut message, None, &ImportJob::of(&job));
            if is_due || is_over || message != self.last_message {
                self.tick = Instant::now() + TICK;
                out.extend_from_slice(&message);
                self.last_message = message;
                return Ok(if job.status.is_terminal() { Next::End } else { Next::More });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job_view::tests::job;

    #[test]
    fn a_job_has_the_members_that_the_page_knows() {
        let job = job();
        let text = serde_json::to_string(&ImportJob::of(&job)).unwrap();
        insta::assert_snapshot!(text, @r#"{"id":"00000000-0000-0000-0000-000000000000","job_id":"00000000-0000-0000-0000-000000000000","celery_task_id":null,"status":"processing","progress":7,"total_rows":700000,"processed_rows":50000,"error_message":null,"file_path":"uploads/00000000-0000-0000-0000-000000000000/source","file_name":"products.csv","created_at":"2026-11-18T11:06:40.000Z","updated_at":"2026-11-18T11:06:42.000Z"}"#);
    }

    #[test]
    fn the_page_knows_four_words_only() {
        let words = JobStatus::ALL.map(status_word);
        assert_eq!(words, ["pending", "processing", "processing", "completed", "failed", "failed"]);
    }
}
