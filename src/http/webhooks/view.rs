//! A webhook and its messages as clients see them.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::job_view::timestamp;
use crate::domain::webhook::{Webhook, WebhookDelivery};

/// A webhook.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct WebhookView<'a> {
    id: String,
    url: &'a str,
    events: Vec<&'static str>,
    dataset: Option<&'a str>,
    enabled: bool,
    disabled_reason: Option<&'a str>,
    created_by: Option<&'a str>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> WebhookView<'a> {
    /// Without its secret.
    pub(super) fn of(webhook: &'a Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            url: &webhook.url,
            events: webhook.events.iter().map(|event| event.as_str()).collect(),
            dataset: webhook.dataset.as_deref(),
            enabled: webhook.is_enabled,
            disabled_reason: webhook.disabled_reason.as_deref(),
            created_by: webhook.created_by.as_deref(),
            created_at: timestamp(webhook.created_at),
            secret: None,
        }
    }

    /// As the one who registered it sees it once.
    pub(super) fn with_secret(webhook: &'a Webhook) -> Self {
        Self { secret: Some(&webhook.secret.0), ..Self::of(webhook) }
    }
}

/// A message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DeliveryView<'a> {
    id: i64,
    message_id: &'a str,
    event: &'a str,
    status: &'static str,
    attempts: u32,
    next_attempt_at: Option<String>,
    response_status: Option<u16>,
    error: Option<&'a str>,
    duration_ms: Option<u64>,
    created_at: String,
    completed_at: Option<String>,
    #[schema(value_type = Option<serde_json::Value>)]
    payload: Option<&'a RawValue>,
}

impl<'a> DeliveryView<'a> {
    pub(super) fn of(delivery: &'a WebhookDelivery) -> Self {
        Self {
            id: delivery.id,
            message_id: &delivery.message_id,
            event: &delivery.event,
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at.map(timestamp),
            response_status: delivery.answer,
            error: delivery.error.as_deref(),
            duration_ms: delivery.millis,
            created_at: timestamp(delivery.created_at),
            completed_at: delivery.completed_at.map(timestamp),
            payload: serde_json::from_str(&delivery.body).ok(),
        }
    }
}

/// Every webhook.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct WebhookList<'a> {
    pub(super) webhooks: Vec<WebhookView<'a>>,
}

/// Messages of a webhook, newest first.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct DeliveryPage<'a> {
    pub(super) deliveries: Vec<DeliveryView<'a>>,
    pub(super) next_cursor: Option<String>,
}
