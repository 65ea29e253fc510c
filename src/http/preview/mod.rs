//! `POST /api/v1/import/{dataset}/preview`: what an upload of this file would read, and what is
//! wrong with its header and first rows. Keeps nothing: no job, no file, no row.
//!
//! The body comes in as that of an upload does, and the file is inspected in the same way; only
//! what is made of it differs.

mod view;

use actix_web::{HttpRequest, HttpResponse, web};

use super::api::Api;
use super::envelope;
use super::problem::Problem;
use super::upload;
pub(super) use view::PreviewView;

/// The file is only the beginning of one.
const PART: &str = "part";

/// Looks at a file.
pub(super) async fn preview(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    if api.stopping.is_cancelled() {
        return Err(Problem::stopping());
    }
    let dataset = api.dataset(&name)?;
    let (parsed, fields) = upload::parse_beside(&request, payload, &api, &[PART]).await?;
    let is_part = fields.flag(PART)?;
    let (request, inspection) = api.jobs.inspect_upload(parsed.into_request(dataset)).await?;
    let (mut view, sample) = PreviewView::of(&request, inspection);
    view.part = is_part;
    let new = api.jobs.new_references(&request.dataset, sample).await?;
    view.new_references = new.views();
    envelope::ok(&view)
}
