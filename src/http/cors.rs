//! Decides which pages of other origins may use the API, and refuses changes from all others.
//!
//! CORS only stops a page from *reading* answers. A browser sends a form to any server, also to one
//! on the visitor's own machine; a change is therefore refused unless the page is our own or its
//! origin is listed.

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web;

use super::api::Api;
use super::hosts;
use super::origins::Origins;
use super::problem::Problem;
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Headers of answers that scripts of other origins may read, beyond those that they always may.
const EXPOSED: [&str; 23] = [
    "RateLimit",
    "RateLimit-Policy",
    "Location",
    "ETag",
    "Retry-After",
    "Content-Disposition",
    "X-Total-Count",
    "X-Request-Id",
    "X-Job-Id",
    "X-Job-Status",
    "X-Dry-Run",
    "X-Rows-Total",
    "X-Rows-Processed",
    "X-Rows-Created",
    "X-Rows-Updated",
    "X-Rows-Unchanged",
    "X-Rows-Superseded",
    "X-Rows-Removed",
    "X-Rows-Failed",
    "X-Rows-Unprocessed",
    "Idempotency-Replayed",
    "Preference-Applied",
    "Allow",
];

/// How long a browser may cache the answer to a preflight, in seconds.
const PREFLIGHT_SECONDS: usize = 3_600;

/// Answers preflights and adds the headers that let listed origins read answers of the API.
pub(super) fn headers(origins: &Origins) -> Cors {
    let origins = origins.clone();
    Cors::default()
        .allowed_origin_fn(move |origin, head| {
            is_api(head.uri.path()) && origins.has(origin.as_bytes())
        })
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        // There are no credentials: a header grants a page nothing new.
        .allow_any_header()
        .expose_headers(EXPOSED)
        .max_age(PREFLIGHT_SECONDS)
        // It would add the header to the files of the page, too; see `vary`.
        .disable_vary_header()
}

/// Wraps [`headers`]: answers of the API differ by origin.
pub(super) async fn vary(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_api = is_api(request.path());
    let mut response = next.call(request).await?;
    if is_api {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    }
    Ok(response)
}

/// Calls of the API, and those of the older clients that have no such prefix.
fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/stream/") || path == "/file"
}

/// Wraps every handler: refuses changes from pages that are neither ours nor listed.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let api = request.app_data::<web::Data<Api>>();
    let is_foreign =
        |api: &Api| is_foreign(request.headers(), hosts::named(&request), &api.cors_origins);
    if !reads && api.is_some_and(|api| is_foreign(api)) {
        let origin = request.headers().get(header::ORIGIN);
        let origin = origin.map_or_else(String::new, |it| {
            format!(" of `{}`", shown(&String::from_utf8_lossy(it.as_bytes())))
        });
        let detail = format!("pages{origin} may not change anything on this server");
        let problem = Problem::new(ErrorCode::OriginNotAllowed, detail).with_remedy();
        return Ok(request.error_response(problem));
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// True for a request that a browser sends for a page which is neither ours nor listed. Other
/// programs send neither of the two headers.
fn is_foreign(headers: &HeaderMap, own_host: Option<&str>, origins: &Origins) -> bool {
    let site = headers.get(SEC_FETCH_SITE).map(HeaderValue::as_bytes);
    if matches!(site, Some(b"same-origin" | b"none")) {
        return false;
    }
    match headers.get(header::ORIGIN).map(HeaderValue::as_bytes) {
        Some(origin) if origins.has(origin) => false,
        // Old browsers, and pages that are not served by TLS: the address of the page is ours.
        Some(origin) if site.is_none() => !is_host(origin, own_host),
        None if site.is_none() => false,
        _ => true,
    }
}

/// True when the origin's host and port are those that the request was sent to.
fn is_host(origin: &[u8], own_host: Option<&str>) -> bool {
    let origin = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"));
    origin.zip(own_host).is_some_and(|((_, host), own)| host.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_own_and_listed_pages_change_anything() {
        let listed = Origins::parse("http://localhost:3000").unwrap();
        let foreign = |pairs: &[(&'static str, &'static str)]| {
            let mut request = TestRequest::post();
            for pair in pairs {
                request = request.insert_header(*pair);
            }
            let request = request.to_http_request();
            is_foreign(request.headers(), Some("imports.example:8080"), &listed)
        };
        assert!(!foreign(&[]), "not a browser");
        assert!(!foreign(&[("origin", "http://localhost:3000")]));
        assert!(!foreign(&[("origin", "http://imports.example:8080")]), "our own page");
        assert!(!foreign(&[
            ("origin", "https://imports.example"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!foreign(&[("origin", "http://localhost:3000"), ("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[("origin", "https://evil.example")]));
        assert!(foreign(&[("origin", "null")]));
        assert!(foreign(&[("sec-fetch-site", "cross-site")]));
        assert!(foreign(&[
            ("origin", "http://imports.example:8080"),
            ("sec-fetch-site", "same-site")
        ]));
    }
}
