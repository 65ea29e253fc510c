//! The superseded rows of a job, as pages of JSON. Knows no SQL.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::cursor::{List, PageRequest};
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::jobs::SupersededRow;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SupersededPage {
    superseded: Vec<SupersededRowView>,
    total: u64,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SupersededRowView {
    row_number: u64,
    by_row_number: u64,
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
    let next_cursor =
        page.truncate(&mut found, |row| i64::try_from(row.row_number).unwrap_or(i64::MAX));
    let view = |row: &SupersededRow| SupersededRowView {
        row_number: row.row_number,
        by_row_number: row.by_row_number,
    };
    envelope::ok(&SupersededPage {
        superseded: found.iter().map(view).collect(),
        total: job.counts.superseded,
        next_cursor,
    })
}
