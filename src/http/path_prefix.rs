//! Finds the path below which a client sees the server, and takes it away from addresses that still
//! have it. Routes and handlers know only addresses of the server.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse, Url};
use actix_web::http::Uri;
use actix_web::http::header::LOCATION;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};

use super::api::Api;
use super::problem::Problem;
use crate::domain::path_prefix::PathPrefix;

/// The header in which a proxy names the path that it took away.
const X_FORWARDED_PREFIX: &str = "x-forwarded-prefix";

/// The prefix of a request.
pub(super) fn of(request: &HttpRequest) -> PathPrefix {
    request.extensions().get::<PathPrefix>().cloned().unwrap_or_default()
}

/// Wraps everything: from here on the address of the request is one of the server.
pub(super) async fn locate(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let prefix = match prefix_of(&request) {
        Ok(prefix) => prefix,
        Err(problem) => return Ok(request.error_response(problem)),
    };
    // A proxy may have taken the prefix away, and an address may begin like the prefix.
    if !request.resource_map().has_resource(request.path()) {
        match prefix.strip(request.path()) {
            // Relative addresses of the page need the slash.
            Some("") => return Ok(request.into_response(to_slash(&prefix))),
            Some(path) if path.len() < request.path().len() => {
                let path = path.to_owned();
                set_path(&mut request, &path);
            }
            _ => {}
        }
    }
    request.extensions_mut().insert(prefix);
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn prefix_of(request: &ServiceRequest) -> Result<PathPrefix, Problem> {
    let Some(api) = request.app_data::<web::Data<Api>>() else { return Ok(PathPrefix::default()) };
    let peer = request.peer_addr().map(|peer| peer.ip());
    let mut named = request.headers().get_all(X_FORWARDED_PREFIX).peekable();
    if named.peek().is_none() || !peer.is_some_and(|peer| api.trusted_proxies.has(peer)) {
        return Ok(api.path_prefix.clone());
    }
    // The outermost proxy stands first.
    let parts: Vec<_> = named.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let parts = parts.join(",");
    let parts = parts.split(',').map(|part| part.trim().trim_end_matches('/'));
    PathPrefix::parse(&parts.collect::<String>())
        .map_err(|fault| Problem::malformed(format!("the X-Forwarded-Prefix {fault}")))
}

fn to_slash(prefix: &PathPrefix) -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, prefix.to("/"))).finish()
}

fn set_path(request: &mut ServiceRequest, path: &str) {
    let mut parts = request.uri().clone().into_parts();
    let query = request.query_string();
    let address = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    // The end of an address that was read can be read.
    let Ok(address) = address.parse() else { return };
    parts.path_and_query = Some(address);
    let Ok(uri) = Uri::from_parts(parts) else { return };
    request.match_info_mut().set(Url::new(uri.clone()));
    request.head_mut().uri = uri;
}
