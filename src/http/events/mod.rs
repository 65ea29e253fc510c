//! `GET /api/v1/import/jobs/{id}/events`: a job as it happens, as a stream of events that can be
//! taken up again behind any of them.
//!
//! The stream pulls: an event is read from the table when the client took the ones before. How
//! events are written is a [`Wire`]'s.

mod wire;

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use futures_util::stream;

use super::api::Api;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::domain::job::Job;
use crate::domain::options::RowEvents;
use crate::jobs::{Following, Told};
pub(super) use wire::Sse;

/// How long a stream may be silent: proxies close what they take for dead.
const SILENCE_MAX: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: &str = "last-event-id";
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How the events of a job are written.
pub(super) trait Wire {
    /// The beginning: where the job stands.
    fn begin(&mut self, job: &Job, out: &mut Vec<u8>);

    /// Something that happened.
    fn told(&mut self, told: &Told, out: &mut Vec<u8>);

    /// Nothing happened for a while.
    fn still_there(&mut self, out: &mut Vec<u8>);

    /// The stream ends before the job: the client should come back.
    fn interrupted(&mut self, out: &mut Vec<u8>);
}

/// The events of one job.
pub(super) async fn of_job(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let query = Query::read(&request, &["lastEventId", "rows"])?;
    let asked = query.number("lastEventId", 0..=u64::MAX)?;
    let rows = rows(&query)?;
    // A browser that comes back names the last event it saw; the address still has the first wish.
    let after = last_event_id(&request).or(asked).unwrap_or(0);
    if request.method() == Method::HEAD {
        let jobs = api.jobs.clone();
        let job = api.run(async move { jobs.get(id).await }).await?;
        if job.status.is_terminal() && after >= job.event_count {
            return Ok(HttpResponse::NoContent().finish());
        }
        return Ok(headers().streaming(stream::empty::<Result<Bytes, Infallible>>()));
    }
    let following = api.jobs.follow(id, after, rows).await?;
    if following.is_over() {
        return Ok(HttpResponse::NoContent().finish());
    }
    Ok(answer(following, Sse))
}

fn rows(query: &Query) -> Result<RowEvents, Problem> {
    match query.get("rows") {
        None | Some("auto") => Ok(RowEvents::Auto),
        Some("all") => Ok(RowEvents::All),
        Some("none") => Ok(RowEvents::None),
        Some(other) => Err(Problem::invalid_parameter("rows", other, "auto, all or none")),
    }
}

/// What is no number of ours is from another stream: then everything is told.
fn last_event_id(request: &HttpRequest) -> Option<u64> {
    request.headers().get(LAST_EVENT_ID)?.to_str().ok()?.trim().parse().ok()
}

/// The stream of everything that a follower is told, written by `wire`.
pub(super) fn answer(following: Following, wire: impl Wire + 'static) -> HttpResponse {
    let telling = Telling { following, wire, state: State::Begins };
    headers().streaming(stream::unfold(telling, |mut telling| async move {
        let bytes = telling.next().await?;
        Some((Ok::<_, Infallible>(bytes), telling))
    }))
}

fn headers() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")))
        .insert_header((X_ACCEL_BUFFERING, HeaderValue::from_static("no")))
        // The connection is of no use afterwards, and a server that stops must not wait for it.
        .force_close();
    response
}

/// A stream on its way to a client.
struct Telling<W> {
    following: Following,
    wire: W,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begins,
    Runs,
    Ended,
}

impl<W: Wire> Telling<W> {
    /// The next bytes to send.
    async fn next(&mut self) -> Option<Bytes> {
        let mut out = Vec::new();
        match self.state {
            State::Begins => {
                self.wire.begin(self.following.job(), &mut out);
                self.state = State::Runs;
            }
            State::Runs => match tokio::time::timeout(SILENCE_MAX, self.following.next()).await {
                Err(_silence) => self.wire.still_there(&mut out),
                Ok(Ok(Some(told))) => self.wire.told(&told, &mut out),
                Ok(Ok(None)) if self.following.is_over() => return None,
                Ok(Ok(None)) => {
                    self.wire.interrupted(&mut out);
                    self.state = State::Ended;
                }
                Ok(Err(fault)) => {
                    let job = self.following.job().id;
                    let fault = Problem::from(fault);
                    let cause = fault.cause().unwrap_or_default();
                    tracing::warn!(job, %fault, cause, "a stream of events was interrupted");
                    self.wire.interrupted(&mut out);
                    self.state = State::Ended;
                }
            },
            State::Ended => return None,
        }
        Some(Bytes::from(out))
    }
}
