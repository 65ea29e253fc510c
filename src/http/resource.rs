//! An address with the methods that it takes; other methods are refused with a list of them.

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, Resource, Route, web};

use super::problem::Problem;
use crate::domain::error_code::ErrorCode;
use crate::domain::row_error::shown;

/// An address that is only read.
pub(super) fn get(path: &str, route: Route) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, route, guard, "GET, HEAD")
}

/// An address that is posted to.
pub(super) fn post(path: &str, route: Route) -> Resource {
    resource(path, route, guard::Post(), "POST")
}

/// An address that takes only what `guard` lets through; other methods get a 405.
pub(super) fn resource(
    path: &str,
    route: Route,
    guard: impl Guard + 'static,
    allow: &'static str,
) -> Resource {
    let refuse =
        move |request: HttpRequest| async move { Err::<&str, _>(refused(&request, allow)) };
    web::resource(path).route(route.guard(guard)).default_service(web::to(refuse))
}

fn refused(request: &HttpRequest, allow: &'static str) -> Problem {
    let method: &Method = request.method();
    let detail = format!(
        "{} does not take {}; it takes {allow}",
        shown(request.path()),
        shown(method.as_str())
    );
    Problem::new(ErrorCode::MethodNotAllowed, detail)
        .with_header(ALLOW, HeaderValue::from_static(allow))
}
