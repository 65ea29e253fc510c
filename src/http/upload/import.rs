//! `POST /api/v1/import/{dataset}`: receives a file and answers with a job number.
//!
//! The handler reads headers and body; what then happens to the file is
//! [`submit_upload`](crate::jobs::Jobs::submit_upload)'s.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::Serialize;

use super::body;
use super::bulk::{self, Received};
use super::far::{self, FarSubmitted};
use super::headers;
use super::inline;
use super::parse::{parse, parse_files};
use super::parsed::ParsedUpload;
use super::requester::{IDEMPOTENCY_REPLAYED, Requester, true_value};
use crate::dataset::model::{Dataset, Run};
use crate::dataset::singular;
use crate::domain::job::Job;
use crate::domain::job_view::status_url;
use crate::domain::limits::{BULK_FILES_MAX, WAIT_SECONDS_MAX};
use crate::domain::options::Options;
use crate::domain::warning::WarningView;
use crate::faults::fault;
use crate::http::accept::accepts_events;
use crate::http::api::Api;
use crate::http::etag::KnownTags;
use crate::http::problem::Problem;
use crate::http::status::{AnswerForm, answer, wait_for};
use crate::http::text_line::{job_headers, job_line};
use crate::http::{envelope, events};
use crate::jobs::{ImportRequest, Submitted};

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
pub(in crate::http) const X_JOB_ID: HeaderName = HeaderName::from_static("x-job-id");

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct JobAccepted {
    job_id: i64,
    status_url: String,
    /// Only of a job that an earlier request made: it may be anywhere in its life.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// What is known of the file before its rows are read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningView>,
}

