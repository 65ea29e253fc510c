//! `import_webhook_deliveries`: messages to webhooks, with what became of each.

use sea_orm::entity::prelude::*;

/// A message to one webhook.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_webhook_deliveries")]
pub struct Model {
    /// Its number.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// To whom.
    pub webhook_id: String,
    /// The message's own name, the same in every attempt.
    pub message_id: String,
    /// What it says: `job.completed`.
    pub event: String,
    /// What it is about; unique for a webhook.
    pub subject: String,
    /// The job that it is about, if it is about one.
    pub import_log_id: Option<i64>,
    /// The request that made the job, as W3C Trace Context writes it.
    pub traceparent: Option<String>,
    /// Its body.
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// `pending`, `delivered` or `failed`.
    pub status: String,
    /// Attempts so far.
    pub attempts: i32,
    /// When the next one is due; while one runs, when it is taken for lost.
    pub next_attempt_at: Option<DateTimeUtc>,
    /// The last status of HTTP.
    pub answer: Option<i32>,
    /// Why the last attempt failed.
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
    /// How long the last attempt took.
    pub millis: Option<i64>,
    /// When the message was made.
    pub created_at: DateTimeUtc,
    /// When it was delivered or given up.
    pub completed_at: Option<DateTimeUtc>,
}

/// No relation is followed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
