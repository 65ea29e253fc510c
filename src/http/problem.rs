//! What a client sees when a request is refused: `application/problem+json` (RFC 9457) with a code
//! of the one table. The only error type of this layer.

use std::error::Error;
use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};

use super::text_line::{TEXT, refusal_line};
use crate::after::webhooks::WebhookError;
use crate::dataset::HeaderFault;
use crate::domain::bulk::RefusedFile;
use crate::domain::error_chain::error_chain;
use crate::domain::error_code::ErrorCode;
use crate::domain::job_view::actions;
use crate::domain::options::OptionFault;
use crate::domain::path_prefix::PathPrefix;
use crate::domain::sentence::sentence;
use crate::files::FileError;
use crate::jobs::{JobsError, VersionFault};
use crate::reader::{HeaderPlace, ReadError};

/// The media type of every refusal.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

/// The address of the page about error codes, with one anchor a code.
pub(super) const ERROR_DOCS: &str = "/docs/errors";

/// Seconds after which a server that cannot answer now may be asked again. Less than the shortest time
/// after which anyone closes an idle connection: a request at that moment is lost.
const RETRY_SECONDS: u16 = 4;

/// One of several faults of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ProblemPart {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<String>,
}

/// A refused request.
#[derive(Debug)]
pub(super) struct Problem {
    code: ErrorCode,
    detail: String,
    faults: Vec<ProblemPart>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Boxed, so that a result that may be a problem stays small.
    members: Box<Map<String, Value>>,
    /// For the log only: the client does not see it.
    cause: Option<Box<dyn Error + Send + Sync>>,
}

/// The members of the answer, in their order.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct ProblemBody<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    success: bool,
    code: &'static str,
    errors: &'a [ProblemPart],
    #[serde(flatten)]
    members: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl ProblemPart {
    /// What is wrong with a header.
    pub(super) fn of_header(fault: &HeaderFault) -> Self {
        let message = sentence(&fault.to_string());
        Self { code: fault.code().as_str(), message, option: None }
    }

    /// That nothing says which rows are newer.
    pub(super) fn of_version(fault: &VersionFault) -> Self {
        let message = sentence(&fault.to_string());
        Self { code: fault.code().as_str(), message, option: None }
    }
}

impl Problem {
    /// A refusal because of a header: every fault, and where the header was found if it may stand
    /// somewhere else.
    fn of_header(faults: &[HeaderFault], place: Option<&HeaderPlace>) -> Self {
        let code = faults.first().map_or(ErrorCode::NoHeader, HeaderFault::code);
        let parts: Vec<_> = faults.iter().map(ProblemPart::of_header).collect();
        let mut texts: Vec<_> = parts.iter().map(|part| part.message.clone()).collect();
        let is_lacking = |fault: &HeaderFault| {
            matches!(fault.code(), ErrorCode::NoHeader | ErrorCode::MissingColumn)
        };
        if let Some(place) = place.filter(|_| faults.iter().any(is_lacking)) {
            texts.push(sentence(&place.to_string()));
        }
        let mut problem = Self::new(code, texts.join(" "));
        problem.faults = parts;
        problem
    }

    /// A refusal of an upload of which every file was refused.
    fn of_files(files: Vec<RefusedFile>) -> Self {
        let listed = serde_json::to_value(&files).unwrap_or_default();
        let fault = JobsError::AllRefused(files);
        Self::new(fault.code(), fault.to_string()).with_member("files", listed)
    }

    /// A refusal with its sentence; the client sees both.
    pub(super) fn new(code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self {
            code,
            detail: sentence(detail.as_ref()),
            faults: Vec::new(),
            headers: Vec::new(),
            members: Box::default(),
            cause: None,
        }
    }

