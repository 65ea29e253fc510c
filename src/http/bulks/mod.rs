//! `/api/v1/import/bulks/{id}`: files that were uploaded together, as one thing. Its commands are in
//! `bulk_control`.

pub(super) mod events;

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::api::Api;
use super::envelope;
use super::etag::{KnownTags, weak_tag};
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use crate::domain::bulk::{Bulk, BulkJob, FileCounts};
use crate::domain::bulk_view::BulkView;
use crate::domain::error_code::ErrorCode;
use crate::domain::limits::WAIT_SECONDS_MAX;
use crate::domain::path_prefix::PathPrefix;
use crate::domain::row_error::shown;

/// The status of a bulk; `wait` waits for its end.
pub(super) async fn status(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = bulk_id(&id)?;
    let query = Query::read(&request, &["wait"])?;
    let wait = query.number("wait", 0..=WAIT_SECONDS_MAX)?.unwrap_or(0);
    let (bulk, jobs) = api.jobs.wait_for_bulk(id, Duration::from_secs(wait)).await?;
    let prefix = path_prefix::of(&request);
    let place = api.jobs.bulk_position(&jobs).await;
    let body = envelope::body(None, &BulkView::of(&bulk, &jobs, place, &prefix))?;
    let tag = weak_tag(&body);
    let is_known = KnownTags::of(&request).contains(&tag);
    let status = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let mut response = HttpResponse::build(status);
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    if !FileCounts::of(&bulk, &jobs).status().is_terminal() {
        response.insert_header((RETRY_AFTER, "2"));
    }
    if is_known {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(body))
}

/// 200 with a bulk.
pub(super) async fn view(
    api: &Api,
    bulk: &Bulk,
    jobs: &[BulkJob],
    prefix: &PathPrefix,
) -> Result<HttpResponse, Problem> {
    let place = api.jobs.bulk_position(jobs).await;
    envelope::ok(&BulkView::of(bulk, jobs, place, prefix))
}

/// Reads the id of a bulk. Another text names none.
pub(super) fn bulk_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| {
        Problem::new(ErrorCode::BulkNotFound, format!("there is no bulk `{}`", shown(text)))
    })
}
