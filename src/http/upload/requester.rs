//! Who asks for a new job, and under which key; and how an answer says that the key was used before.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue};

use super::headers;
use crate::domain::trace::TraceContext;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::http::trace;

pub(in crate::http) const IDEMPOTENCY_REPLAYED: HeaderName =
    HeaderName::from_static("idempotency-replayed");

pub(in crate::http) fn true_value() -> HeaderValue {
    HeaderValue::from_static("true")
}

/// Who asks for a new job.
#[derive(Debug)]
pub(in crate::http) struct Requester {
    /// The client's key for this request.
    pub(in crate::http) idempotency_key: Option<String>,
    /// The name that the client gave, else its address.
    pub(in crate::http) created_by: Option<String>,
    /// The request, in its trace.
    pub(in crate::http) trace: Option<TraceContext>,
}

impl Requester {
    /// What the headers say. Refuses those who come while the server stops.
    pub(in crate::http) fn of(request: &HttpRequest, api: &Api) -> Result<Self, Problem> {
        let idempotency_key = headers::idempotency_key(request)?;
        if api.stopping.is_cancelled() {
            return Err(Problem::stopping());
        }
        let (created_by, trace) = (headers::client(request)?, trace::of(request));
        Ok(Self { idempotency_key, created_by, trace })
    }
}
