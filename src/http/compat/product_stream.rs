//! Clients of `/api/erp/products/import/stream`: a page that uploads a file and shows the answer, a
//! stream of messages, as a log that scrolls by, row by row.

mod words;

use actix_web::{HttpRequest, HttpResponse, web};

use super::PRODUCTS;
use crate::domain::error_code::ErrorCode;
use crate::domain::options::{Options, RowEvents};
use crate::http::api::Api;
use crate::http::datasets;
use crate::http::download;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::upload;

/// The name that its page saves the template under.
const TEMPLATE: &str = "Template_File_Medicine_Product_List.csv";

/// `POST /api/erp/products/import/stream`: the file in, what becomes of it out.
pub(super) async fn import(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let dataset = api.dataset(PRODUCTS)?;
    let every_row = |options: &mut Options| options.rows = RowEvents::All;
    let submitted = upload::submit(&request, payload, &api, dataset, every_row).await;
    let job = submitted.map_err(|problem| in_old_words(problem, api.max_upload))?.job;
    Ok(HttpResponse::Ok().finish())
}

/// Says the same once more in the sentences that the page knows, where it looks for them.
fn in_old_words(problem: Problem, max_upload: u64) -> Problem {
    let short = match problem.code() {
        ErrorCode::TooLarge => {
            let most = bytesize::ByteSize(max_upload);
            format!("File too large (max {})", most.display().iec())
        }
        ErrorCode::UnsupportedFormat | ErrorCode::FormatMismatch => {
            "Unsupported file format".to_owned()
        }
        ErrorCode::IdempotencyMismatch => problem.code().title().to_owned(),
        code if code.status() == 422 => "Failed to parse file".to_owned(),
        ErrorCode::DatabaseUnavailable => "Database connection failed".to_owned(),
        code => code.title().to_owned(),
    };
    let message = format!("❌ {short}: {}", problem.detail());
    problem.with_member("error", short).with_member("message", message)
}

/// `GET /api/erp/products/template`: the header and one example row as CSV.
pub(super) async fn template(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let bom = Query::only(&request, &["bom"])?.flag("bom")?;
    let text = datasets::template(api.dataset(PRODUCTS)?, bom);
    Ok(download::headers(TEMPLATE, download::CSV).body(text))
}
