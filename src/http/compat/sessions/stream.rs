//! `GET /stream/{sessionId}`: waits for the import of the session, then sends its events to the end.

use std::time::Duration;

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use tokio::time::{Instant, sleep_until};

use super::messages::{SessionMessage, of_event, of_row};
use crate::domain::error_code::ErrorCode;
use crate::domain::event::Level;
use crate::domain::options::RowEventMode;
use crate::domain::row_error::shown;
use crate::domain::session_id::SessionId;
use crate::http::api::Api;
use crate::http::events::stream::{self, Next, SseSource};
use crate::http::events::{last_event_id, write};
use crate::http::problem::Problem;
use crate::http::upload;
use crate::jobs::{Delivery, Jobs, JobsError, JobsSubscription, Subscription};

/// How often the table is asked for the import at least.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Opens the stream of a session, before or after its import is started.
pub(in crate::http::compat) async fn stream(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let session = session_id(&request, &name)?;
    let found = api.jobs.of_session(&session).await?;
    // A browser that comes back names the last event it saw.
    let seen = last_event_id(&request);
    if let Some(found) = &found {
        let job = &found.job;
        if seen.is_some_and(|seen| job.status.is_terminal() && seen >= job.event_count) {
            return Ok(HttpResponse::NoContent().finish());
        }
        if found.is_over && seen.is_none() {
            return Err(used(&session));
        }
    }
    if request.method() == Method::HEAD {
        return Ok(stream::head());
    }
    let stream = SessionStream {
        jobs: api.jobs.clone(),
        session,
        after: seen.unwrap_or(0),
        until: Instant::now() + api.session_wait,
        wait: api.session_wait,
        state: State::Opened,
    };
    let mut response = stream::answer(stream);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// The name of a session, as it was sent. Where clients have keys, each has sessions of its own.
pub(super) fn session_id(request: &HttpRequest, text: &str) -> Result<SessionId, Problem> {
    let session = SessionId::parse(text)
        .ok_or_else(|| Problem::invalid_parameter("session_id", text, SessionId::TAKES))?;
    let key = upload::key_of_client(request, session.key());
    Ok(session.with_key(key))
}

/// The refusal of a session that had its import.
pub(super) fn used(session: &SessionId) -> Problem {
    let detail = format!("the session `{}` was used for an import before", shown(session.as_str()));
    Problem::new(ErrorCode::SessionUsed, detail).with_remedy()
}

/// The messages of a session as they follow each other.
struct SessionStream {
    jobs: Jobs,
    session: SessionId,
    /// The last event that the client has seen.
    after: u64,
    /// How long it waits for the import, and until when.
    wait: Duration,
    until: Instant,
    state: State,
}

enum State {
    /// Nothing was written yet.
    Opened,
    /// There is no import; it is looked for when a job changes.
    Waiting(Box<JobsSubscription>),
    /// The events of the import are sent.
    Following(Box<Subscription>),
}

impl SseSource for SessionStream {
    async fn write_next(&mut self, out: &mut Vec<u8>) -> Result<Next, JobsError> {
        loop {
            match &mut self.state {
                State::Opened => {
                    self.state = State::Waiting(Box::new(self.jobs.subscribe_all().await?));
                    // The client sees at once that the server answers.
                    out.extend_from_slice(stream::RETRY);
                    return Ok(Next::More);
                }
                State::Waiting(changes) => {
                    if let Some(found) = self.jobs.of_session(&self.session).await? {
                        let rows = RowEventMode::None;
                        let subscription =
                            self.jobs.subscribe(found.job.id, self.after, rows).await?;
                        self.state = State::Following(Box::new(subscription));
                        continue;
                    }
                    if Instant::now() >= self.until {
                        write(out, None, &SessionMessage::log(Level::Error, self.no_import()));
                        return Ok(Next::End);
                    }
                    let look_again = self.until.min(Instant::now() + LOOK_AGAIN);
                    tokio::select! {
                        change = changes.next() => if change.is_none() {
                            return Ok(Next::Interruption);
                        },
                        () = sleep_until(look_again) => {}
                    }
                }
                State::Following(subscription) => {
                    return follow(&self.jobs, subscription, out).await;
                }
            }
        }
    }
}

impl SessionStream {
    fn no_import(&self) -> String {
        let wait = humantime::format_duration(self.wait);
        format!("No import was started for this session within {wait}; open the stream again")
    }
}

/// The next messages of the import.
async fn follow(
    jobs: &Jobs,
    subscription: &mut Subscription,
    out: &mut Vec<u8>,
) -> Result<Next, JobsError> {
    // What writes nothing is no sign of life.
    while out.is_empty() {
        match subscription.next().await? {
            Some(delivery) => encode(&delivery, out),
            None if subscription.is_over() => {
                jobs.end_session(subscription.job().id).await?;
                return Ok(Next::End);
            }
            None => return Ok(Next::Interruption),
        }
    }
    Ok(Next::More)
}

/// Writes the messages of a delivery; the last one has the number of the event.
fn encode(delivery: &Delivery, out: &mut Vec<u8>) {
    match delivery {
        Delivery::Notice(notice) => {
            write(out, None, &SessionMessage::log(Level::Warning, notice.message()));
        }
        // Its clients know no queue.
        Delivery::Place(_) => {}
        Delivery::Event(delivered) => {
            for (number, event, _) in delivered.notes() {
                if let Some(message) = of_row(event) {
                    write(out, Some(number), &message);
                }
            }
            let messages = delivered.event().map(of_event).unwrap_or_default();
            let count = messages.len();
            for (place, message) in (1..).zip(&messages) {
                let number = (place == count).then(|| delivered.number());
                write(out, number, message);
            }
        }
    }
}
