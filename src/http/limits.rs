//! The limits of the server, for clients that check a file before they upload it.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::api::Api;
use super::envelope;
use super::problem::Problem;
use super::query::Query;
use crate::jobs::whole_seconds;
use crate::reader;

/// The ending of a file of any format that is packed with gzip.
const PACKED: &str = ".gz";

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct LimitsView {
    max_upload_bytes: u64,
    extensions: Vec<&'static str>,
    chunk_rows: u32,
    stuck_after_seconds: u64,
}

/// `GET /api/v1/limits`.
pub(super) async fn limits(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    envelope::ok(&LimitsView {
        max_upload_bytes: api.max_upload,
        extensions: reader::endings().chain([PACKED]).collect(),
        chunk_rows: api.chunk_rows,
        stuck_after_seconds: whole_seconds(api.jobs.stuck_after()),
    })
}
