//! `POST /api/v1/import/jobs/{id}/rollback`: takes an import back.

use actix_web::http::header::{HeaderValue, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};

use super::api::Api;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use super::upload::{IDEMPOTENCY_REPLAYED, idempotency_key};
use super::view::{JobView, status_url};

/// 200 with the job that takes the other one back, or 409 or 410 with why that cannot be.
pub(super) async fn rollback(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    Query::read(&request, &[])?;
    let key = idempotency_key(request.headers())?;
    let (jobs, has_key) = (api.jobs.clone(), key.is_some());
    let submitted = api.run(async move { jobs.rollback(id, key).await }).await?;
    let mut response = envelope::ok(&JobView::of(&submitted.job))?;
    if let Ok(location) = HeaderValue::try_from(status_url(submitted.job.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    if has_key && submitted.replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}
