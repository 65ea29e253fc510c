//! `GET /openapi.json`: what every call takes and answers, made from the types that are sent, the tables of
//! codes and options, and the datasets of this server.
//!
//! A new call gets a line in `calls`; a new answer derives `ToSchema`. Knows no job.

mod call;
mod calls;
mod document;
mod examples;
mod older;
mod options;
mod refusals;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::api::Api;
use super::problem::Problem;
use super::query::Query;
use crate::dataset::Datasets;

/// The document.
pub(super) async fn openapi(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let text = document::document(&api.datasets.current()).to_string();
    let mut answer = HttpResponse::Ok();
    Ok(answer
        .insert_header((CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(text))
}

/// The document for these datasets.
#[must_use]
pub fn openapi_document(datasets: &Datasets) -> Value {
    document::document(datasets)
}
