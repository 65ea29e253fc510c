//! The commands for a job: pause, resume, cancel, force, another priority, retry, rollback,
//! confirm and delete.
//! Their options stand in the query or in a JSON body, never in both.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, Route, web};
use futures_util::StreamExt;
use serde_json::{Map, Value};

use super::api::Api;
use super::envelope;
use super::path_prefix;
use super::problem::Problem;
use super::query;
use super::status::job_id;
use super::upload::{IDEMPOTENCY_REPLAYED, Requester, true_value};
use crate::domain::job_view::{JobView, status_url};
use crate::domain::limits::CONTROL_BODY_BYTES_MAX;
use crate::domain::options::Options;
use crate::domain::path_prefix::PathPrefix;
use crate::domain::selection::RetryRows;
use crate::jobs::{Command, Confirm, Retry, Submitted};

/// `POST …/jobs/{id}/{command}`: 200 with the job, or 409 with the legal actions.
pub(super) fn apply(command: Command) -> Route {
    let asked = move |request, id, payload, api| applied(request, id, payload, api, command);
    web::to(asked)
}

async fn applied(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
    command: Command,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    CommandParameters::read(&request, payload, &[]).await?;
    let job = api.jobs.apply(id, command).await?;
    envelope::ok(&JobView::of(&job, &path_prefix::of(&request)))
}

/// `POST …/jobs/{id}/priority` with `{"priority": 5}`.
pub(super) async fn priority(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let asked = CommandParameters::read(&request, payload, &["priority"]).await?;
    let takes = "a whole number from -100 to 100";
    let Some(text) = asked.get("priority") else {
        return Err(Problem::missing_parameter("priority", takes));
    };
    let priority = text.parse().ok().filter(|priority| (-100..=100).contains(priority));
    let priority = priority.ok_or_else(|| Problem::invalid_parameter("priority", text, takes))?;
    let job = api.jobs.set_priority(id, priority).await?;
    envelope::ok(&JobView::of(&job, &path_prefix::of(&request)))
}

/// `POST …/jobs/{id}/retry` with `{"rows": "failed"}`: 200 with the child.
pub(super) async fn retry(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let asked = CommandParameters::read(&request, payload, &["rows"]).await?;
    let rows = asked.get("rows").map_or(Ok(RetryRows::All), rows_word)?;
    let Requester { created_by, idempotency_key, trace } = Requester::of(&request, &api)?;
    let prefix = path_prefix::of(&request);
    let asked = Retry { rows, created_by, trace, idempotency_key };
    child(&api.jobs.retry(id, asked).await?, &prefix)
}

/// `POST …/jobs/{id}/rollback`: 200 with the job that takes the other one back, or 409 or 410 with
/// why that cannot be.
pub(super) async fn rollback(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    CommandParameters::read(&request, payload, &[]).await?;
    let Requester { created_by, idempotency_key, trace } = Requester::of(&request, &api)?;
    let submitted = api.jobs.rollback(id, created_by, idempotency_key, trace).await?;
    child(&submitted, &path_prefix::of(&request))
}

/// `POST …/jobs/{id}/confirm` with `{"expectUnchanged": true, "replace": {…}}`: 200 with the job that imports the file of
/// the dry run.
pub(super) async fn confirm(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    let known = ["expectUnchanged", "replace"];
    let asked = CommandParameters::read(&request, payload, &known).await?;
    let expect_unchanged = match asked.get("expectUnchanged") {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(Problem::invalid_parameter("expectUnchanged", other, "true or false"));
        }
    };
    let replace = asked.get("replace").map(Options::parse_replace).transpose();
    let replace = replace.map_err(|fault| Problem::from(vec![fault]))?.unwrap_or_default();
    let Requester { created_by, idempotency_key, trace } = Requester::of(&request, &api)?;
    let asked = Confirm { expect_unchanged, replace, created_by, trace, idempotency_key };
    child(&api.jobs.confirm(id, asked).await?, &path_prefix::of(&request))
}

