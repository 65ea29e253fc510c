//! An answer that does not end: bytes as they come, a sign of life when none come, and an end that
//! makes the client come back when it is not the last word.
//!
//! The stream pulls: the next thing to tell is asked for when the client took the ones before, so
//! that one who reads slowly, or not at all, costs no memory.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use tracing::{Instrument, Span};

use crate::http::problem::Problem;
use crate::jobs::JobsError;

/// How long a stream may be silent: proxies close what they take for dead.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// When a client that lost its connection comes back.
pub(in crate::http) const RETRY: &[u8] = b"retry: 3000\n\n";

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a stream sends.
pub(in crate::http) trait SseSource {
    /// Waits for what is to be written next and writes it to `out`. May be dropped while it waits.
    async fn write_next(&mut self, out: &mut Vec<u8>) -> Result<Next, JobsError>;
}

/// What comes after what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Next {
    /// More of it.
    More,
    /// Nothing, here: the server stops.
    Interruption,
    /// Nothing at all.
    End,
}

/// The answer that sends all of it.
pub(in crate::http) fn answer(source: impl SseSource + 'static) -> HttpResponse {
    let sending = SseBody { source, next: Next::More };
    // It is sent when the handler has returned.
    let span = Span::current();
    headers().streaming(stream::unfold(sending, move |mut sending| {
        let next = async move {
            let bytes = sending.next().await?;
            Some((Ok::<_, Infallible>(bytes), sending))
        };
        next.instrument(span.clone())
    }))
}

/// The answer to `HEAD`.
pub(in crate::http) fn head() -> HttpResponse {
    headers().streaming(stream::empty::<Result<Bytes, Infallible>>())
}

fn headers() -> HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, HeaderValue::from_static("text/event-stream")))
        .insert_header((X_ACCEL_BUFFERING, HeaderValue::from_static("no")))
        // A server that stops must not wait for a connection of which nothing comes any more.
        .force_close();
    response
}

struct SseBody<T> {
    source: T,
    next: Next,
}

impl<T: SseSource> SseBody<T> {
    /// The next bytes to send.
    async fn next(&mut self) -> Option<Bytes> {
        if self.next != Next::More {
            return None;
        }
        let mut out = Vec::new();
        let written = tokio::time::timeout(SILENCE_MAX, self.source.write_next(&mut out)).await;
        self.next = match written {
            Ok(Ok(next)) => next,
            Ok(Err(fault)) => {
                let fault = Problem::from(fault);
                let cause = fault.cause().unwrap_or_default();
                tracing::warn!(
                    event = "event_stream_interrupted",
                    error = %fault,
                    cause,
                    "event stream interrupted"
                );
                Next::Interruption
            }
            Err(_silence) => {
                out.extend_from_slice(b": still there\n\n");
                Next::More
            }
        };
        if self.next == Next::Interruption {
            out.extend_from_slice(RETRY);
        }
        (!out.is_empty()).then(|| Bytes::from(out))
    }
}
