//! The HTTP API: handlers translate, call one function, translate back.
//!
//! One file a resource. Knows no database and no SQL; what runs longer than a request runs on the
//! main runtime, never inside a worker of the web server.

mod api;
mod compat;
mod control;
mod cors;
mod csv_text;
mod cursor;
mod datasets;
mod download;
mod envelope;
mod error_docs;
mod etag;
mod events;
mod health;
mod jobs;
mod limits;
mod middleware;
mod page;
mod preview;
mod problem;
mod query;
mod row_errors;
mod server;
mod status;
mod superseded;
mod unprocessed;
mod upload;
mod view;

use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpRequest, Resource, Route, web};

pub use api::Api;
pub use cors::Origins;
pub use server::Server;

use crate::domain::error_code::ErrorCode;
use crate::jobs::Command;
use problem::Problem;

/// Every address.
fn routes(config: &mut web::ServiceConfig) {
    let import = "/api/v1/import";
    for command in Command::ALL {
        let path = format!("{import}/jobs/{{id}}/{}", command.action().as_str());
        config.service(post(&path, control::apply(command)));
    }
    config
        .app_data(web::PathConfig::default().error_handler(|_, _| {
            Problem::new(ErrorCode::NotFound, "the address cannot be read").into()
        }))
        .service(get("/", web::to(page::start)))
        .service(get("/jobs/{id}", web::to(page::job)))
        .service(get("/page/{file}", web::to(page::file)))
        .service(get("/products/import-export-advanced", web::to(page::moved)))
        .service(get("/healthz", web::to(health::alive)))
        .service(get("/readyz", web::to(health::ready)))
        .service(get("/api/v1/limits", web::to(limits::limits)))
        .service(get("/api/v1/datasets", web::to(datasets::list)))
        .service(get("/api/v1/datasets/{name}", web::to(datasets::one)))
        .service(get("/api/v1/datasets/{name}/template.csv", web::to(datasets::template_csv)))
        .service(get("/api/v1/datasets/{name}/template.xlsx", web::to(datasets::template_xlsx)))
        .service(get(&format!("{import}/status/{{id}}"), web::to(status::status)))
        .service(get(&format!("{import}/events"), web::to(events::all_jobs::all_jobs)))
        .service(get(&format!("{import}/jobs"), web::to(jobs::list)))
        .service(job(&format!("{import}/jobs/{{id}}")))
        .service(get(&format!("{import}/jobs/{{id}}/errors"), web::to(row_errors::list)))
        .service(get(&format!("{import}/jobs/{{id}}/errors/groups"), web::to(row_errors::groups)))
        .service(get(&format!("{import}/jobs/{{id}}/errors.csv"), web::to(row_errors::as_csv)))
        .service(get(&format!("{import}/jobs/{{id}}/errors.xlsx"), web::to(row_errors::as_xlsx)))
        .service(get(&format!("{import}/jobs/{{id}}/events"), web::to(events::job_events)))
        .service(get(&format!("{import}/jobs/{{id}}/superseded"), web::to(superseded::list)))
        .service(get(
            &format!("{import}/jobs/{{id}}/unprocessed.csv"),
            web::to(unprocessed::as_csv),
        ))
        .service(get(
            &format!("{import}/jobs/{{id}}/unprocessed.xlsx"),
            web::to(unprocessed::as_xlsx),
        ))
        .service(post(&format!("{import}/jobs/{{id}}/priority"), web::to(control::priority)))
        .service(post(&format!("{import}/jobs/{{id}}/retry"), web::to(control::retry)))
        .service(post(&format!("{import}/jobs/{{id}}/rollback"), web::to(control::rollback)))
        .service(post(&format!("{import}/{{dataset}}"), web::to(upload::import)))
        .configure(compat::routes)
        .configure(error_docs::routes)
        .service(post(&format!("{import}/{{dataset}}/preview"), web::to(preview::preview)))
        .default_service(web::to(nothing_here));
}

fn get(path: &str, route: Route) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, route, guard, "GET, HEAD")
}

/// The address of a job: what it is, and that it be forgotten.
fn job(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(status::status), guard, "GET, HEAD, DELETE")
        .route(web::delete().to(control::delete))
}

fn post(path: &str, route: Route) -> Resource {
    resource(path, route, guard::Post(), "POST")
}

/// An address that takes only what `guard` lets through; other methods get a 405.
fn resource(
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
        crate::domain::row_error::shown(request.path()),
        crate::domain::row_error::shown(method.as_str())
    );
    Problem::new(ErrorCode::MethodNotAllowed, detail)
        .with_header(ALLOW, HeaderValue::from_static(allow))
}

async fn nothing_here(request: HttpRequest) -> Result<&'static str, Problem> {
    let path = crate::domain::row_error::shown(request.path());
    Err(Problem::new(ErrorCode::NotFound, format!("there is nothing at `{path}`")))
}
