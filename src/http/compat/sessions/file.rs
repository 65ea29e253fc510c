//! `POST /file`: starts the import of a far file under the name of a session.

use std::sync::Arc;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::stream::{session_id, used};
use crate::dataset::model::Dataset;
use crate::domain::download::SourceUrl;
use crate::domain::error_code::ErrorCode;
use crate::domain::job_view::status_url;
use crate::domain::options::Options;
use crate::domain::row_error::shown;
use crate::domain::session_id::SessionId;
use crate::http::api::Api;
use crate::http::envelope;
use crate::http::path_prefix;
use crate::http::problem::Problem;
use crate::http::trace;
use crate::http::upload;
use crate::jobs::{FarRequest, JobsError};
use crate::reader;

/// Bytes of the body at most.
const BODY_BYTES_MAX: usize = 256 << 10;

/// The word for a meet definition list, and the dataset that it goes into.
const DEFINITION: (&str, &str) = ("DEFINITION", "swim_events");

const SHAPE: &str = "write it like {\"url\": \"https://example.com/file.dsv\", \
                     \"file_extension\": \"DSV\", \"file_type\": \"DEFINITION\", \
                     \"meeting\": \"meeting-123\", \"session_id\": \"…\"}";

/// What is asked for. Members that are not known here are ignored: older servers took others.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(in crate::http) struct FileRequest {
    url: Option<String>,
    file_extension: Option<String>,
    file_type: Option<String>,
    meeting: Option<String>,
    exclude_events: Option<Vec<u32>>,
    include_events: Option<Vec<u32>>,
    session_id: Option<String>,
}

/// The job of a session, and where it is followed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct Started {
    job_id: i64,
    status_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_url: Option<String>,
}

/// Starts an import: 202 with the job.
pub(in crate::http::compat) async fn import(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    if api.stopping.is_cancelled() {
        return Err(Problem::stopping());
    }
    let asked = FileRequest::parse(&read(payload).await?)?;
    let dataset = asked.dataset(&api)?;
    let file_name = asked.file_name()?;
    let options = asked.options()?;
    let Some(url) = asked.url.filter(|url| !url.trim().is_empty()) else {
        return Err(Problem::malformed(format!("the body has no `url`; {SHAPE}")));
    };
    let session = asked.session_id.as_deref().map(|name| session_id(&request, name)).transpose()?;
    if let Some(session) = &session
        && api.jobs.of_session(session).await?.is_some()
    {
        return Err(used(session));
    }
    let far = FarRequest {
        dataset,
        url: SourceUrl::new(url),
        file_name,
        options,
        idempotency_key: session.as_ref().map(SessionId::key),
        created_by: upload::client(&request)?,
        trace: trace::of(&request),
    };
    // Another request may have taken the session in the meantime.
    let submitted = match (api.jobs.submit_far(far).await, &session) {
        (Err(JobsError::IdempotencyMismatch { .. }), Some(session)) => return Err(used(session)),
        (Ok(submitted), Some(session)) if submitted.replayed => return Err(used(session)),
        (submitted, _) => submitted?,
    };
    let prefix = path_prefix::of(&request);
    let stream = |session: &SessionId| prefix.to(format_args!("/stream/{}", session.as_str()));
    let started = Started {
        job_id: submitted.job.id,
        status_url: status_url(submitted.job.id, &prefix),
        stream_url: session.as_ref().map(stream),
        session_id: asked.session_id,
    };
    let body = envelope::body(Some("Import started"), &started)?;
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, started.status_url))
        .content_type("application/json")
        .body(body))
}

async fn read(payload: web::Payload) -> Result<web::Bytes, Problem> {
    let body = payload.to_bytes_limited(BODY_BYTES_MAX).await.map_err(|_| {
        Problem::malformed(format!("the body is larger than {BODY_BYTES_MAX} bytes"))
    })?;
    body.map_err(|_| Problem::malformed("the body breaks off"))
}

