//! `GET /api/v1/import/jobs/{id}/events`: a job as it happens, as a stream of events that can be
//! resumed behind any of them. `GET /api/v1/import/events`: [all jobs](all_jobs) as they change.

pub(super) mod all_jobs;
mod encode;
pub(super) mod stream;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use super::api::Api;
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::domain::job::Job;
use crate::domain::options::RowEventMode;
use crate::jobs::{Delivery, JobsError, Subscription};
pub(super) use encode::{
    ApiEvents, ProgressMessage, QueueMessage, SseMessage, write, write_of_job,
};
pub(super) use stream::RETRY;
use stream::{Next, SseSource};

pub(super) const LAST_EVENT_ID: &str = "last-event-id";

/// How the events of a job are written.
pub(super) trait EventEncoder {
    /// The beginning: where the job stands, and where in the queue. May write nothing.
    fn begin(&mut self, job: &Job, place: Option<u64>, out: &mut Vec<u8>);

    /// One delivery. May write nothing.
    fn encode(&mut self, delivery: &Delivery, out: &mut Vec<u8>);
}

/// The events of one job.
pub(super) async fn job_events(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let query = Query::read(&request, &["lastEventId", "rows"])?;
    let asked = query.number("lastEventId", 0..=u64::MAX)?;
    let rows = rows(&query)?;
    // A browser that comes back names the last event it saw; the address still names the first one.
    let after = last_event_id(&request).or(asked).unwrap_or(0);
    if request.method() == Method::HEAD {
        let job = api.jobs.get(id).await?;
        let is_over = job.status.is_terminal() && after >= job.event_count;
        return Ok(if is_over { HttpResponse::NoContent().finish() } else { stream::head() });
    }
    let subscription = api.jobs.subscribe(id, after, rows).await?;
    if subscription.is_over() {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(answer(subscription, ApiEvents { prefix: path_prefix::of(&request) }))
}

fn rows(query: &Query) -> Result<RowEventMode, Problem> {
    match query.get("rows") {
        None | Some("auto") => Ok(RowEventMode::Auto),
        Some("all") => Ok(RowEventMode::All),
        Some("none") => Ok(RowEventMode::None),
        Some(other) => Err(Problem::invalid_parameter("rows", other, "auto, all or none")),
    }
}

/// What is no number of ours is from another stream: then every event is sent.
pub(super) fn last_event_id(request: &HttpRequest) -> Option<u64> {
    request.headers().get(LAST_EVENT_ID)?.to_str().ok()?.trim().parse().ok()
}

/// The stream of everything that a subscriber gets, written by `encoder`.
pub(super) fn answer(
    subscription: Subscription,
    encoder: impl EventEncoder + 'static,
) -> HttpResponse {
    stream::answer(JobEvents { subscription, encoder, has_begun: false })
}

struct JobEvents<W> {
    subscription: Subscription,
    encoder: W,
    has_begun: bool,
}

impl<W: EventEncoder> SseSource for JobEvents<W> {
    async fn write_next(&mut self, out: &mut Vec<u8>) -> Result<Next, JobsError> {
        if !self.has_begun {
            self.has_begun = true;
            self.encoder.begin(self.subscription.job(), self.subscription.place(), out);
        }
        // What writes nothing is no sign of life.
        while out.is_empty() {
            match self.subscription.next().await? {
                Some(delivery) => self.encoder.encode(&delivery, out),
                None if self.subscription.is_over() => return Ok(Next::End),
                None => return Ok(Next::Interruption),
            }
        }
        Ok(Next::More)
    }
}
