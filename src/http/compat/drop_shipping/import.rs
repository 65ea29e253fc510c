//! `POST /api/dropship/bulk-import` and `POST /api/dropship/import`: files in, a batch for each.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::pace::Pace;
use super::report::BatchError;
use super::{TRANSACTIONS, json};
use crate::domain::options::Options;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::upload::{Fields, SubmittedFiles, submit_files};

/// Fields of its forms that are no options.
const OWN_FIELDS: &[&str] = &["channel", "use_streaming", "process_concurrently"];

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Accepted {
    queued_files: usize,
    batch_ids: Vec<i64>,
    use_streaming: bool,
    process_concurrently: bool,
    estimated_time: String,
}

/// Some files were refused.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct AcceptedInPart {
    #[serde(flatten)]
    accepted: Accepted,
    #[serde(flatten)]
    refused: RefusedFiles,
}

/// The error report about the files.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct RefusedFiles {
    status: &'static str,
    total_files: usize,
    successful_files: usize,
    failed_files: usize,
    errors: Vec<BatchError>,
}

/// 202 with the batches.
pub(in crate::http::compat) async fn import(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let dataset = api.dataset(TRANSACTIONS)?;
    let submitted =
        submit_files(&request, payload, &api, &dataset, OWN_FIELDS, only_channel).await?;
    let waiting = api.jobs.unfinished(TRANSACTIONS).await?;
    let estimated_time = Pace::measure(&api).await?.time_for(waiting.bytes);
    let SubmittedFiles { jobs, refused, fields } = submitted;
    let accepted = Accepted {
        queued_files: jobs.len(),
        use_streaming: is_true(&fields, "use_streaming"),
        process_concurrently: is_true(&fields, "process_concurrently"),
        estimated_time,
        batch_ids: jobs,
    };
    if refused.is_empty() {
        return json(StatusCode::ACCEPTED, &accepted);
    }
    let refused = RefusedFiles {
        status: "partial_success",
        total_files: accepted.queued_files + refused.len(),
        successful_files: accepted.queued_files,
        failed_files: refused.len(),
        errors: refused.iter().map(BatchError::of_refused).collect(),
    };
    json(StatusCode::ACCEPTED, &AcceptedInPart { accepted, refused })
}

/// Rows of another channel are not imported.
fn only_channel(fields: &Fields, options: &mut Options) {
    if let Some(channel) = fields.get("channel") {
        options.only.insert("channel".to_owned(), channel.to_owned());
    }
}

fn is_true(fields: &Fields, name: &str) -> bool {
    let value = fields.get(name).unwrap_or_default().to_ascii_lowercase();
    matches!(value.as_str(), "true" | "1" | "yes" | "on")
}
