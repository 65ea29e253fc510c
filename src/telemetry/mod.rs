//! The spans of requests, jobs and messages: what stands on every line of the log below them, and what
//! an exporter is given. Knows no header and not how a job runs.
//!
//! Spans are of the level of errors, so that a log of errors alone has them, too.

#[cfg(feature = "otlp")]
pub mod otlp;

use tracing::Span;
use tracing::field::Empty;

use crate::domain::job::Job;
use crate::domain::trace::TraceContext;
#[cfg(feature = "otlp")]
use otlp::place as exported;

/// The span of a request that belongs to the trace `incoming`, if to any; and its place in the trace.
#[must_use]
pub fn request_span(request_id: &str, incoming: Option<TraceContext>) -> (Span, TraceContext) {
    let span = tracing::error_span!("request", trace_id = Empty, request_id, job_id = Empty);
    let place = placed(&span, incoming);
    (span, place)
}

/// Says of the request that is answered here which job it is about.
pub fn request_is_about(job: i64) {
    Span::current().record("job_id", job);
}

/// The span of a run of a job, or of something else that is done with it.
#[must_use]
pub fn job_span(job: &Job) -> Span {
    span_about(job.id, job.trace)
}

/// The span of something that is done with a job of which no more is known than this.
#[must_use]
pub fn span_about(job: i64, trace: Option<TraceContext>) -> Span {
    of_job(tracing::error_span!("job", job_id = job, trace_id = Empty), trace)
}

/// The span of records of a job that are passed on to the search engine.
#[must_use]
pub fn search_span(job: i64, trace: Option<TraceContext>) -> Span {
    of_job(tracing::error_span!("search", job_id = job, trace_id = Empty), trace)
}

/// A span below the request that made a job. A job of an older version has no trace.
fn of_job(span: Span, trace: Option<TraceContext>) -> Span {
    if trace.is_some() {
        placed(&span, trace);
    }
    span
}

/// The span of a message that is sent about a job, if about one; and its place in the trace.
#[must_use]
pub fn message_span(job: Option<i64>, trace: Option<TraceContext>) -> (Span, TraceContext) {
    let span = tracing::error_span!("webhook", job_id = job, trace_id = Empty);
    let place = placed(&span, trace);
    (span, place)
}

/// Puts a new span into a trace and writes the trace on it.
fn placed(span: &Span, parent: Option<TraceContext>) -> TraceContext {
    let place = exported(span, parent)
        .unwrap_or_else(|| parent.map_or_else(TraceContext::begin, TraceContext::child));
    span.record("trace_id", place.trace_id_text());
    place
}

/// The place that an exporter gives a span: here there is none.
#[cfg(not(feature = "otlp"))]
fn exported(_: &Span, _: Option<TraceContext>) -> Option<TraceContext> {
    None
}
