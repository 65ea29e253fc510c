//! The superseded rows of a job, as pages of JSON. Knows no SQL.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::cursor::{List, PageRequest};
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::domain::chunk::SupersededRow;

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct SupersededPage {
    superseded: Vec<SupersededRow>,
    total: u64,
    next_cursor: Option<String>,
}

/// `GET /api/v1/import/jobs/{id}/superseded`: pairs of row numbers in the order of the file.
pub(super) async fn list(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let query = Query::read(&request, &["limit", "cursor"])?;
    let page = PageRequest::of(List::Superseded(id), &query)?;
    let (after, limit) = (page.after.unwrap_or(0), page.fetch_limit());
    let job = api.jobs.get(id).await?;
    let mut found = api.jobs.superseded_rows(id, after, limit).await?;
    let next_cursor = page.truncate(&mut found, |row| row.row_number.into());
    envelope::ok(&SupersededPage { superseded: found, total: job.counts.superseded, next_cursor })
}
