//! Hearing of the other servers: a job that changed there may be one to claim, one that runs here
//! and must stop, or one whose copy in memory is old.
//!
//! A net, not a need: whatever is not heard is found by the next look into the table.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::error::chain;
use crate::store::StoreError;

/// How long to wait before listening is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// Listens until the server stops.
pub(super) async fn listen(inner: Arc<Inner>) {
    while !inner.stop.is_cancelled() {
        match listen_once(&inner).await {
            Ok(()) => return,
            Err(error) => {
                tracing::debug!(error = chain(&error), "other servers are not heard at the moment");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = inner.stop.cancelled() => return,
        }
    }
}

/// Ends well when the server stops, and where there is nobody to hear.
async fn listen_once(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let Some(mut notifications) = inner.work.listen().await? else { return Ok(()) };
    // What was before we listened was not heard.
    let mut heard = None;
    loop {
        inner.wake.notify_one();
        match heard {
            Some(job) => refresh(inner, job).await,
            // Something may have been missed: whatever runs here is asked for.
            None => {
                for job in inner.manager.running_here() {
                    refresh(inner, job).await;
                }
            }
        }
        // Only the waiting is cut off, and the connection ends with it.
        heard = tokio::select! {
            heard = notifications.next() => heard?,
            () = inner.stop.cancelled() => return Ok(()),
        };
    }
}

/// Brings the copy in memory up to date, and stops a run that is not ours any more.
async fn refresh(inner: &Arc<Inner>, job: i64) {
    if !inner.manager.knows(job) && !inner.changes.shows(job).await {
        return;
    }
    match inner.work.get(job).await {
        Ok(Some(now)) => {
            if inner.manager.knows(job) {
                inner.manager.stop_if_lost(&now);
                inner.manager.publish(now);
            }
        }
        Ok(None) => {
            inner.manager.deleted_elsewhere(job);
            inner.changes.deleted(job).await;
        }
        Err(error) => {
            tracing::debug!(job, error = chain(&error), "a job that changed cannot be read");
        }
    }
}
