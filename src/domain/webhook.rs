//! Webhooks: who is notified of what, and how a message to them stands. Pure.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bulk::{Bulk, BulkJob, FileCounts};
use super::job::Job;
use super::job_view::timestamp;
use super::status::JobStatus;
use super::trace::TraceContext;

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WebhookEvent {
    /// A job completed, with or without failed rows.
    JobCompleted,
    /// A job completed and rows of it failed; comes beside the other.
    JobCompletedWithErrors,
    /// A job failed.
    JobFailed,
    /// A job was cancelled.
    JobCancelled,
    /// The last job of a bulk ended.
    BulkCompleted,
    /// Somebody tries the webhook out.
    Test,
}

impl WebhookEvent {
    /// Those that a webhook can be registered for.
    pub const REGISTRABLE: [Self; 5] = [
        Self::JobCompleted,
        Self::JobCompletedWithErrors,
        Self::JobFailed,
        Self::JobCancelled,
        Self::BulkCompleted,
    ];

    /// Those of a webhook that names none: one for each end of a job or a bulk.
    pub const DEFAULT: [Self; 4] =
        [Self::JobCompleted, Self::JobFailed, Self::JobCancelled, Self::BulkCompleted];

    /// The word of messages and of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobCompleted => "job.completed",
            Self::JobCompletedWithErrors => "job.completed_with_errors",
            Self::JobFailed => "job.failed",
            Self::JobCancelled => "job.cancelled",
            Self::BulkCompleted => "bulk.completed",
            Self::Test => "webhook.test",
        }
    }

    /// Reads a word for which a webhook can be registered.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::REGISTRABLE.into_iter().find(|event| event.as_str() == word)
    }

    /// What the end of a job is to be said as.
    #[must_use]
    pub fn of_job(job: &Job) -> Vec<Self> {
        match job.status {
            JobStatus::Completed if job.counts.failed > 0 => {
                vec![Self::JobCompleted, Self::JobCompletedWithErrors]
            }
            JobStatus::Completed => vec![Self::JobCompleted],
            JobStatus::Failed => vec![Self::JobFailed],
            JobStatus::Cancelled => vec![Self::JobCancelled],
            JobStatus::Pending | JobStatus::Processing | JobStatus::Paused => Vec::new(),
        }
    }
}

/// Somebody who is notified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name in addresses.
    pub id: Uuid,
    /// Where messages go.
    pub url: String,
    /// What messages are signed with: `whsec_…`; of a stored one as it is stored, perhaps sealed.
    pub secret: WebhookSecret,
    /// Of what it is notified.
    pub events: Vec<WebhookEvent>,
    /// Only of jobs and bulks of this dataset.
    pub dataset: Option<String>,
    /// Messages are sent.
    pub is_enabled: bool,
    /// Why not, when the receiver is the reason.
    pub disabled_reason: Option<String>,
    /// The client that registered it.
    pub created_by: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Webhook {
    /// True when it is to be notified of this.
    #[must_use]
    pub fn wants(&self, event: WebhookEvent, dataset: &str) -> bool {
        self.is_enabled
            && self.events.contains(&event)
            && self.dataset.as_ref().is_none_or(|only| only == dataset)
    }
}

/// A secret that is never shown by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(pub String);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It is still to be delivered.
    Pending,
    /// The receiver took it.
    Delivered,
    /// It is not tried again.
    Failed,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The word of the API and of the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads a word of the table.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// A message to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Its number.
    pub id: i64,
    /// To whom.
    pub webhook: Uuid,
    /// The message's own name, the same in every attempt.
    pub message_id: String,
    /// The word of its event.
    pub event: String,
    /// What it is about: at most one message about it goes to a webhook.
    pub subject: String,
    /// The job that it is about, if it is about one.
    pub job: Option<i64>,
    /// The request that made the job, in its trace.
    pub trace: Option<TraceContext>,
    /// Its body, the same in every attempt.
    pub body: String,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next one is due.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What the receiver answered last: a status of HTTP.
    pub answer: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// How long the last attempt took.
    pub millis: Option<u64>,
    /// When the message was made.
    pub created_at: DateTime<Utc>,
    /// When it was delivered or given up.
    pub completed_at: Option<DateTime<Utc>>,
}

