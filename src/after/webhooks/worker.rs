//! Makes messages of the ends in the outbox and sends those that are due, as long as the server runs. A
//! receiver that is slow or away holds up nobody but itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use reqwest::header::HeaderName;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::error::WebhookError;
use super::schedule::Schedule;
use super::seal::SecretsKeys;
use super::signature;
use crate::domain::error_chain::error_chain;
use crate::domain::row_error::shown;
use crate::domain::trace::TraceContext;
use crate::domain::webhook::NewMessage;
use crate::faults::fault;
use crate::files::{ReceiverAnswer, Sender};
use crate::store::{AttemptEnd, DueDelivery, Store, StoreError};
use crate::telemetry;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_secs(1);

/// How often old messages are removed.
const PRUNE: Duration = Duration::from_hours(1);

/// The header of W3C Trace Context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Messages that are on their way at the same time.
const SENDING_MAX: usize = 16;

/// The status with which a receiver says that it wants no messages any more.
const GONE: u16 = 410;

/// The task that sends messages.
#[derive(Debug)]
pub struct WebhookWorker {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Work {
    store: Store,
    sender: Sender,
    secrets: SecretsKeys,
    schedule: Schedule,
    /// How long a receiver may take to answer.
    answer_time: Duration,
    stop: CancellationToken,
}

impl WebhookWorker {
    /// Starts it on the runtime of the caller.
    #[must_use]
    pub fn start(
        store: Store,
        sender: Sender,
        secrets: SecretsKeys,
        schedule: Schedule,
        answer_time: Duration,
    ) -> Self {
        let stop = CancellationToken::new();
        let until = stop.clone();
        let work = Arc::new(Work { store, sender, secrets, schedule, answer_time, stop: until });
        let task = tokio::spawn(async move {
            // A task of its own for each: one that panics is followed by the next.
            while let Err(fault) = tokio::spawn(run(Arc::clone(&work))).await {
                tracing::error!(
                    event = "task_restarted",
                    task = "webhooks",
                    %fault,
                    "task panicked, restarting"
                );
                work.rest().await;
            }
        });
        Self { task, stop }
    }

    /// Ends it: what is on its way is sent again later.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(fault) = self.task.await {
            tracing::warn!(event = "task_failed", task = "webhooks", %fault, "task panicked");
        }
    }
}

async fn run(work: Arc<Work>) {
    let mut sending = JoinSet::new();
    let mut pruned: Option<Instant> = None;
    while !work.stop.is_cancelled() {
        let failed = |error: StoreError| {
            let error = error_chain(&error);
            tracing::debug!(event = "webhooks_unreadable", error, "messages cannot be read");
        };
        work.announce().await.unwrap_or_else(failed);
        while sending.try_join_next().is_some() {}
        let room = SENDING_MAX.saturating_sub(sending.len());
        if room > 0 {
            match work.store.take_deliveries(room as u64).await {
                Ok(due) => {
                    for due in due {
                        let work = Arc::clone(&work);
                        let (job, trace) = (due.delivery.job, due.delivery.trace);
                        let (span, place) = telemetry::message_span(job, trace);
                        let deliver = async move { work.deliver(due, place).await };
                        sending.spawn(deliver.instrument(span));
                    }
                }
                Err(error) => failed(error),
            }
        }
        if pruned.is_none_or(|at| at.elapsed() >= PRUNE) {
            work.store.prune_deliveries().await.unwrap_or_else(failed);
            pruned = Some(Instant::now());
        }
        work.rest().await;
    }
    // Each notices the stop by itself: no call of the database is cut off half-way.
    while sending.join_next().await.is_some() {}
}

impl Work {
    async fn rest(&self) {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Makes messages of the ends that the outbox holds.
    async fn announce(&self) -> Result<(), StoreError> {
        for (end, job) in self.store.ends_to_announce().await? {
            fault!("webhooks.announce", StoreError::busy());
            let mut messages = Vec::new();
            // A job that was deleted since is spoken of no more.
            if let Some(job) = self.store.get(job).await? {
                messages = NewMessage::of_job(&job);
                if let Some(id) = job.bulk_id
                    && let Some(bulk) = self.store.bulk(id).await?
                {
                    let jobs = self.store.bulk_jobs(id).await?;
                    // One request made all jobs of the bulk.
                    let message = NewMessage::of_bulk(&bulk, &jobs);
                    messages.extend(message.map(|it| NewMessage { trace: job.trace, ..it }));
                }
            }
            self.store.announce(end, &messages).await?;
        }
        Ok(())
    }

    /// Sends one message, from its place in a trace, and stores what became of it.
    async fn deliver(&self, due: DueDelivery, place: TraceContext) {
        let begun = Instant::now();
        let sent = tokio::select! {
            sent = self.send(&due, place) => sent,
            // It is sent again when its time is over.
            () = self.stop.cancelled() => return,
        };
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let end = self.end(&due, sent, millis);
        if let Some(error) = &end.error {
            tracing::warn!(
                event = "webhook_failed",
                webhook = %due.webhook.id,
                message = due.delivery.message_id,
                attempt = due.delivery.attempts,
                error,
                "message to a webhook was not taken"
            );
        }
        if let Err(error) = self.store.end_attempt(&due.delivery, &end).await {
            let error = error_chain(&error);
            tracing::warn!(
                event = "webhook_unrecorded",
                error,
                "what became of a message is not stored"
            );
        }
    }

    async fn send(
        &self,
        due: &DueDelivery,
        place: TraceContext,
    ) -> Result<ReceiverAnswer, WebhookError> {
        let secret = self.secrets.open(&due.webhook)?;
        let headers = signature::headers(&due.delivery, &secret, Utc::now().timestamp());
        let mut headers = headers.ok_or(WebhookError::Secret)?;
        if let Ok(place) = place.to_string().parse() {
            headers.insert(TRACEPARENT, place);
        }
        let body = due.delivery.body.clone();
        let sent = self.sender.post(&due.webhook.url, headers, body, self.answer_time).await;
        sent.map_err(WebhookError::Address)
    }

    fn end(
        &self,
        due: &DueDelivery,
        sent: Result<ReceiverAnswer, WebhookError>,
        millis: u64,
    ) -> AttemptEnd {
        let mut end = AttemptEnd { answer: None, error: None, millis, next: None, gone: None };
        let mut asked = None;
        match sent {
            Ok(received) => {
                end.answer = Some(received.status);
                if (200..300).contains(&received.status) {
                    return end;
                }
                asked = received.retry_after;
                let text = received.text.trim();
                let text =
                    if text.is_empty() { String::new() } else { format!(": {}", shown(text)) };
                end.error = Some(format!("the receiver answered {}{text}", received.status));
                if received.status == GONE {
                    let reason = "the receiver answered 410: it wants no messages any more";
                    end.gone = Some(reason.to_owned());
                    return end;
                }
            }
            Err(fault) => end.error = Some(error_chain(&fault)),
        }
        end.next = self.schedule.pause_after(due.delivery.attempts, asked);
        end
    }
}
