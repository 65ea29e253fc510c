//! `POST /api/v1/import/{dataset}`: a file in, a job number out.
//!
//! The handler reads headers and body; what then happens to the file is [`intake`]'s.

mod body;
mod digest;
mod file_name;
mod form;
mod headers;
pub(super) mod intake;
mod raw;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, HeaderName, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Serialize;

use super::api::Api;
use super::envelope;
use super::etag::KnownTags;
use super::events;
use super::problem::Problem;
use super::query;
use super::status::{answer, wait_for};
use super::view::status_url;
use crate::dataset::model::{Dataset, Run};
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::limits::WAIT_SECONDS_MAX;
use crate::domain::options::Options;
use crate::faults::fault;
use crate::files::{DataDir, TempUpload};
use crate::jobs::Submitted;
use body::UploadBody;
use headers::BodyKind;
pub(super) use headers::{client, idempotency_key};
use intake::Order;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
pub(super) const X_JOB_ID: HeaderName = HeaderName::from_static("x-job-id");
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What the body gave.
#[derive(Debug)]
pub(super) struct ParsedUpload {
    /// The file; removed again unless it is stored.
    pub(super) arrived: TempUpload,
    file_name: Option<String>,
    /// What the client says that the file is.
    pub(super) media_type: Option<String>,
    /// What the client asks for.
    pub(super) options: Options,
}

impl ParsedUpload {
    /// The name under which the file is shown.
    pub(super) fn shown_name(&self, dataset: &Dataset) -> String {
        let media_type = self.media_type.as_deref();
        file_name::shown_name(self.file_name.as_deref(), &dataset.name, media_type)
    }
}

/// Where the bytes go, and how many may come.
#[derive(Debug, Clone, Copy)]
struct UploadTarget<'a> {
    data_dir: &'a Arc<DataDir>,
    limit: u64,
    /// `Content-Length`.
    announced: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobAccepted {
    job_id: i64,
    status_url: String,
}

/// Takes a file in and starts the job.
pub(super) async fn import(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let dataset = Arc::clone(api.dataset(&name)?);
    let wants_events = headers::accepts_events(request.headers());
    // An answer that tells everything as it happens is not waited for.
    let wait = headers::wait_preference(request.headers()).filter(|_| !wants_events);
    let submitted = submit(&request, payload, &api, &dataset, |_| ()).await?;
    fault!("answer.before", Problem::stopping());

    let inline = (dataset.run == Run::Inline).then_some(WAIT_SECONDS_MAX);
    let mut response = match wait.or(inline).filter(|seconds| *seconds > 0) {
        _ if wants_events => with_events(&api, &dataset, &submitted.job).await?,
        None => accepted(&dataset, &submitted.job)?,
        Some(seconds) => {
            let at_most = Duration::from_secs(seconds);
            let id = submitted.job.id;
            let job = wait_for(&api, id, at_most, |job| job.status.is_terminal()).await?;
            if job.status.is_terminal() {
                answer(&job, &KnownTags::default())?
            } else {
                accepted(&dataset, &job)?
            }
        }
    };
    if let Some(seconds) = wait {
        let applied = format!("wait={seconds}");
        if let Ok(applied) = applied.parse() {
            response.headers_mut().insert(PREFERENCE_APPLIED, applied);
        }
    }
    if submitted.replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, true_value());
    }
    Ok(response)
}

/// Stores the job of an upload, whatever address it came to; `adjust` sets options that the client
/// cannot know.
pub(super) async fn submit(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    dataset: &Arc<Dataset>,
    adjust: impl FnOnce(&mut Options),
) -> Result<Submitted, Problem> {
    if api.stopping.is_cancelled() {
        return Err(Problem::stopping());
    }
    let idempotency_key = headers::idempotency_key(request.headers())?;
    let client = headers::client(request)?;
    let mut upload = parse(request, payload, api).await?;
    adjust(&mut upload.options);
    let order = Order {
        dataset: Arc::clone(dataset),
        file_name: upload.shown_name(dataset),
        arrived: upload.arrived,
        media_type: upload.media_type,
        options: upload.options,
        idempotency_key,
        client,
    };
    let (jobs, storage, child) = (api.jobs.clone(), api.storage.clone(), api.child.clone());
    let workbook_places = Arc::clone(&api.workbook_places);
    api.run(intake::take_in(jobs, storage, child, workbook_places, order)).await
}