impl FileRequest {
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(body).map_err(|fault| {
            Problem::malformed(format!("the body cannot be read: {fault}; {SHAPE}"))
        })
    }

    /// The dataset that the type of the file names.
    fn dataset(&self, api: &Api) -> Result<Arc<Dataset>, Problem> {
        let Some(word) = self.file_type.as_deref().map(str::trim) else {
            let detail = format!("the body has no `file_type`; {SHAPE}");
            return Err(Problem::malformed(detail));
        };
        let (definition, swim_events) = DEFINITION;
        if word.eq_ignore_ascii_case(definition) {
            return api.dataset(swim_events);
        }
        api.dataset(&word.to_lowercase())
    }

    /// A name that declares the format, where the address does not: the content must be of it.
    fn file_name(&self) -> Result<Option<String>, Problem> {
        let Some(extension) = self.file_extension.as_deref().map(str::trim) else {
            return Ok(None);
        };
        let ending = format!(".{}", extension.trim_start_matches('.').to_lowercase());
        let Some(format) = reader::format_by_name(&ending) else {
            let known: Vec<_> = reader::endings().collect();
            let detail = format!(
                "`file_extension` is `{}`, which is not read; the server reads {}",
                shown(extension),
                known.join(", ")
            );
            return Err(Problem::new(ErrorCode::UnsupportedFormat, detail));
        };
        let path = self.url.as_deref().unwrap_or_default();
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let (_, name) = path.rsplit_once('/').unwrap_or_default();
        if reader::format_by_name(name) == Some(format) {
            return Ok(None);
        }
        let stem = if name.is_empty() { "file" } else { name };
        Ok(Some(format!("{stem}{ending}")))
    }

    fn options(&self) -> Result<Options, Problem> {
        let numbers = |events: &Option<Vec<u32>>| {
            let events: Vec<_> = events.iter().flatten().map(u32::to_string).collect();
            events.join(",")
        };
        let (exclude, include) = (numbers(&self.exclude_events), numbers(&self.include_events));
        let meeting = self.meeting.as_deref().filter(|meeting| !meeting.trim().is_empty());
        let meeting = meeting.map(|meeting| ("meeting", meeting));
        let events = [("excludeEvents", exclude.as_str()), ("includeEvents", include.as_str())];
        Ok(Options::parse(events.into_iter().chain(meeting))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> FileRequest {
        FileRequest::parse(body.as_bytes()).unwrap()
    }

    #[test]
    fn the_extension_declares_the_format_where_the_address_does_not() {
        let name = |url: &str, extension: &str| {
            let body = format!(r#"{{"url": "{url}", "file_extension": "{extension}"}}"#);
            asked(&body).file_name().map_err(|problem| problem.code().as_str())
        };
        assert_eq!(name("https://example.com/file.dsv", "DSV"), Ok(None));
        assert_eq!(name("https://example.com/a.DSV7?x=1", "dsv"), Ok(None));
        assert_eq!(name("https://a.example/get?id=5", ".DSV"), Ok(Some("get.dsv".to_owned())));
        assert_eq!(name("https://a.example/", "csv"), Ok(Some("file.csv".to_owned())));
        assert_eq!(name("https://a.example/x.pdf", "pdf"), Err("unsupported_format"));
    }

    #[test]
    fn lists_of_events_are_optional_and_unknown_members_are_ignored() {
        let options = asked(
            r#"{"url": "u", "meeting": "m", "exclude_events": [1, 2], "include_events": [],
                "session_id": null, "priority": 7}"#,
        )
        .options()
        .unwrap();
        assert_eq!(options.meeting.as_deref(), Some("m"));
        assert_eq!((options.exclude_events, options.include_events), (vec![1, 2], vec![]));
        assert!(FileRequest::parse(br#"{"exclude_events": "all"}"#).is_err());
        assert!(FileRequest::parse(b"url=x").is_err());
    }
}
