//! Every address of the server, and what answers at it.

use actix_web::guard;
use actix_web::{HttpRequest, Resource, web};

use super::problem::Problem;
use super::resource::{get, post, resource};
use super::{
    access, bulk_control, bulks, compat, control, datasets, definitions, differences, error_docs,
    events, export, file_docs, health, jobs, limits, mappings, metrics, not_found, openapi, page,
    preview, references, row_errors, row_lists, status, superseded, upload, webhooks,
};
use crate::domain::error_code::ErrorCode;
use crate::jobs::Command;

/// Every address.
pub(super) fn routes(config: &mut web::ServiceConfig) {
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
        .service(get("/bulks/{id}", web::to(page::bulk)))
        .service(get("/new-dataset", web::to(page::new_dataset)))
        .service(get("/datasets/{name}", web::to(page::dataset)))
        .service(get("/page/{file}", web::to(page::file)))
        .service(get("/docs/files", web::to(file_docs::files)))
        .service(get("/products/import-export-advanced", web::to(page::moved)))
        .service(get("/healthz", web::to(health::alive)))
        .service(get("/readyz", web::to(health::ready)))
        .service(get("/metrics", web::to(metrics::metrics)))
        .service(get("/openapi.json", web::to(openapi::openapi)))
        .service(get("/docs", web::to(page::calls)))
        .service(session("/api/v1/session"))
        .service(get("/api/v1/limits", web::to(limits::limits)))
        .configure(dataset_routes)
        .service(get(&format!("{import}/status/{{id}}"), web::to(status::status)))
        .service(get(&format!("{import}/events"), web::to(events::all_jobs::all_jobs)))
        .service(get(&format!("{import}/bulks/{{id}}"), web::to(bulks::status)))
        .service(get(&format!("{import}/bulks/{{id}}/events"), web::to(bulks::events::events)))
        .service(post(&format!("{import}/bulks/{{id}}/cancel"), web::to(bulk_control::cancel)))
        .service(post(&format!("{import}/bulks/{{id}}/retry"), web::to(bulk_control::retry)))
        .service(get(&format!("{import}/jobs"), web::to(jobs::list)))
        .service(job(&format!("{import}/jobs/{{id}}")))
        .service(get(&format!("{import}/jobs/{{id}}/errors"), web::to(row_errors::list)))
        .service(get(&format!("{import}/jobs/{{id}}/errors/groups"), web::to(row_errors::groups)))
        .service(get(&format!("{import}/jobs/{{id}}/errors.csv"), web::to(row_errors::as_csv)))
        .service(get(&format!("{import}/jobs/{{id}}/errors.xlsx"), web::to(row_errors::as_xlsx)))
        .service(get(&format!("{import}/jobs/{{id}}/events"), web::to(events::job_events)))
        .service(get(&format!("{import}/jobs/{{id}}/superseded"), web::to(superseded::list)))
        .service(get(&format!("{import}/jobs/{{id}}/diff"), web::to(differences::list)))
        .service(get(&format!("{import}/jobs/{{id}}/diff.csv"), web::to(differences::as_csv)))
        .service(get(
            &format!("{import}/jobs/{{id}}/unprocessed.csv"),
            web::to(row_lists::unprocessed_csv),
        ))
        .service(get(
            &format!("{import}/jobs/{{id}}/unprocessed.xlsx"),
            web::to(row_lists::unprocessed_xlsx),
        ))
        .service(get(&format!("{import}/jobs/{{id}}/rows.csv"), web::to(row_lists::rows_csv)))
        .service(get(&format!("{import}/jobs/{{id}}/rows.xlsx"), web::to(row_lists::rows_xlsx)))
        .service(post(&format!("{import}/jobs/{{id}}/priority"), web::to(control::priority)))
        .service(post(&format!("{import}/jobs/{{id}}/retry"), web::to(control::retry)))
        .service(post(&format!("{import}/jobs/{{id}}/rollback"), web::to(control::rollback)))
        .service(post(&format!("{import}/jobs/{{id}}/confirm"), web::to(control::confirm)))
        .service(post(&format!("{import}/{{dataset}}"), web::to(upload::import)))
        .service(webhooks::all("/api/v1/webhooks"))
        .service(webhooks::one("/api/v1/webhooks/{id}"))
        .service(post("/api/v1/webhooks/{id}/enable", web::to(webhooks::enable)))
        .service(post("/api/v1/webhooks/{id}/test", web::to(webhooks::test)))
        .service(get("/api/v1/webhooks/{id}/deliveries", web::to(webhooks::deliveries)))
        .service(post(
            "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
            web::to(webhooks::redeliver),
        ))
        .configure(error_docs::routes)
        .configure(compat::routes)
        .service(post(&format!("{import}/{{dataset}}/preview"), web::to(preview::preview)))
        .default_service(web::to(nothing_here));
}

/// The datasets, and what they are made from.
fn dataset_routes(config: &mut web::ServiceConfig) {
    config
        .service(get("/api/v1/tables", web::to(definitions::tables)))
        .service(get("/api/v1/datasets", web::to(datasets::list)))
        .service(post("/api/v1/datasets/infer", web::to(definitions::infer)))
        .service(post("/api/v1/datasets/reload", web::to(definitions::reload)))
        .service(dataset("/api/v1/datasets/{name}"))
        .service(get("/api/v1/datasets/{name}/template.csv", web::to(datasets::template_csv)))
        .service(get("/api/v1/datasets/{name}/schema.json", web::to(datasets::schema)))
        .service(get("/api/v1/datasets/{name}/template.ndjson", web::to(datasets::template_ndjson)))
        .service(get("/api/v1/datasets/{name}/template.xlsx", web::to(datasets::template_xlsx)))
        .service(get("/api/v1/datasets/{name}/rows.csv", web::to(export::as_csv)))
        .service(get("/api/v1/datasets/{name}/rows.xlsx", web::to(export::as_xlsx)))
        .service(get("/api/v1/datasets/{name}/references", web::to(references::names)))
        .service(get("/api/v1/datasets/{name}/mappings", web::to(mappings::list)))
        .service(mapping("/api/v1/datasets/{name}/mappings/{mapping}"));
}

/// The address of a job: what it is, and that it be forgotten.
fn job(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(status::status), guard, "GET, HEAD, DELETE")
        .route(web::delete().to(control::delete))
}

/// The address of a dataset: its columns, and that its definition be saved.
fn dataset(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(datasets::one), guard, "GET, HEAD, PUT")
        .route(web::put().to(definitions::save))
}

/// The address of a saved mapping.
fn mapping(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(mappings::one), guard, "GET, HEAD, PUT, DELETE")
        .route(web::put().to(mappings::save))
        .route(web::delete().to(mappings::forget))
}

/// The address of the session of a browser.
fn session(path: &str) -> Resource {
    let guard = guard::Any(guard::Get()).or(guard::Head());
    resource(path, web::to(access::session::show), guard, "GET, HEAD, POST, DELETE")
        .route(web::post().to(access::session::sign_in))
        .route(web::delete().to(access::session::sign_out))
}

async fn nothing_here(request: HttpRequest) -> Result<&'static str, Problem> {
    Err(not_found::nothing_at(&request))
}
