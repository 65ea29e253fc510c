//! The body of a request for a webhook.

use actix_web::web;
use serde_json::{Map, Value};

use crate::after::webhooks::{NewWebhook, Webhooks};
use crate::domain::limits::CONTROL_BODY_BYTES_MAX;
use crate::domain::row_error::shown;
use crate::domain::webhook::WebhookEvent;
use crate::http::control::whole;
use crate::http::problem::Problem;

/// Members of the body.
const KNOWN: [&str; 4] = ["url", "events", "dataset", "secret"];

const SHAPE: &str =
    "write it like {\"url\": \"https://shop.example/hooks/loadbay\", \"events\": [\"job.failed\"]}";

/// What is asked for.
#[derive(Debug, PartialEq, Eq, utoipa::ToSchema)]
pub(in crate::http) struct WebhookRequest {
    url: String,
    #[schema(value_type = Option<Vec<String>>)]
    events: Vec<WebhookEvent>,
    pub(super) dataset: Option<String>,
    secret: Option<String>,
}

impl WebhookRequest {
    pub(super) async fn read(payload: web::Payload) -> Result<Self, Problem> {
        Self::parse(&whole(payload, CONTROL_BODY_BYTES_MAX).await?)
    }

    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let members: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| Problem::malformed(format!("the body is no JSON object; {SHAPE}")))?;
        if let Some(unknown) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            return Err(Problem::unknown_parameter(unknown, &KNOWN));
        }
        let text = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Problem::malformed(format!("`{name}` is no text; {SHAPE}"))),
        };
        let url = text("url")?
            .ok_or_else(|| Problem::malformed(format!("the body has no `url`; {SHAPE}")))?;
        let secret = text("secret")?;
        if secret.as_ref().is_some_and(|secret| !Webhooks::is_secret(secret)) {
            // The secret itself is not repeated.
            let takes = "whsec_ and 24 to 64 bytes in base64; leave it out to get a new one";
            return Err(Problem::invalid_parameter("secret", "…", takes));
        }
        let events = match members.get("events") {
            None | Some(Value::Null) => WebhookEvent::DEFAULT.to_vec(),
            Some(Value::Array(words)) if !words.is_empty() => {
                words.iter().map(event).collect::<Result<_, _>>()?
            }
            Some(other) => return Err(wrong_event(other)),
        };
        Ok(Self { url, events, dataset: text("dataset")?, secret })
    }

    pub(super) fn into_new(self, created_by: Option<String>) -> NewWebhook {
        let Self { url, events, dataset, secret } = self;
        NewWebhook { url, secret, events, dataset, created_by }
    }
}

fn event(word: &Value) -> Result<WebhookEvent, Problem> {
    let event = word.as_str().and_then(WebhookEvent::parse);
    event.ok_or_else(|| wrong_event(word))
}

fn wrong_event(given: &Value) -> Problem {
    let words: Vec<_> = WebhookEvent::REGISTRABLE.iter().map(|event| event.as_str()).collect();
    let given = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
    let takes = format!("a list of {}", words.join(", "));
    Problem::invalid_parameter("events", &shown(&given), &takes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_an_address_and_may_name_events() {
        let body = br#"{"url": "https://a.example/x", "events": ["job.failed"], "dataset": null}"#;
        let expected = WebhookRequest {
            url: "https://a.example/x".to_owned(),
            events: vec![WebhookEvent::JobFailed],
            dataset: None,
            secret: None,
        };
        assert_eq!(WebhookRequest::parse(body).unwrap(), expected);
        let plain = WebhookRequest::parse(br#"{"url": "https://a.example/x"}"#).unwrap();
        assert_eq!(plain.events, WebhookEvent::DEFAULT);
        for (refused, code) in [
            ("[]", "malformed_request"),
            ("{}", "malformed_request"),
            (r#"{"url": 7}"#, "malformed_request"),
            (r#"{"url": "a", "event": []}"#, "unknown_option"),
            (r#"{"url": "a", "events": []}"#, "invalid_option"),
            (r#"{"url": "a", "events": "job.failed"}"#, "invalid_option"),
            (r#"{"url": "a", "events": ["webhook.test"]}"#, "invalid_option"),
            (r#"{"url": "a", "secret": "short"}"#, "invalid_option"),
        ] {
            let refused = WebhookRequest::parse(refused.as_bytes()).unwrap_err();
            assert_eq!(refused.code().as_str(), code);
        }
    }
}
