//! Wraps every handler: security headers, a request id, the end of the body and of the connection, one
//! shape for all refusals, and one line in the log for a fault of the server. Knows no resource.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::middleware::Next;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use tracing::Instrument;
use uuid::Uuid;

use super::accept::accepts_text;
use super::api::Api;
use super::hosts;
use super::path_prefix;
use super::problem::{PROBLEM_JSON, Problem};
use super::trace;
use crate::domain::error_code::ErrorCode;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Completes the answer of a handler.
pub(super) async fn finish_answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let request_id = Uuid::now_v7().to_string();
    let span = trace::begin(&request, &request_id);
    let response = next.call(request).instrument(span.clone()).await?.map_into_boxed_body();
    let mut response = span.in_scope(|| as_problem(response, &request_id));
    frame(&mut response);
    let hsts = strict_transport(response.request());
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if let Some(hsts) = hsts {
        headers.insert(STRICT_TRANSPORT_SECURITY, hsts);
    }
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(X_REQUEST_ID, id);
    }
    Ok(response)
}

/// What keeps browsers from asking this server without TLS. Nothing to `localhost`: it would hold for
/// every server of the machine.
fn strict_transport(request: &HttpRequest) -> Option<HeaderValue> {
    let hsts = request.app_data::<web::Data<Api>>()?.hsts?;
    let is_own_machine = hosts::is_localhost(request.connection_info().host());
    let header = format!("max-age={}", hsts.as_secs());
    HeaderValue::from_str(&header).ok().filter(|_| !is_own_machine)
}

/// Decides how the body ends and whether the connection is used again.
fn frame(response: &mut ServiceResponse<BoxBody>) {
    let request = response.request();
    // HTTP/1.0 has no chunks: there the end of the connection is the end of the body.
    let until_close = request.version() < Version::HTTP_11
        && response.response().body().size() == BodySize::Stream;
    let api = request.app_data::<web::Data<Api>>();
    // A request that comes while its connection is closed would be lost.
    let is_last = api.is_some_and(|api| api.stopping.is_cancelled());
    let head = response.response_mut().head_mut();
    if until_close {
        head.no_chunking(true);
    }
    if until_close || is_last {
        head.set_connection_type(ConnectionType::Close);
    }
}

/// Adds the request id to a refusal, and turns one of the web server into a [`Problem`].
fn as_problem(response: ServiceResponse<BoxBody>, request_id: &str) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let prefix = path_prefix::of(response.request());
    let ours = response.response().error().and_then(|error| error.as_error::<Problem>());
    let as_line = accepts_text(response.request().headers());
    let shaped = |problem: &Problem| {
        if as_line {
            problem.as_line(request_id, &prefix)
        } else {
            problem.response(Some(request_id), &prefix)
        }
    };
    let api = response.request().app_data::<web::Data<Api>>().cloned();
    let count = |code| {
        if let Some(api) = &api {
            api.jobs.metrics().refused(code);
        }
    };
    let refusal = match ours {
        Some(problem) => {
            count(problem.code());
            if status.is_server_error() {
                log_failure(&response, problem, request_id);
            }
            Some(shaped(problem))
        }
        None if (status.is_client_error() || status.is_server_error())
            && !is_problem(&response) =>
        {
            let problem = problem_of(status);
            count(problem.code());
            Some(shaped(&problem))
        }
        None => None,
    };
    match refusal {
        Some(refusal) => replace(response, refusal),
        None => response,
    }
}

fn replace(response: ServiceResponse<BoxBody>, by: HttpResponse) -> ServiceResponse<BoxBody> {
    ServiceResponse::new(response.into_parts().0, by)
}

fn is_problem(response: &ServiceResponse<BoxBody>) -> bool {
    response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM_JSON)
}

fn problem_of(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::new(ErrorCode::NotFound, "this address does not exist"),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(ErrorCode::TooLarge, "the body is too large"),
        _ if status.is_server_error() => {
            Problem::new(ErrorCode::Internal, ErrorCode::Internal.remedy())
        }
        _ => Problem::malformed("the request is not valid HTTP"),
    }
}

fn log_failure(response: &ServiceResponse<BoxBody>, problem: &Problem, request_id: &str) {
    let request = response.request();
    tracing::error!(
        event = "request_failed",
        request_id,
        method = %request.method(),
        path = request.path(),
        problem = %problem,
        error.chain = problem.cause().unwrap_or_default(),
        "request failed in the server"
    );
}
