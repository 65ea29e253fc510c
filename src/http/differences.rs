//! What a dry run would change, as pages of JSON and as CSV. Knows no SQL.

use std::io;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{Stream, stream};
use serde::Serialize;

use super::api::Api;
use super::csv_text::{BOM, write_record};
use super::cursor::{List, PageRequest};
use super::download;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::domain::difference::{Difference, DifferenceOutcome};
use crate::domain::failed_list::escape_formula;
use crate::domain::job::Job;
use crate::domain::limits::PAGE_ROWS_MAX;

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DifferencesPage {
    differences: Vec<Difference>,
    /// Rows that would be created, updated or removed.
    total: u64,
    /// Of those, the rows that the list has.
    stored: u64,
    next_cursor: Option<String>,
}

/// `GET /api/v1/import/jobs/{id}/diff`: rows in the order of the file, each with its changes.
pub(super) async fn list(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let query = Query::read(&request, &["limit", "cursor"])?;
    let page = PageRequest::of(List::Differences(id), &query)?;
    let (after, limit) = (page.after.unwrap_or(0), page.fetch_limit());
    let job = api.jobs.get(id).await?;
    let mut differences = api.jobs.differences(&job, after, limit).await?;
    let next_cursor = page.truncate(&mut differences, |row| row.row_number.into());
    let stored = api.jobs.stored_differences(id).await?;
    let total = job.counts.created + job.counts.updated + job.counts.removed;
    envelope::ok(&DifferencesPage { differences, total, stored, next_cursor })
}

/// `GET /api/v1/import/jobs/{id}/diff.csv`: a line for each value that would change.
pub(super) async fn as_csv(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let bom = Query::read(&request, &["bom"])?.flag("bom")?;
    let job = api.jobs.get(id).await?;
    // A job that is no dry run is refused before the first byte is sent.
    let first = api.jobs.differences(&job, 0, PAGE_ROWS_MAX).await?;
    let name = download::derived_name(&job.file_name, "diff", "csv");
    if request.method() == Method::HEAD {
        return Ok(download::head(&name, download::CSV));
    }
    let mut begun = if bom { BOM.to_vec() } else { Vec::new() };
    write_record(&mut begun, b',', ["row", "key", "outcome", "column", "before", "after"]);
    let lines = DifferenceLines { api, job, begun, next: Some(first) };
    Ok(download::headers(&name, download::CSV).streaming(body(lines)))
}

/// The lines that are not sent yet.
struct DifferenceLines {
    api: web::Data<Api>,
    job: Job,
    begun: Vec<u8>,
    /// The page that comes next; `None` behind the last one.
    next: Option<Vec<Difference>>,
}

fn body(lines: DifferenceLines) -> impl Stream<Item = io::Result<web::Bytes>> {
    stream::try_unfold(lines, |mut lines| async move {
        let Some(page) = lines.next.take() else { return Ok(None) };
        let mut piece = std::mem::take(&mut lines.begun);
        for difference in &page {
            add_lines(&mut piece, difference);
        }
        let last = page.last().filter(|_| page.len() as u64 == PAGE_ROWS_MAX);
        if let Some(last) = last {
            let after = last.row_number.into();
            let next = lines.api.jobs.differences(&lines.job, after, PAGE_ROWS_MAX).await;
            lines.next = Some(next.map_err(io::Error::other)?).filter(|next| !next.is_empty());
        }
        Ok::<_, io::Error>(Some((web::Bytes::from(piece), lines)))
    })
}

fn add_lines(text: &mut Vec<u8>, difference: &Difference) {
    let row = difference.row_number.to_string();
    if difference.outcome == DifferenceOutcome::Removed && difference.changes.is_empty() {
        // Deleted: no single value of it changes.
        let key = escape_formula(&difference.key);
        write_record(text, b',', [&row, &*key, difference.outcome.as_str(), "", "", ""]);
    }
    for change in &difference.changes {
        let before = escape_formula(change.before.as_deref().unwrap_or_default());
        let after = escape_formula(change.after.as_deref().unwrap_or_default());
        let key = escape_formula(&difference.key);
        let outcome = difference.outcome.as_str();
        write_record(text, b',', [&row, &*key, outcome, &change.column, &*before, &*after]);
    }
}
