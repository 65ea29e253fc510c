//! The commands for a bulk as a whole: cancel what has not ended, and import files again.

use actix_web::{HttpRequest, HttpResponse, web};

use super::api::Api;
use super::bulks::{bulk_id, view};
use super::control::{CommandParameters, made, rows_word};
use super::path_prefix;
use super::problem::Problem;
use super::upload::Requester;
use crate::domain::bulk_view::bulk_url;
use crate::jobs::BulkRetry;

/// `POST …/bulks/{id}/cancel`: 200 with the bulk.
pub(super) async fn cancel(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = bulk_id(&id)?;
    CommandParameters::read(&request, payload, &[]).await?;
    let (bulk, jobs) = api.jobs.cancel_bulk(id).await?;
    view(&api, &bulk, &jobs, &path_prefix::of(&request)).await
}

/// `POST …/bulks/{id}/retry` with `{"rows": "failed"}`: 200 with a new bulk.
pub(super) async fn retry(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = bulk_id(&id)?;
    let asked = CommandParameters::read(&request, payload, &["rows"]).await?;
    let rows = asked.get("rows").map(rows_word).transpose()?;
    let Requester { idempotency_key, created_by, trace } = Requester::of(&request, &api)?;
    let prefix = path_prefix::of(&request);
    let retry = BulkRetry { rows, created_by, trace, idempotency_key };
    let submitted = api.jobs.retry_bulk(id, retry).await?;
    let response = view(&api, &submitted.bulk, &submitted.jobs, &prefix).await?;
    Ok(made(response, &bulk_url(&submitted.bulk, &prefix), submitted.replayed))
}
