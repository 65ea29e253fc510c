//! Lists of the rows of a file, as CSV and XLSX, in the shape of the list of failed rows: those that a
//! job left when it ended, and all of them with their outcomes. What comes back is known as such a list.
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
use super::row_errors::columns::{Columns, ListedRow};
use super::row_errors::csv::FailedRowsCsv;
use super::row_errors::xlsx;
use super::status::job_id;
use crate::domain::error_code::ErrorCode;
use crate::domain::event::RowEventKind;
use crate::domain::job::Job;
use crate::files::is_disk_full;
use crate::jobs::{JobRows, JobsError, RowWithOutcome, StopOnDrop, Unprocessed};

/// What the outcome of a row without one is called.
const UNPROCESSED: &str = "unprocessed";

/// Which rows a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    /// Those that the job left.
    Unprocessed,
    /// All, each with its outcome.
    All,
}

impl Listed {
    /// The word in the address, and in the name of the file.
    fn word(self) -> &'static str {
        match self {
            Self::Unprocessed => UNPROCESSED,
            Self::All => "rows",
        }
    }

    async fn check(self, api: &Api, id: i64) -> Result<Job, JobsError> {
        match self {
            Self::Unprocessed => api.jobs.check_unprocessed(id).await,
            Self::All => api.jobs.check_rows(id).await,
        }
    }

    async fn source(self, api: &Api, id: i64) -> Result<ListSource, JobsError> {
        Ok(match self {
            Self::Unprocessed => ListSource::Unprocessed(Box::new(api.jobs.unprocessed(id).await?)),
            Self::All => ListSource::All(Box::new(api.jobs.rows(id).await?)),
        })
    }
}

/// `GET /api/v1/import/jobs/{id}/unprocessed.csv`: in the dialect of the uploaded file.
pub(super) async fn unprocessed_csv(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    as_csv(&request, &api, job_id(&id)?, Listed::Unprocessed).await
}

/// `GET /api/v1/import/jobs/{id}/unprocessed.xlsx`: as a workbook.
pub(super) async fn unprocessed_xlsx(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    as_xlsx(&request, &api, job_id(&id)?, Listed::Unprocessed).await
}

/// `GET /api/v1/import/jobs/{id}/rows.csv`: in the dialect of the uploaded file.
pub(super) async fn rows_csv(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    as_csv(&request, &api, job_id(&id)?, Listed::All).await
}

/// `GET /api/v1/import/jobs/{id}/rows.xlsx`: as a workbook.
pub(super) async fn rows_xlsx(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    as_xlsx(&request, &api, job_id(&id)?, Listed::All).await
}

async fn as_csv(
    request: &HttpRequest,
    api: &Api,
    id: i64,
    listed: Listed,
) -> Result<HttpResponse, Problem> {
    let bom = Query::read(request, &["bom"])?.flag("bom")?;
    send(request, api, id, listed, "csv", move |columns, rows, tmp| {
        csv_file(columns, rows, tmp, bom)
    })
    .await
}

async fn as_xlsx(
    request: &HttpRequest,
    api: &Api,
    id: i64,
    listed: Listed,
) -> Result<HttpResponse, Problem> {
    Query::read(request, &[])?;
    send(request, api, id, listed, "xlsx", |columns, rows, tmp| {
        xlsx::write(&columns, rows, tmp).map_err(|fault| Problem::because(fault.code(), fault))
    })
    .await
}

/// Makes the list and sends it.
async fn send(
    request: &HttpRequest,
    api: &Api,
    id: i64,
    listed: Listed,
    extension: &'static str,
    make: impl FnOnce(Columns, &mut ListedRows, &Path) -> Result<TempFile, Problem> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let job = listed.check(api, id).await?;
    let name = download::derived_name(&job.file_name, listed.word(), extension);
    let media_type = if extension == "xlsx" { download::XLSX } else { download::CSV };
    if request.method() == Method::HEAD {
        return Ok(download::head(&name, media_type));
    }
    // Each list takes room for itself, and for a copy of a file that lies elsewhere.
    let slot = Arc::clone(&api.list_slots).acquire_owned().await.ok();
    let source = listed.source(api, id).await?;
    let stop = StopOnDrop::default();
    let (gone, tmp) = (stop.flag(), api.data_dir.tmp());
    let most = if extension == "xlsx" { xlsx::ROWS_MAX } else { u64::MAX };
    let list = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        let columns = source.columns();
        let source = source.rows(gone)?;
        let mut rows = ListedRows { source, listed, passed: 0, most, fault: None };
        let list = make(columns, &mut rows, &tmp);
        // What is wrong with the rows wins over what that did to the list.
        rows.fault.map_or(list, Err)
    });
    let file = list.await.map_err(|fault| Problem::because(ErrorCode::Internal, fault))??;
    Ok(download::headers(&name, media_type).streaming(download::body(file)))
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

/// Where the rows of a list come from.
enum ListSource {
    Unprocessed(Box<Unprocessed>),
    All(Box<JobRows>),
}

impl ListSource {
    fn columns(&self) -> Columns {
        match self {
            Self::Unprocessed(left) => Columns::of(left.job().detected.as_ref()),
            Self::All(rows) => Columns::of(rows.job().detected.as_ref()).with_outcomes(),
        }
    }

    fn rows(self, gone: Arc<AtomicBool>) -> Result<Rows, JobsError> {
        Ok(match self {
            Self::Unprocessed(left) => Box::new(left.rows(gone)?.map(|row| row.map(Into::into))),
            Self::All(rows) => Box::new(rows.list(gone)?.map(|row| row.map(Into::into))),
        })
    }
}

impl From<RowWithOutcome> for ListedRow {
    fn from(RowWithOutcome { row, outcome }: RowWithOutcome) -> Self {
        Self { row, outcome: outcome.and_then(RowEventKind::outcome).unwrap_or(UNPROCESSED) }
    }
}

type Rows = Box<dyn Iterator<Item = Result<ListedRow, JobsError>>>;

/// The rows on their way into a list; keeps why they broke off.
struct ListedRows {
    source: Rows,
    listed: Listed,
    passed: u64,
    most: u64,
    fault: Option<Problem>,
}

impl Iterator for ListedRows {
    type Item = io::Result<ListedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        let fault = match self.source.next()? {
            Ok(row) if self.passed < self.most => {
                self.passed += 1;
                return Some(Ok(row));
            }
            Ok(_) => {
                let list = self.listed.word();
                let detail = format!("the rows do not fit into one sheet; {list}.csv has them all");
                Problem::new(ErrorCode::TooManyRows, detail)
            }
            Err(fault) => Problem::from(fault).with_remedy(),
        };
        self.fault = Some(fault);
        Some(Err(io::Error::other("the rows broke off")))
    }
}
