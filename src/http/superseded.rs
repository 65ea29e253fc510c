//! Which rows a later row of the same file overtook.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::cursor::List;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::domain::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};
use crate::jobs::{JobsError, SupersededRow};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    superseded: Vec<RowView>,
    total: u64,
    next_cursor: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowView {
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
    let rows = query.number("limit", 1..=PAGE_ROWS_MAX)?.unwrap_or(PAGE_ROWS_DEFAULT);
    let place = List::Superseded(id);
    let after = query.get("cursor").map(|cursor| place.position(cursor)).transpose()?.unwrap_or(0);
    let jobs = api.jobs.clone();
    let (job, mut found) = api
        .run(async move {
            let job = jobs.get(id).await?;
            let found = jobs.superseded_rows(id, after, rows + 1).await?;
            Ok::<_, JobsError>((job, found))
        })
        .await?;
    let more = found.len() as u64 > rows;
    found.truncate(usize::try_from(rows).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more);
    let next_cursor = last.and_then(|row| i64::try_from(row.row_number).ok());
    let view = |row: &SupersededRow| RowView {
        row_number: row.row_number,
        by_row_number: row.by_row_number,
    };
    envelope::ok(&Page {
        superseded: found.iter().map(view).collect(),
        total: job.counts.superseded,
        next_cursor: next_cursor.map(|row| place.cursor(row)),
    })
}
