//! The table of a dataset as it is now, under the header of its template: to be edited and sent back. The
//! CSV is sent while it is read, page by page; the workbook is made first.

use std::io;
use std::path::Path;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::{Stream, stream};
use rust_xlsxwriter::{Format, Workbook};
use tokio::runtime::Handle;

use super::api::Api;
use super::csv_text::{BOM, write_record};
use super::download::{self, TempFile};
use super::problem::Problem;
use super::query::Query;
use super::row_errors::xlsx::{ROWS_MAX, WorkbookError, cut};
use crate::dataset::model::{Column, ColumnType, Dataset};
use crate::domain::error_code::ErrorCode;
use crate::domain::failed_list::escape_formula;
use crate::domain::options::Options;
use crate::jobs::{EXPORT_PAGE, Export, ExportPage};

/// Digits that a number of a workbook keeps.
const NUMBER_DIGITS: usize = 15;

/// `GET /api/v1/datasets/{name}/rows.csv`.
pub(super) async fn as_csv(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &["bom", "scope"])?;
    let (export, file_name) = (export(&api, &name, &query)?, format!("{name}.csv"));
    if request.method() == Method::HEAD {
        return Ok(download::head(&file_name, download::CSV));
    }
    // What is wrong with the table is answered before the first byte is sent.
    let first = export.page(None).await?;
    let mut begun = if query.flag("bom")? { BOM.to_vec() } else { Vec::new() };
    write_record(&mut begun, b',', header(export.dataset()));
    let lines = RecordLines { export, begun, next: Some(first) };
    Ok(download::headers(&file_name, download::CSV).streaming(body(lines)))
}

/// `GET /api/v1/datasets/{name}/rows.xlsx`.
pub(super) async fn as_xlsx(
    request: HttpRequest,
    name: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let query = Query::read(&request, &["scope"])?;
    let (export, file_name) = (export(&api, &name, &query)?, format!("{name}.xlsx"));
    if request.method() == Method::HEAD {
        return Ok(download::head(&file_name, download::XLSX));
    }
    let slot = Arc::clone(&api.list_slots).acquire_owned().await.ok();
    let (tmp, runtime) = (api.data_dir.tmp(), Handle::current());
    let make = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        workbook(&export, &tmp, &runtime)
    });
    let file = make.await.map_err(|fault| Problem::because(ErrorCode::Internal, fault))??;
    Ok(download::headers(&file_name, download::XLSX).streaming(download::body(file)))
}

fn export(api: &Api, name: &str, query: &Query) -> Result<Export, Problem> {
    let dataset = api.dataset(name)?;
    let options = Options::parse(query.get("scope").map(|scope| ("scope", scope)))?;
    Ok(api.jobs.export(dataset, &options)?)
}

/// The lines that are not sent yet.
struct RecordLines {
    export: Export,
    begun: Vec<u8>,
    /// The page that comes next; `None` behind the last one.
    next: Option<ExportPage>,
}

fn body(lines: RecordLines) -> impl Stream<Item = io::Result<web::Bytes>> {
    stream::try_unfold(lines, |mut lines| async move {
        let Some(page) = lines.next.take() else { return Ok(None) };
        let mut piece = std::mem::take(&mut lines.begun);
        for row in &page.rows {
            let cells: Vec<_> = row.iter().map(|cell| escape_formula(cell)).collect();
            write_record(&mut piece, b',', cells.iter().map(|cell| &**cell));
        }
        if page.rows.len() as u64 == EXPORT_PAGE {
            let next = lines.export.page(page.last).await.map_err(io::Error::other)?;
            lines.next = Some(next).filter(|next| !next.rows.is_empty());
        }
        Ok::<_, io::Error>(Some((web::Bytes::from(piece), lines)))
    })
}

fn workbook(export: &Export, tmp: &Path, runtime: &Handle) -> Result<TempFile, Problem> {
    let failed = |fault: WorkbookError| Problem::because(fault.code(), fault);
    let write = |fault| failed(WorkbookError::Write(fault));
    let dataset = export.dataset();
    let mut book = Workbook::new();
    book.set_tempdir(tmp).map_err(write)?;
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet_with_constant_memory().map_err(write)?;
    sheet.set_freeze_panes(1, 0).map_err(write)?;
    for (place, title) in (0_u16..).zip(header(dataset)) {
        sheet.write_string_with_format(0, place, title, &bold).map_err(write)?;
    }
    let (mut below, mut after) = (0_u32, None);
    loop {
        let page = runtime.block_on(export.page(after))?;
        for row in &page.rows {
            below += 1;
            if u64::from(below) > ROWS_MAX {
                let detail = "the records do not fit into one sheet; rows.csv has them all";
                return Err(Problem::new(ErrorCode::TooManyRows, detail));
            }
            for (place, cell) in (0_u16..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
                match as_number(dataset, place, cell) {
                    Some(number) => sheet.write_number(below, place, number),
                    // No spreadsheet takes it for a formula.
                    None if cell.starts_with('\'') => {
                        sheet.write_string(below, place, cut(&escape_formula(cell)))
                    }
                    None => sheet.write_string(below, place, cut(cell)),
                }
                .map_err(write)?;
            }
        }
        if (page.rows.len() as u64) < EXPORT_PAGE {
            break;
        }
        after = page.last;
    }
    let mut file =
        tempfile::tempfile_in(tmp).map_err(|fault| failed(WorkbookError::File(fault)))?;
    book.save_to_writer(&mut file).map_err(write)?;
    TempFile::written(file).map_err(|fault| failed(WorkbookError::File(fault)))
}

/// The columns whose values may be shown. The others stay as they are when the file comes back.
fn shown(dataset: &Dataset) -> impl Iterator<Item = &Column> {
    dataset.columns.iter().filter(|column| !column.sensitive)
}

fn header(dataset: &Dataset) -> impl Iterator<Item = &str> {
    shown(dataset).map(|column| column.title.as_str())
}

/// The number in a cell of a column of numbers, if a workbook keeps all of its digits.
fn as_number(dataset: &Dataset, place: u16, cell: &str) -> Option<f64> {
    let kind = shown(dataset).nth(usize::from(place))?.kind;
    let is_number = matches!(kind, ColumnType::Integer | ColumnType::Decimal { .. });
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    if is_number && digits <= NUMBER_DIGITS { cell.parse().ok() } else { None }
}
