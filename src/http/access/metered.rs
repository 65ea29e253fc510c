//! Counts what each key does, refuses what is too much, and says what is left.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};

use super::rules::{About, AccessRule};
use crate::access::{
    AccessError, BYTES_WINDOW, LimitKind, LimitReached, REQUEST_WINDOW, RequestsLeft, UploadPlace,
};
use crate::domain::access::{AccessKey, Scope};
use crate::domain::error_code::ErrorCode;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::jobs::JobsError;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The last parts of calls that make a job of a file that is here already.
const REPEATS: [&str; 3] = ["retry", "rollback", "confirm"];

/// What a call takes of a key's limits, beside one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// A place among the uploads, for a file of which nothing is kept.
    Look,
    /// A place, bytes and a job.
    Upload,
    /// A job.
    Job,
}

/// What a request that was let in took, for as long as it runs.
#[derive(Debug, Default)]
pub(super) struct Metered {
    left: Option<RequestsLeft>,
    _place: Option<UploadPlace>,
}

/// Counts a request of a key.
pub(super) fn count(key: &AccessKey, api: &Api) -> Result<Option<RequestsLeft>, Problem> {
    api.meters.request(key.id).map_err(|limit| refused(&limit))
}

/// Takes of the limits of a key what its call needs.
pub(super) async fn take(
    request: &ServiceRequest,
    rule: Option<&AccessRule>,
    left: Option<RequestsLeft>,
    key: &AccessKey,
    api: &Api,
) -> Result<Metered, Problem> {
    let takes = rule.map_or(Takes::Nothing, takes);
    let place = match takes {
        Takes::Look | Takes::Upload => Some(api.meters.upload(key.id)),
        Takes::Nothing | Takes::Job => None,
    };
    let place = place.transpose().map_err(|limit| refused(&limit))?;
    if matches!(takes, Takes::Upload | Takes::Job) {
        let length = request.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
        let announced = length.and_then(|text| text.parse().ok()).unwrap_or(1);
        let announced = if takes == Takes::Upload { announced } else { 0 };
        let checked = api.access.check_job(key, announced, api.meters.limits()).await;
        checked.map_err(|fault| match fault {
            AccessError::Limit(limit) => refused(&limit),
            AccessError::Store(fault) => JobsError::from(fault).into(),
            fault => Problem::because(ErrorCode::Internal, fault),
        })?;
    }
    Ok(Metered { left, _place: place })
}

fn takes(rule: &AccessRule) -> Takes {
    let last = rule.path.rsplit('/').next().unwrap_or_default();
    let is_import = rule.method == "POST" && rule.scope == Some(Scope::Import);
    match rule.about {
        About::Dataset | About::Fixed(_) if is_import && last == "preview" => Takes::Look,
        About::Dataset | About::Fixed(_) if is_import => Takes::Upload,
        About::Job | About::Bulk if is_import && REPEATS.contains(&last) => Takes::Job,
        _ => Takes::Nothing,
    }
}

fn refused(limit: &LimitReached) -> Problem {
    let seconds = limit.retry_after.as_secs().max(1);
    let (most, day) = (limit.most, BYTES_WINDOW.as_secs());
    let problem = Problem::new(ErrorCode::LimitReached, limit.to_string())
        .with_member("limit", limit.kind.as_str())
        .with_header(RETRY_AFTER, HeaderValue::from(seconds));
    let headers = match limit.kind {
        LimitKind::Requests => of_requests(most, 0, seconds),
        LimitKind::Bytes => [
            (RATE_LIMIT_POLICY, format!("\"bytes\";q={most};qu=\"content-bytes\";w={day}")),
            (RATE_LIMIT, format!("\"bytes\";r=0;t={seconds}")),
        ],
        LimitKind::Uploads => [
            (RATE_LIMIT_POLICY, format!("\"uploads\";q={most};qu=\"concurrent-requests\"")),
            (RATE_LIMIT, format!("\"uploads\";r=0;t={seconds}")),
        ],
        // The draft has no unit for jobs.
        LimitKind::Jobs => return problem,
    };
    values(headers).fold(problem, |problem, (name, value)| problem.with_header(name, value))
}

/// What is left, as revision 10 of draft-ietf-httpapi-ratelimit-headers writes it.
fn of_requests(most: u64, left: u32, seconds: u64) -> [(HeaderName, String); 2] {
    [
        (RATE_LIMIT_POLICY, format!("\"requests\";q={most};w={}", REQUEST_WINDOW.as_secs())),
        (RATE_LIMIT, format!("\"requests\";r={left};t={seconds}")),
    ]
}

fn values(headers: [(HeaderName, String); 2]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    headers.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(&text).ok()?)))
}

impl Metered {
    /// Says in an answer what is left.
    pub(super) fn mark(&self, answer: &mut HeaderMap) {
        let Some(left) = self.left else { return };
        for (name, value) in values(of_requests(left.most.into(), left.left, left.reset.as_secs()))
        {
            answer.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::access::rules::ACCESS_RULES;

    #[test]
    fn it_is_decided_of_each_call_what_it_takes() {
        let of = |wanted| {
            let rules = ACCESS_RULES.iter().filter(|rule| takes(rule) == wanted);
            rules.map(|rule| rule.path).collect::<Vec<_>>()
        };
        assert_eq!(of(Takes::Look), ["/api/v1/import/{dataset}/preview"]);
        assert_eq!(
            of(Takes::Upload),
            [
                "/api/v1/import/{dataset}",
                "/api/erp/products/import/stream",
                "/api/upload-csv",
                "/file",
                "/api/dropship/bulk-import",
                "/api/dropship/import",
            ]
        );
        let repeats = of(Takes::Job);
        assert!(repeats.len() == 4 && repeats.contains(&"/api/v1/import/jobs/{id}/confirm"));
    }
}