pub(super) fn true_value() -> actix_web::http::header::HeaderValue {
    actix_web::http::header::HeaderValue::from_static("true")
}

/// Reads the body to its end: the file goes to disk, everything else into the options.
pub(super) async fn parse(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
) -> Result<ParsedUpload, Problem> {
    let kind = headers::body_kind(request.headers())?;
    if let Some(encoding) = request.headers().get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let detail = "send the file as it is; this server unpacks no Content-Encoding";
        return Err(Problem::new(ErrorCode::UnsupportedFormat, detail));
    }
    let query = query::pairs(request)?;
    let announced = headers::content_length(request.headers());
    // A body that is refused for its size is not refused for the room that it would take.
    if announced.is_none_or(|bytes| bytes <= api.max_upload) {
        api.storage.check_free_space(announced.unwrap_or(0)).await?;
    }
    let target = UploadTarget { data_dir: &api.data_dir, limit: api.max_upload, announced };
    let body = UploadBody::new(payload, headers::content_digest(request.headers())?);
    let upload = match kind {
        BodyKind::Form => form::parse(request.headers(), body.clone(), query, target).await,
        BodyKind::File(media_type) => {
            raw::parse(request.headers(), body.clone(), query, media_type, target).await
        }
    }?;
    body.finish().await?;
    Ok(upload)
}

/// 202: the job is stored and will run, whatever happens to this server.
fn accepted(dataset: &Dataset, job: &Job) -> Result<HttpResponse, Problem> {
    let message = format!("{} import started in background", singular(&dataset.title));
    let view = JobAccepted { job_id: job.id, status_url: status_url(job.id) };
    let body = envelope::body(Some(&message), &view)?;
    let mut response: HttpResponseBuilder = HttpResponse::build(StatusCode::ACCEPTED);
    response.insert_header((LOCATION, view.status_url)).insert_header((RETRY_AFTER, "1"));
    Ok(response.content_type("application/json").body(body))
}

/// 200 with everything that happens to the job.
async fn with_events(api: &Api, dataset: &Dataset, job: &Job) -> Result<HttpResponse, Problem> {
    let Ok(subscription) = api.jobs.subscribe(job.id, 0, job.options.rows).await else {
        // The job is stored: that it cannot be followed at the moment is no refusal.
        return accepted(dataset, job);
    };
    let mut response = events::answer(subscription, events::ApiEvents);
    if let Ok(location) = status_url(job.id).parse() {
        response.headers_mut().insert(LOCATION, location);
    }
    response.headers_mut().insert(X_JOB_ID, job.id.into());
    Ok(response)
}

/// `Products` gives `Product`, `Categories` gives `Category`.
fn singular(title: &str) -> String {
    match (title.strip_suffix("ies"), title.strip_suffix('s')) {
        (Some(stem), _) => format!("{stem}y"),
        (None, Some(stem)) if !stem.ends_with('s') => stem.to_owned(),
        _ => title.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_an_upload_is_what_frontends_know() {
        let dataset = Dataset {
            name: "products".to_owned(),
            title: "Products".to_owned(),
            table: "products".to_owned(),
            key: vec![],
            run: Run::Background,
            running_max: 1,
            columns: vec![],
            histories: vec![],
        };
        let response = accepted(&dataset, &crate::http::view::tests::job()).unwrap();
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers().get(LOCATION).unwrap(), "/api/v1/import/status/123");
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "1");
        let body = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&body),
            "{\"success\":true,\"message\":\"Product import started in background\",\
             \"data\":{\"jobId\":123,\"statusUrl\":\"/api/v1/import/status/123\"}}\n"
        );
    }

    #[test]
    fn titles_have_a_singular() {
        for (title, one) in [("Categories", "Category"), ("Dealers", "Dealer"), ("Stock", "Stock")]
        {
            assert_eq!(singular(title), one);
        }
    }
}