/// A message that is to be stored for those who want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// What it says.
    pub event: WebhookEvent,
    /// The dataset that it is about.
    pub dataset: String,
    /// What it is about.
    pub subject: String,
    /// The job that it is about, if it is about one.
    pub job: Option<i64>,
    /// The request that made the job, in its trace.
    pub trace: Option<TraceContext>,
    /// Its body.
    pub body: String,
}

/// A body as Standard Webhooks has it.
fn body(event: WebhookEvent, at: DateTime<Utc>, data: &Value) -> String {
    json!({ "type": event.as_str(), "timestamp": timestamp(at), "data": data }).to_string()
}

impl NewMessage {
    /// The messages about the end of a job.
    #[must_use]
    pub fn of_job(job: &Job) -> Vec<Self> {
        let at = job.completed_at.unwrap_or(job.updated_at);
        let message = |event: WebhookEvent| Self {
            event,
            dataset: job.dataset.clone(),
            subject: format!("{} {}", event.as_str(), job.id),
            job: Some(job.id),
            trace: job.trace,
            body: body(event, at, &job_facts(job)),
        };
        WebhookEvent::of_job(job).into_iter().map(message).collect()
    }

    /// The message about the end of a bulk; `None` while one of its jobs has not ended.
    #[must_use]
    pub fn of_bulk(bulk: &Bulk, jobs: &[BulkJob]) -> Option<Self> {
        let files = FileCounts::of(bulk, jobs);
        if !files.status().is_terminal() {
            return None;
        }
        let ended = jobs.iter().filter_map(|job| job.completed_at).max();
        let event = WebhookEvent::BulkCompleted;
        let sum = |of: fn(&BulkJob) -> u64| jobs.iter().map(of).sum::<u64>();
        let facts = json!({
            "bulkId": bulk.id.to_string(),
            "dataset": bulk.dataset,
            "status": files.status().as_str(),
            "files": files,
            "totalRows": sum(|job| job.total_rows.unwrap_or_default()),
            "successCount": sum(|job| job.counts.succeeded()),
            "errorCount": sum(|job| job.counts.failed),
            "createdBy": bulk.created_by,
            "createdAt": timestamp(bulk.created_at),
            "completedAt": ended.map(timestamp),
            "statusUrl": format!("/api/v1/import/bulks/{}", bulk.id),
        });
        Some(Self {
            event,
            dataset: bulk.dataset.clone(),
            subject: format!("{} {}", event.as_str(), bulk.id),
            job: None,
            trace: None,
            body: body(event, ended.unwrap_or(bulk.created_at), &facts),
        })
    }

    /// A message that says nothing but that messages arrive.
    #[must_use]
    pub fn test(webhook: Uuid, number: Uuid, at: DateTime<Utc>) -> Self {
        let event = WebhookEvent::Test;
        Self {
            event,
            dataset: String::new(),
            subject: format!("{} {number}", event.as_str()),
            job: None,
            trace: None,
            body: body(event, at, &json!({ "webhookId": webhook.to_string() })),
        }
    }
}

/// What a receiver needs to know of a job; the rest is at `statusUrl`.
fn job_facts(job: &Job) -> Value {
    json!({
        "jobId": job.id,
        "dataset": job.dataset,
        "fileName": job.file_name,
        "status": job.status.as_str(),
        "totalRows": job.total_rows,
        "successCount": job.counts.succeeded(),
        "errorCount": job.counts.failed,
        "counts": job.counts,
        "error": job.error_message,
        "errorCode": job.error_code,
        "dryRun": job.options.dry_run,
        "retryOf": job.retry_of,
        "rollbackOf": job.rollback_of,
        "bulkId": job.bulk_id.map(|id| id.to_string()),
        "createdBy": job.created_by,
        "createdAt": timestamp(job.created_at),
        "completedAt": job.completed_at.map(timestamp),
        "statusUrl": format!("/api/v1/import/status/{}", job.id),
    })
}
