//! The rows that a job left when it ended, as CSV and XLSX, in the shape of the list of failed rows:
//! what comes back is known as such a list.
//!
//! The file is read again for it, and may turn out to be broken or gone; so the list is made whole
//! before the first byte is sent.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use super::api::Api;
use super::download::{self, TempFile};
use super::problem::Problem;
use super::query::Query;
use super::row_errors::columns::Columns;
use super::row_errors::csv::FailedRowsCsv;
use super::row_errors::xlsx;
use super::status::job_id;
use crate::domain::chunk::FailedRow;
use crate::domain::error_code::ErrorCode;
use crate::files::is_disk_full;
use crate::jobs::{JobsError, StopOnDrop, Unprocessed, UnprocessedRows};

/// `GET /api/v1/import/jobs/{id}/unprocessed.csv`: in the dialect of the uploaded file.
pub(super) async fn as_csv(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let bom = Query::read(&request, &["bom"])?.flag("bom")?;
    send(&request, &api, id, "csv", move |columns, rows, tmp| csv_file(columns, rows, tmp, bom))
        .await
}

/// `GET /api/v1/import/jobs/{id}/unprocessed.xlsx`: as a workbook.
pub(super) async fn as_xlsx(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    Query::read(&request, &[])?;
    send(&request, &api, id, "xlsx", |columns, rows, tmp| {
        xlsx::write(&columns, rows, tmp).map_err(|fault| Problem::because(fault.code(), fault))
    })
    .await
}

/// Makes the list and sends it.
async fn send(
    request: &HttpRequest,
    api: &Api,
    id: i64,
    extension: &'static str,
    make: impl FnOnce(Columns, &mut ListedRows, &Path) -> Result<TempFile, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let job = api.jobs.check_unprocessed(id).await?;
    let name = download::derived_name(&job.file_name, "unprocessed", extension);
    let media_type = if extension == "xlsx" { download::XLSX } else { download::CSV };
    if request.method() == Method::HEAD {
        return Ok(download::head(&name, media_type));
    }
    // Each list takes room for itself, and for a copy of a file that lies elsewhere.
    let slot = Arc::clone(&api.list_slots).acquire_owned().await.ok();
    let left = api.jobs.unprocessed(id).await?;
    let stop = StopOnDrop::default();
    let (gone, tmp) = (stop.flag(), api.data_dir.tmp());
    let most = if extension == "xlsx" { xlsx::ROWS_MAX } else { u64::MAX };
    let list = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        made(left, gone, most, |columns, rows| make(columns, rows, &tmp))
    });
    let file = list.await.map_err(|fault| Problem::because(ErrorCode::Internal, fault))??;
    Ok(download::headers(&name, media_type).streaming(download::body(file)))
}

/// Makes the list. What is wrong with the rows wins over what that did to the list.
fn made(
    left: Unprocessed,
    gone: Arc<AtomicBool>,
    most: u64,
    make: impl FnOnce(Columns, &mut ListedRows) -> Result<TempFile, Problem>,
) -> Result<TempFile, Problem> {
    let columns = Columns::of(left.job().detected.as_ref());
    let mut rows = ListedRows { source: left.rows(gone)?, passed: 0, most, fault: None };
    let list = make(columns, &mut rows);
    match rows.fault {
        Some(fault) => Err(fault),
        None => list,
    }
}

fn csv_file(
    columns: Columns,
    rows: &mut ListedRows,
    tmp: &Path,
    bom: bool,
) -> Result<TempFile, Problem> {
    let write = || -> io::Result<TempFile> {
        let mut file: File = tempfile::tempfile_in(tmp)?;
        let mut text = FailedRowsCsv::new(columns, rows, bom);
        loop {
            let piece = text.piece()?;
            if piece.is_empty() {
                return TempFile::written(file);
            }
            file.write_all(&piece)?;
        }
    };
    write().map_err(|fault| {
        let code = if is_disk_full(&fault) { ErrorCode::StorageFull } else { ErrorCode::Internal };
        Problem::because(code, fault)
    })
}

/// The rows on their way into a list; keeps why they broke off.
struct ListedRows {
    source: UnprocessedRows,
    passed: u64,
    most: u64,
    fault: Option<Problem>,
}

impl Iterator for ListedRows {
    type Item = io::Result<FailedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let fault = match self.source.next()? {
            Ok(row) if self.passed < self.most => {
                self.passed += 1;
                return Some(Ok(row));
            }
            Ok(_) => {
                let detail = "the rows do not fit into one sheet; unprocessed.csv has them all";
                Problem::new(ErrorCode::TooManyRows, detail)
            }
            Err(fault) => why(fault),
        };
        self.fault = Some(fault);
        Some(Err(io::Error::other("the rows broke off")))
    }
}

fn why(fault: JobsError) -> Problem {
    Problem::from(fault).with_remedy()
}
