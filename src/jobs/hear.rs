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
pub(super) async fn hear(inner: Arc<Inner>) {
    loop {
        let heard = tokio::select! {
            heard = listen(&inner) => heard,
            () = inner.stop.cancelled() => return,
        };
        match heard {
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

/// Ends well where there is nobody to hear.
async fn listen(inner: &Arc<Inner>) -> Result<(), StoreError> {
    let Some(mut notifications) = inner.store.listen().await? else { return Ok(()) };
    loop {
        if let Some(job) = notifications.next().await? {
            inner.wake.notify_one();
            look_at(inner, job).await;
        } else {
            // Something may have been missed: whatever runs here is asked for.
            inner.wake.notify_one();
            for job in inner.manager.running_here() {
                look_at(inner, job).await;
            }
        }
    }
}

/// Brings the copy in memory up to date, and stops a run that is not ours any more.
async fn look_at(inner: &Arc<Inner>, job: i64) {
    if !inner.manager.knows(job) && !inner.changes.shows(job).await {
        return;
    }
    match inner.store.get(job).await {
        Ok(Some(now)) => {
            if inner.manager.knows(job) {
                inner.manager.stop_if_lost(&now);
                inner.manager.publish(now);
            }
        }
        Ok(None) => {
            inner.manager.forget(job);
            inner.changes.deleted(job).await;
        }
        Err(error) => {
            tracing::debug!(job, error = chain(&error), "a job that changed cannot be read");
        }
    }
}
