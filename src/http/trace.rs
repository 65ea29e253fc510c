//! The trace of a request: read from the header `traceparent` of W3C Trace Context, else begun here.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderName;
use actix_web::{HttpMessage, HttpRequest};
use tracing::Span;

use crate::domain::trace::TraceContext;
use crate::telemetry;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The span of a request, whose place in its trace is left with the request.
pub(super) fn begin(request: &ServiceRequest, request_id: &str) -> Span {
    let mut given = request.headers().get_all(TRACEPARENT);
    let text = given.next().and_then(|value| value.to_str().ok());
    // Of two nobody knows which is true.
    let incoming = text.filter(|_| given.next().is_none()).and_then(TraceContext::parse);
    let (span, place) = telemetry::request_span(request_id, incoming);
    request.extensions_mut().insert(place);
    span
}

/// The place of a request in its trace.
pub(in crate::http) fn of(request: &HttpRequest) -> Option<TraceContext> {
    request.extensions().get().copied()
}
