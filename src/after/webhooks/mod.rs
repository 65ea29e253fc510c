//! Webhooks: messages about the ends of jobs and bulks, by the Standard Webhooks specification.
//!
//! `registry` is what clients ask for, `signature` signs, `seal` keeps secrets, `schedule` says when a message is
//! tried again, `worker` makes messages of the outbox and sends them.

mod error;
mod registry;
mod schedule;
mod seal;
mod signature;
mod worker;

pub use error::WebhookError;
pub use registry::{NewWebhook, Webhooks};
pub use schedule::Schedule;
pub use seal::{SealFault, SecretsKeys, SecretsState};
pub use worker::WebhookWorker;
