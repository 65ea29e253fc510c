//! `GET /api/v1/import/status/{jobId}`: one job, with conditional requests and long-polling.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderValue, RETRY_AFTER, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use chrono::{TimeDelta, Utc};

use super::accept::accepts_text;
use super::api::Api;
use super::envelope;
use super::etag::{KnownTags, weak_tag};
use super::path_prefix;
use super::problem::Problem;
use super::query::Query;
use super::text_line::{TEXT, job_headers, job_line};
use crate::domain::difference::Difference;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::job_view::JobView;
use crate::domain::limits::{SHOWN_DIFFERENCES_MAX, WAIT_SECONDS_MAX};
use crate::domain::path_prefix::PathPrefix;
use crate::telemetry;

/// The status of a job.
pub(super) async fn status(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let query = Query::read(&request, &["wait"])?;
    let wait = query.number("wait", 0..=WAIT_SECONDS_MAX)?.unwrap_or(0);
    let (seen, mut form) = (KnownTags::of(&request), AnswerForm::of(&request));
    let mut job = api.jobs.get(id).await?;
    form.look_up(&api, &job).await?;
    if wait > 0 {
        // The place in the queue is that of the beginning: only the job itself is waited for.
        let is_news = |job: &Job| is_news(job, &seen, &form);
        job = wait_for(&api, id, Duration::from_secs(wait), is_news).await?;
        form.look_up(&api, &job).await?;
    }
    answer(&job, &seen, &form)
}

/// How a client wants to read about a job.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerForm {
    /// One line for a shell instead of JSON.
    pub(super) is_line: bool,
    /// The path below which the client sees the server.
    pub(super) prefix: PathPrefix,
    /// The place of the job in the queue, if it is known.
    pub(super) position: Option<u64>,
    /// The first differences of a dry run that has ended.
    pub(super) differences: Vec<Difference>,
}

impl AnswerForm {
    /// What the client asks for.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let is_line = accepts_text(request.headers());
        Self { is_line, prefix: path_prefix::of(request), ..Self::default() }
    }

    /// Looks up what the answer about the job shows besides the job itself.
    pub(super) async fn look_up(&mut self, api: &Api, job: &Job) -> Result<(), Problem> {
        self.position = api.jobs.queue_position(job).await;
        if job.options.dry_run && job.status.is_terminal() && !self.is_line {
            self.differences = api.jobs.differences(job, 0, SHOWN_DIFFERENCES_MAX).await?;
        }
        Ok(())
    }

    /// The media type.
    pub(super) fn media_type(&self) -> &'static str {
        if self.is_line { TEXT } else { "application/json" }
    }
}

/// With a tag: the job differs from it. Without one: the job has ended, after which it never changes.
fn is_news(job: &Job, seen: &KnownTags, form: &AnswerForm) -> bool {
    job.status.is_terminal()
        || (seen.any() && status_body(job, form).is_ok_and(|(_, tag)| !seen.contains(&tag)))
}

/// The job as soon as `until` holds, or its state after `at_most`, or when the server stops.
pub(super) async fn wait_for(
    api: &Api,
    id: i64,
    at_most: Duration,
    until: impl Fn(&Job) -> bool + Sync,
) -> Result<Job, Problem> {
    let job = tokio::select! {
        job = api.jobs.wait(id, at_most, &until) => job,
        () = api.stopping.cancelled() => api.jobs.get(id).await,
    };
    Ok(job?)
}

/// The body of a status answer and its entity tag.
fn status_body(job: &Job, form: &AnswerForm) -> Result<(Vec<u8>, String), Problem> {
    let body = if form.is_line {
        job_line(job, &form.prefix).into_bytes()
    } else {
        let view = JobView::in_queue(job, &form.prefix, form.position);
        envelope::body(None, &view.with_findings(&form.differences, job))?
    };
    let tag = weak_tag(&body);
    Ok((body, tag))
}