    /// A refusal because of `fault`. Faults of the server keep their text for the log.
    pub(super) fn because(code: ErrorCode, fault: impl Error + Send + Sync + 'static) -> Self {
        if code.status() < 500 {
            return Self::new(code, fault.to_string());
        }
        let mut problem = Self::new(code, code.remedy());
        problem.cause = Some(Box::new(fault));
        if matches!(
            code,
            ErrorCode::DatabaseUnavailable
                | ErrorCode::StorageUnavailable
                | ErrorCode::ShuttingDown
        ) {
            problem.headers.push((header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS)));
        }
        problem
    }

    /// A body or header that cannot be read.
    pub(super) fn malformed(detail: impl AsRef<str>) -> Self {
        Self::new(ErrorCode::MalformedRequest, detail)
    }

    /// The server is on its way out.
    pub(super) fn stopping() -> Self {
        let problem = Self::new(ErrorCode::ShuttingDown, "the server takes no new work");
        problem.with_header(header::RETRY_AFTER, HeaderValue::from(RETRY_SECONDS))
    }

    /// A query parameter that a call does not know.
    pub(super) fn unknown_parameter(name: &str, known: &[&str]) -> Self {
        let name = crate::domain::row_error::shown(name);
        let detail = if known.is_empty() {
            format!("there is no parameter `{name}`; this call takes none")
        } else {
            format!("there is no parameter `{name}`; this call takes {}", known.join(", "))
        };
        Self::new(ErrorCode::UnknownOption, &detail).with_fault(&detail, Some(&name))
    }

    /// A query parameter with a value that it does not take.
    pub(super) fn invalid_parameter(name: &str, value: &str, takes: &str) -> Self {
        let value = crate::domain::row_error::shown(value);
        let detail = format!("`{name}` does not take `{value}`; it takes {takes}");
        Self::new(ErrorCode::InvalidOption, &detail).with_fault(&detail, Some(name))
    }

    /// A parameter that a call needs and did not get.
    pub(super) fn missing_parameter(name: &str, takes: &str) -> Self {
        let detail = format!("`{name}` is missing; it takes {takes}");
        Self::new(ErrorCode::InvalidOption, &detail).with_fault(&detail, Some(name))
    }

    fn with_fault(mut self, message: &str, option: Option<&str>) -> Self {
        self.faults.push(ProblemPart {
            code: self.code.as_str(),
            message: sentence(message),
            option: option.map(str::to_owned),
        });
        self
    }

    /// Several faults of one request.
    pub(super) fn with_faults(self, messages: &[String]) -> Self {
        messages.iter().fold(self, |problem, message| problem.with_fault(message, None))
    }

    /// Says after what was found also what would be right. Faults of the server say only that.
    pub(super) fn with_remedy(mut self) -> Self {
        if self.cause.is_none() {
            self.detail = format!("{} {}", self.detail, self.code.remedy());
        }
        self
    }

    /// Adds a header to the answer.
    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The code.
    pub(super) fn code(&self) -> ErrorCode {
        self.code
    }

    /// The sentence.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds a member to the answer.
    pub(super) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// What only the log may know, with all its sources.
    pub(super) fn cause(&self) -> Option<String> {
        self.cause.as_deref().map(|cause| error_chain(cause))
    }

    /// The answer.
    pub(super) fn response(&self, request_id: Option<&str>, prefix: &PathPrefix) -> HttpResponse {
        let body = ProblemBody {
            kind: prefix.to(format_args!("{ERROR_DOCS}#{}", self.code.as_str())),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            success: false,
            code: self.code.as_str(),
            errors: &self.faults,
            members: &self.members,
            request_id,
        };
        let body = super::json::json_line(&body).unwrap_or_default();
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.content_type(PROBLEM_JSON).body(body)
    }

    /// The answer for a shell.
    pub(super) fn as_line(&self, request_id: &str, prefix: &PathPrefix) -> HttpResponse {
        let mut response = self.response(Some(request_id), prefix);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(TEXT));
        response.set_body(BoxBody::new(refusal_line(self.code.as_str(), &self.detail)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.response(None, &PathPrefix::default())
    }
}

impl From<FileError> for Problem {
    fn from(fault: FileError) -> Self {
        Self::because(fault.code(), fault).with_remedy()
    }
}

impl From<ReadError> for Problem {
    fn from(fault: ReadError) -> Self {
        Self::because(fault.code(), fault).with_remedy()
    }
}