/// 200 with the job that was made of another one, and the way to its status.
fn child(submitted: &Submitted, prefix: &PathPrefix) -> Result<HttpResponse, Problem> {
    let response = envelope::ok(&JobView::of(&submitted.job, prefix))?;
    Ok(made(response, &status_url(submitted.job.id, prefix), submitted.replayed))
}

/// The answer about something that a command made, with the way to it.
pub(super) fn made(mut response: HttpResponse, url: &str, is_replayed: bool) -> HttpResponse {
    if let Ok(location) = url.parse() {
        response.headers_mut().insert(LOCATION, location);
    }
    if is_replayed {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, true_value());
    }
    response
}

/// Which rows a retry takes.
pub(super) fn rows_word(word: &str) -> Result<RetryRows, Problem> {
    RetryRows::parse(word).ok_or_else(|| {
        let words: Vec<_> = RetryRows::ALL.iter().map(|rows| rows.as_str()).collect();
        Problem::invalid_parameter("rows", word, &words.join(", "))
    })
}

/// `DELETE …/jobs/{id}`: 200 with the job as it was.
pub(super) async fn delete(
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let id = job_id(&id)?;
    CommandParameters::read(&request, payload, &[]).await?;
    let job = api.jobs.delete(id).await?;
    envelope::ok_with(
        &format!("Job {id} was deleted"),
        &JobView::of(&job, &path_prefix::of(&request)),
    )
}

/// What is asked for, name by name.
#[derive(Debug)]
pub(super) struct CommandParameters(Vec<(String, String)>);

impl CommandParameters {
    /// Reads query and body of a call that takes `known`.
    pub(super) async fn read(
        request: &HttpRequest,
        payload: web::Payload,
        known: &[&str],
    ) -> Result<Self, Problem> {
        let mut pairs = query::pairs(request)?;
        pairs.extend(members(&whole(payload, CONTROL_BODY_BYTES_MAX).await?)?);
        Self::checked(pairs, known)
    }

    fn checked(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        query::check(&pairs, known)?;
        Ok(Self(pairs))
    }

    /// The value of `name`, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// The body of a call that takes a few words, of at most `most` bytes.
pub(super) async fn whole(mut payload: web::Payload, most: usize) -> Result<Vec<u8>, Problem> {
    let mut body = Vec::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| Problem::malformed("the body breaks off"))?;
        if body.len() + part.len() > most {
            return Err(Problem::malformed(format!("the body is larger than {most} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// The members of a JSON object, each value as text. Without a body there are none.
fn members(body: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|_| Problem::malformed("the body is no JSON object; send one, or nothing"))?;
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> Result<CommandParameters, String> {
        members(body.as_bytes())
            .and_then(|pairs| CommandParameters::checked(pairs, &["rows"]))
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_body_is_an_object_or_nothing() {
        for body in ["", " \n", "{}"] {
            assert_eq!(asked(body).unwrap().get("rows"), None, "{body:?}");
        }
        assert_eq!(asked(r#"{"rows":"failed"}"#).unwrap().get("rows"), Some("failed"));
        assert_eq!(asked(r#"{"rows":5}"#).unwrap().get("rows"), Some("5"));
        for body in ["[]", "rows=failed", "{", "null", "\u{0}"] {
            assert!(asked(body).unwrap_err().starts_with("malformed_request"), "{body:?}");
        }
    }

    #[test]
    fn what_a_call_does_not_know_is_refused_by_name() {
        assert_eq!(
            asked(r#"{"row":"failed"}"#).unwrap_err(),
            "unknown_option: There is no parameter `row`; this call takes rows."
        );
        assert_eq!(
            rows_word("some").unwrap_err().to_string(),
            "invalid_option: `rows` does not take `some`; it takes all, failed, unprocessed."
        );
    }
}
