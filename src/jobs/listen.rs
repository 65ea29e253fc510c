//! Hearing of the other servers: a job that changed there may be one to claim, one that runs here
//! and must stop, or one whose copy in memory is old.
//!
//! It is for latency only: polling the table finds what no notification announced.

use std::sync::Arc;
use std::time::Duration;

use super::context::JobsContext;
use crate::domain::error_chain::error_chain;
use crate::store::StoreError;
use crate::telemetry;

/// How long to wait before listening again.
const PAUSE: Duration = Duration::from_secs(2);

/// Listens until the server stops.
pub(super) async fn listen(context: Arc<JobsContext>) {
    while !context.stop.is_cancelled() {
        match listen_once(&context).await {
            Ok(()) => return,
            Err(error) => {
                tracing::debug!(
                    event = "listen_failed",
                    error = error_chain(&error),
                    "notifications of other servers do not arrive, listening again"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = context.stop.cancelled() => return,
        }
    }
}

/// Ends well when the server stops, and where there is nobody to hear.
async fn listen_once(context: &Arc<JobsContext>) -> Result<(), StoreError> {
    let Some(mut notifications) = context.run_store.listen().await? else { return Ok(()) };
    // Changes before the listening began were not announced.
    let mut notified = None;
    loop {
        context.wake.notify();
        match notified {
            Some(job) => refresh(context, job).await,
            // Something may have been missed: whatever runs here is asked for.
            None => {
                for job in context.manager.running_here() {
                    refresh(context, job).await;
                }
            }
        }
        // Only the waiting is cut off, and the connection ends with it.
        notified = tokio::select! {
            notified = notifications.next() => notified?,
            () = context.stop.cancelled() => return Ok(()),
        };
    }
}

/// Brings the copy in memory up to date, and stops a run that is not ours any more.
async fn refresh(context: &Arc<JobsContext>, job: i64) {
    if !context.manager.knows(job) && !context.changes.shows(job).await {
        return;
    }
    match context.run_store.get(job).await {
        Ok(Some(now)) => {
            if context.manager.knows(job) {
                context.manager.stop_if_lost(&now);
                context.manager.publish(now);
            }
        }
        Ok(None) => {
            context.manager.deleted_elsewhere(job);
            context.changes.deleted(job).await;
        }
        Err(error) => {
            let trace = context.manager.get(job).and_then(|known| known.trace);
            telemetry::span_about(job, trace).in_scope(|| {
                tracing::debug!(
                    event = "job_unreadable",
                    error = error_chain(&error),
                    "changed job cannot be read"
                );
            });
        }
    }
}