impl From<JobsError> for Problem {
    fn from(fault: JobsError) -> Self {
        let fault = match fault {
            JobsError::File(fault) => return fault.into(),
            JobsError::Header { faults, place } => return Self::of_header(&faults, place.as_ref()),
            JobsError::AllRefused(files) => return Self::of_files(files),
            fault => fault,
        };
        let standing = fault.job().map(|job| (job.status, actions(job)));
        let problem = Self::because(fault.code(), fault);
        match standing {
            Some((status, actions)) => {
                problem.with_member("jobStatus", status.as_str()).with_member("actions", actions)
            }
            None => problem,
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(fault: WebhookError) -> Self {
        Self::because(fault.code(), fault)
    }
}

impl From<Vec<OptionFault>> for Problem {
    fn from(faults: Vec<OptionFault>) -> Self {
        let code = |fault: &OptionFault| match fault {
            OptionFault::Unknown { .. } => ErrorCode::UnknownOption,
            OptionFault::Value { .. } | OptionFault::Twice { .. } => ErrorCode::InvalidOption,
        };
        let texts: Vec<_> = faults.iter().map(|fault| sentence(&fault.to_string())).collect();
        let first = faults.first().map_or(ErrorCode::InvalidOption, code);
        let mut problem = Self::new(first, texts.join(" "));
        problem.faults = faults
            .iter()
            .zip(texts)
            .map(|(fault, message)| ProblemPart {
                code: code(fault).as_str(),
                message,
                option: Some(match fault {
                    OptionFault::Unknown { name } | OptionFault::Twice { name } => name.clone(),
                    OptionFault::Value { name, .. } => (*name).to_owned(),
                }),
            })
            .collect();
        problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::options::Options;

    fn body(problem: &Problem) -> Value {
        let response = problem.response(Some("r1"), &PathPrefix::default());
        assert_eq!(response.headers().get("content-type").unwrap(), PROBLEM_JSON);
        let bytes = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn every_fault_of_the_options_is_listed() {
        let faults = Options::parse([("mode", "merge"), ("colour", "red")]).unwrap_err();
        let response = Problem::from(faults).response(Some("r1"), &PathPrefix::default());
        let bytes = actix_web::body::MessageBody::try_into_bytes(response.into_body()).unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&bytes), @r#"{"type":"/docs/errors#invalid_option","title":"An option has a value that it does not take","status":400,"detail":"Option `mode` does not take `merge`; it takes upsert, insert, update, newer or mirror. There is no option `colour`; the options are mode, dryRun, onError, maxErrors, scope, mirrorMax, atomic, blank, nulls, duplicates, delimiter, encoding, decimal, dates, currency, sheet, headerRow, hidden, mapping, set, replace, savedMapping, saveMapping, priority, rows, undo, strict, meeting, includeEvents, excludeEvents, onlyIfChanged.","success":false,"code":"invalid_option","errors":[{"code":"invalid_option","message":"Option `mode` does not take `merge`; it takes upsert, insert, update, newer or mirror.","option":"mode"},{"code":"unknown_option","message":"There is no option `colour`; the options are mode, dryRun, onError, maxErrors, scope, mirrorMax, atomic, blank, nulls, duplicates, delimiter, encoding, decimal, dates, currency, sheet, headerRow, hidden, mapping, set, replace, savedMapping, saveMapping, priority, rows, undo, strict, meeting, includeEvents, excludeEvents, onlyIfChanged.","option":"colour"}],"requestId":"r1"}"#);
    }

    #[test]
    fn a_fault_of_the_server_shows_no_inside() {
        let inside = std::io::Error::other("disk /dev/sda1 at /srv/secret");
        let problem = Problem::because(ErrorCode::Internal, inside);
        assert!(!body(&problem).to_string().contains("secret"));
        assert_eq!(problem.cause().unwrap(), "disk /dev/sda1 at /srv/secret");
        let busy = Problem::because(ErrorCode::DatabaseUnavailable, std::io::Error::other("x"));
        assert_eq!(busy.error_response().headers().get("retry-after").unwrap(), "4");
    }
}
