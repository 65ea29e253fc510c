//! Row errors as pages of JSON, and the failed rows as CSV and XLSX with the columns of their file, so
//! that they can be corrected and uploaded again.

pub(super) mod columns;
pub(super) mod csv;
mod groups;
pub(super) mod xlsx;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::cursor::{List, PageRequest};
use super::download;
use super::envelope;
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use super::status::job_id;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::row_error::StoredRowError;
use crate::files::FailedRows;
use columns::Columns;
pub(super) use groups::{ErrorGroupList, groups};

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct RowErrorPage {
    errors: Vec<StoredRowError>,
    total: u64,
    stored: u64,
    truncated: bool,
    next_cursor: Option<String>,
    links: RowErrorLinks,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct RowErrorLinks {
    job: String,
    errors_csv: String,
    errors_xlsx: String,
}

/// `GET /api/v1/import/jobs/{id}/errors`.
pub(super) async fn list(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let query = Query::read(&request, &["limit", "cursor"])?;
    let page = PageRequest::of(List::RowErrors(id), &query)?;
    let (after, limit) = (page.after.unwrap_or(0), page.fetch_limit());
    let job = api.jobs.get(id).await?;
    let mut found = api.jobs.row_errors(id, after, limit).await?;
    let (stored, rows_stored) = api.jobs.stored_row_errors(id).await?;
    let next_cursor = page.truncate(&mut found, |error| error.id);
    let prefix = path_prefix::of(&request);
    let base = prefix.to(format_args!("/api/v1/import/jobs/{id}"));
    envelope::ok(&RowErrorPage {
        errors: found,
        total: job.counts.failed,
        stored,
        truncated: rows_stored < job.counts.failed,
        next_cursor,
        links: RowErrorLinks {
            job: crate::domain::job_view::status_url(id, &prefix),
            errors_csv: format!("{base}/errors.csv"),
            errors_xlsx: format!("{base}/errors.xlsx"),
        },
    })
}

/// `GET /api/v1/import/jobs/{id}/errors.csv`: all failed rows, in the dialect of the uploaded file.
pub(super) async fn as_csv(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let bom = Query::read(&request, &["bom"])?.flag("bom")?;
    let job = listed(&api, id).await?;
    let name = download::derived_name(&job.file_name, "errors", "csv");
    if request.method() == Method::HEAD {
        return Ok(download::head(&name, download::CSV));
    }
    let text = csv::FailedRowsCsv::new(
        Columns::of(job.detected.as_ref()),
        failed_rows(&api, id).await?,
        bom,
    );
    Ok(download::headers(&name, download::CSV).streaming(download::body(text)))
}

/// `GET /api/v1/import/jobs/{id}/errors.xlsx`: all failed rows as a workbook.
pub(super) async fn as_xlsx(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    Query::read(&request, &[])?;
    let job = listed(&api, id).await?;
    if job.counts.failed > xlsx::ROWS_MAX {
        let detail = format!(
            "the job has {} failed rows and a sheet holds {}; download errors.csv instead",
            job.counts.failed,
            xlsx::ROWS_MAX
        );
        return Err(Problem::new(ErrorCode::TooManyRows, detail));
    }
    let name = download::derived_name(&job.file_name, "errors", "xlsx");
    if request.method() == Method::HEAD {
        return Ok(download::head(&name, download::XLSX));
    }
    let rows = failed_rows(&api, id).await?;
    let (columns, tmp) = (Columns::of(job.detected.as_ref()), api.data_dir.tmp());
    let made = tokio::task::spawn_blocking(move || xlsx::write(&columns, rows, &tmp)).await;
    let file = made
        .map_err(|fault| Problem::because(ErrorCode::Internal, fault))?
        .map_err(|fault| Problem::because(fault.code(), fault))?;
    Ok(download::headers(&name, download::XLSX).streaming(download::body(file)))
}

/// The job, if this server reaches its failed rows.
async fn listed(api: &Api, id: i64) -> Result<Job, Problem> {
    Ok(api.jobs.with_files(id).await?)
}

async fn failed_rows(api: &Api, id: i64) -> Result<FailedRows, Problem> {
    Ok(api.jobs.failed_rows(id).await?)
}