/// Takes a file in and starts the job.
pub(in crate::http) async fn import(
    request: HttpRequest,
    name: web::Path<String>,
    mut payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let dataset = api.dataset(&name)?;
    let mut names_address = headers::is_json(request.headers());
    if names_address {
        let (is_array, whole) = body::begins_array(&request, payload).await?;
        (names_address, payload) = (!is_array, whole);
    }
    let (wants_events, mut form) = (accepts_events(request.headers()), AnswerForm::of(&request));
    // A stream of events begins at once.
    let wait = headers::wait_preference(request.headers()).filter(|_| !wants_events);
    let submitted = if names_address {
        match far::submit(&request, payload, &api, &dataset).await? {
            FarSubmitted::One(submitted) => *submitted,
            FarSubmitted::Many(submitted) => {
                return bulk::answer(&api, submitted, wait, wants_events, &form.prefix).await;
            }
        }
    } else {
        let requester = Requester::of(&request, &api)?;
        let parsed = parse_files(&request, payload, &api, BULK_FILES_MAX, &[]).await?;
        match bulk::sort(&api, parsed).await? {
            Received::One(parsed) => submit_one(&api, &dataset, *parsed, requester).await?,
            Received::Many(files) => {
                let submitted = bulk::submit(&api, &dataset, *files, requester).await?;
                return bulk::answer(&api, submitted, wait, wants_events, &form.prefix).await;
            }
        }
    };
    fault!("answer.before", Problem::stopping());

    let is_inline = dataset.run == Run::Inline;
    let inline = is_inline.then_some(WAIT_SECONDS_MAX);
    let mut response = match wait.or(inline).filter(|seconds| *seconds > 0) {
        _ if wants_events => with_events(&api, &dataset, &submitted, form).await?,
        None => accepted(&dataset, &submitted, &form)?,
        Some(seconds) => {
            let at_most = Duration::from_secs(seconds);
            let id = submitted.job.id;
            // Who asks for a wait waits for the end of a large file, too.
            let is_short = is_inline && wait.is_none();
            let is_decided =
                |job: &Job| job.status.is_terminal() || (is_short && inline::is_decided(job));
            let job = wait_for(&api, id, at_most, is_decided).await?;
            if !job.status.is_terminal() || (is_short && inline::is_large(&job)) {
                accepted(&dataset, &Submitted { job, ..submitted }, &form)?
            } else if is_inline && !form.is_line {
                inline::results(&api, &job, &form.prefix).await?
            } else {
                form.look_up(&api, &job).await?;
                answer(&job, &KnownTags::default(), &form)?
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
pub(in crate::http) async fn submit(
    request: &HttpRequest,
    payload: web::Payload,
    api: &Api,
    dataset: &Arc<Dataset>,
    adjust: impl FnOnce(&mut Options),
) -> Result<Submitted, Problem> {
    let requester = Requester::of(request, api)?;
    let mut parsed = parse(request, payload, api).await?;
    adjust(&mut parsed.options);
    submit_one(api, dataset, parsed, requester).await
}

pub(super) async fn submit_one(
    api: &Api,
    dataset: &Arc<Dataset>,
    parsed: ParsedUpload,
    requester: Requester,
) -> Result<Submitted, Problem> {
    far::refuse_option(&parsed.options)?;
    let Requester { idempotency_key, created_by, trace } = requester;
    let request = parsed.into_request(Arc::clone(dataset));
    let request = ImportRequest { idempotency_key, created_by, trace, ..request };
    Ok(api.jobs.submit_upload(request).await?)
}

/// 202: the job is stored and will run, whatever happens to this server.
fn accepted(
    dataset: &Dataset,
    submitted: &Submitted,
    form: &AnswerForm,
) -> Result<HttpResponse, Problem> {
    let Submitted { job, replayed } = submitted;
    let noun = singular(&dataset.title);
    let message = if *replayed {
        format!("{noun} import was accepted before: job {} is {}", job.id, job.status)
    } else {
        format!("{noun} import started in background")
    };
    let status = replayed.then(|| job.status.as_str());
    let warnings = job.warnings.of_file().iter().map(WarningView::of).collect();
    let started = JobAccepted {
        job_id: job.id,
        status_url: status_url(job.id, &form.prefix),
        status,
        warnings,
    };
    let body = if form.is_line {
        job_line(job, &form.prefix).into_bytes()
    } else {
        envelope::body(Some(&message), &started)?
    };
    let mut response: HttpResponseBuilder = HttpResponse::build(StatusCode::ACCEPTED);
    response.insert_header((LOCATION, started.status_url));
    if !job.status.is_terminal() {
        response.insert_header((RETRY_AFTER, "1"));
    }
    for header in job_headers(job) {
        response.insert_header(header);
    }
    Ok(response.content_type(form.media_type()).body(body))
}

/// 200 with everything that happens to the job.
async fn with_events(
    api: &Api,
    dataset: &Dataset,
    submitted: &Submitted,
    form: AnswerForm,
) -> Result<HttpResponse, Problem> {
    let job = &submitted.job;
    let Ok(subscription) = api.jobs.subscribe(job.id, 0, job.options.rows).await else {
        // The job is stored: that it cannot be followed at the moment is no refusal.
        return accepted(dataset, submitted, &form);
    };
    let location = status_url(job.id, &form.prefix).parse();
    let mut response = events::answer(subscription, events::ApiEvents { prefix: form.prefix });
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    response.headers_mut().insert(X_JOB_ID, job.id.into());
    Ok(response)
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
            create_table: false,
            key: vec![],
            version: None,
            absent: None,
            run: Run::Background,
            running_max: 1,
            columns: vec![],
            histories: vec![],
        };
        let mut submitted =
            Submitted { job: crate::domain::job_view::tests::job(), replayed: false };
        let response = accepted(&dataset, &submitted, &AnswerForm::default()).unwrap();
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers().get(LOCATION).unwrap(), "/api/v1/import/status/123");
        assert_eq!(response.headers().get(RETRY_AFTER).unwrap(), "1");
        let body = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&body),
            "{\"success\":true,\"message\":\"Product import started in background\",\
             \"data\":{\"jobId\":123,\"statusUrl\":\"/api/v1/import/status/123\"}}\n"
        );

        submitted.replayed = true;
        submitted.job.status = crate::domain::status::JobStatus::Completed;
        let response = accepted(&dataset, &submitted, &AnswerForm::default()).unwrap();
        assert_eq!(response.headers().get(RETRY_AFTER), None);
        let body = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&body),
            "{\"success\":true,\"message\":\"Product import was accepted before: job 123 is completed\",\
             \"data\":{\"jobId\":123,\"statusUrl\":\"/api/v1/import/status/123\",\
             \"status\":\"completed\"}}\n"
        );
    }
}
