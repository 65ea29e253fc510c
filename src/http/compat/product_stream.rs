//! Clients of `/api/erp/products/import/stream`: a page that uploads a file and shows the answer, a
//! stream of messages, as a log that scrolls by, row by row.

pub(in crate::http) mod messages;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Utc;

use super::PRODUCTS;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::job_view;
use crate::domain::options::{Options, RowEventMode};
use crate::http::api::Api;
use crate::http::events::{self, EventEncoder, write};
use crate::http::path_prefix;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::{datasets, download, upload};
use crate::jobs::Delivery;
use messages::MessageWriter;

/// The name that its page saves the template under.
const TEMPLATE: &str = "Template_File_Medicine_Product_List.csv";

/// `POST /api/erp/products/import/stream`: the file in, what becomes of it out.
pub(super) async fn import(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    stream(&request, payload, &api)
        .await
        .map_err(|problem| with_older_members(problem, api.max_upload))
}

async fn stream(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
) -> Result<HttpResponse, Problem> {
    let dataset = api.dataset(PRODUCTS)?;
    let every_row = |options: &mut Options| options.rows = RowEventMode::All;
    let job = upload::submit(request, payload, api, &dataset, every_row).await?.job;
    let subscription = api.jobs.subscribe(job.id, 0, RowEventMode::All).await?;
    let mut response = events::answer(subscription, ProductLog::default());
    if let Ok(location) = job_view::status_url(job.id, &path_prefix::of(request)).parse() {
        response.headers_mut().insert(LOCATION, location);
    }
    response.headers_mut().insert(upload::X_JOB_ID, job.id.into());
    Ok(response)
}

/// A job as the lines of the page's log. Its streams have no numbers and no other fields than
/// `data`: nobody comes back to the answer of a POST.
#[derive(Debug, Default)]
struct ProductLog {
    writer: MessageWriter,
}

impl EventEncoder for ProductLog {
    /// The page knows no snapshot; the log begins with the upload.
    fn begin(&mut self, _: &Job, _: Option<u64>, _: &mut Vec<u8>) {}

    fn encode(&mut self, delivery: &Delivery, out: &mut Vec<u8>) {
        match delivery {
            Delivery::Notice(notice) => {
                write(out, None, &messages::warning(&notice.message(), Utc::now()));
            }
            // It knows no queue.
            Delivery::Place(_) => {}
            Delivery::Event(delivered) => {
                for (_, event, percentage) in delivered.notes() {
                    write(out, None, &messages::row(event, percentage, delivered.at()));
                }
                if let Some(event) = delivered.event() {
                    for message in self.writer.write(event, delivered.at()) {
                        write(out, None, &message);
                    }
                }
            }
        }
    }
}

/// Says the same once more in the sentences that the page knows, where it looks for them.
fn with_older_members(problem: Problem, max_upload: u64) -> Problem {
    let short = match problem.code() {
        ErrorCode::TooLarge if max_upload >= 1 << 20 => {
            format!("File too large (max {}MB)", max_upload >> 20)
        }
        ErrorCode::TooLarge => format!("File too large (max {}KB)", max_upload >> 10),
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
    let text = datasets::template(&*api.dataset(PRODUCTS)?, bom);
    Ok(download::headers(TEMPLATE, download::CSV).body(text))
}
