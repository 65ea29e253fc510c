//! Refuses requests to names that are not the server's.

use actix_web::dev::ServiceRequest;

use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;
use crate::http::api::Api;
use crate::http::hosts;
use crate::http::problem::Problem;

/// Addresses that balancers ask under any name, and whose answers hold nothing of anybody.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Refuses a request to a name that is not listed. Where none is listed, that is any name as long as
/// every program on this machine may do everything: a page of another site must not be one of them.
pub(super) fn check(request: &ServiceRequest, api: &Api) -> Result<(), Problem> {
    let is_any = api.hosts.is_empty() && (!api.is_loopback || api.access.needs_key());
    if is_any || PROBES.contains(&request.path()) {
        return Ok(());
    }
    // HTTP/1.0 names none; no browser speaks it.
    let Some(host) = hosts::named(request) else { return Ok(()) };
    if api.hosts.has(host) {
        return Ok(());
    }
    let detail = format!("this server is not called `{}`", shown(host));
    Err(Problem::new(ErrorCode::HostNotAllowed, detail).with_remedy())
}