/// 200 with the job, or 304 when the client knows its tag.
pub(super) fn answer(
    job: &Job,
    seen: &KnownTags,
    form: &AnswerForm,
) -> Result<HttpResponse, Problem> {
    let (body, tag) = status_body(job, form)?;
    if seen.contains(&tag) {
        return Ok(headers(StatusCode::NOT_MODIFIED, job, &tag).finish());
    }
    Ok(headers(StatusCode::OK, job, &tag).content_type(form.media_type()).body(body))
}

fn headers(status: StatusCode, job: &Job, tag: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    response.insert_header((VARY, "Accept"));
    for header in job_headers(job) {
        response.insert_header(header);
    }
    if !job.status.is_terminal() {
        let seconds = retry_seconds(Utc::now() - job.created_at);
        response.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
    }
    response
}

/// Seconds until the next poll: the older a job, the longer it takes. Below 5, after which many
/// programs close an idle connection: a request at that moment is lost.
fn retry_seconds(age: TimeDelta) -> u16 {
    match age.num_seconds() {
        ..10 => 1,
        10..60 => 2,
        _ => 4,
    }
}

/// Reads the number of a job. Another text names no job.
pub(super) fn job_id(text: &str) -> Result<i64, Problem> {
    let id = text.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        let text = crate::domain::row_error::shown(text);
        Problem::new(ErrorCode::JobNotFound, format!("there is no job `{text}`"))
    })?;
    telemetry::request_is_about(id);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job_view::tests::job;
    use crate::domain::status::JobStatus;

    fn none() -> AnswerForm {
        AnswerForm::default()
    }

    fn seen(tag: &str) -> KnownTags {
        let request = actix_web::test::TestRequest::default()
            .insert_header(("If-None-Match", tag))
            .to_http_request();
        KnownTags::of(&request)
    }

    #[test]
    fn a_known_tag_answers_304_with_the_tag_and_the_time_to_ask_again() {
        let job = job();
        let first = answer(&job, &KnownTags::default(), &none()).unwrap();
        assert_eq!(first.status(), 200);
        let tag = first.headers().get(ETAG).unwrap().to_str().unwrap().to_owned();
        let second = answer(&job, &seen(&tag), &none()).unwrap();
        assert_eq!(second.status(), 304);
        assert_eq!(second.headers().get(ETAG).unwrap().to_str().unwrap(), tag);
        assert!(second.headers().contains_key(RETRY_AFTER));
    }

    #[test]
    fn a_long_poll_ends_when_the_tag_differs_or_the_job_is_at_its_end() {
        let mut job = job();
        let (_, tag) = status_body(&job, &none()).unwrap();
        assert!(!is_news(&job, &seen(&tag), &none()));
        assert!(!is_news(&job, &KnownTags::default(), &none()));
        assert!(is_news(&job, &seen("\"other\""), &none()));
        job.status = JobStatus::Completed;
        assert!(is_news(&job, &KnownTags::default(), &none()));
        assert!(
            !answer(&job, &KnownTags::default(), &none())
                .unwrap()
                .headers()
                .contains_key(RETRY_AFTER)
        );
    }

    #[test]
    fn the_time_to_ask_again_grows() {
        let seconds = |age| retry_seconds(TimeDelta::seconds(age));
        assert_eq!([seconds(-5), seconds(9), seconds(10), seconds(600)], [1, 1, 2, 4]);
    }

    #[test]
    fn what_is_no_number_is_no_job() {
        assert_eq!(job_id("17").unwrap(), 17);
        for text in ["", "x", "0", "-1", "1.0", "99999999999999999999"] {
            assert!(job_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_tag_changes_with_the_job_only() {
        let (job, mut later) = (job(), job());
        let tag = |job: &Job| status_body(job, &none()).unwrap().1;
        assert_eq!(tag(&job), tag(&later));
        later.counts.created += 1;
        assert_ne!(tag(&job), tag(&later));
    }
}
