//! Keeps the feeds of followed jobs up to date, wherever the jobs run.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tracing::Instrument;

use super::context::JobsContext;
use super::event_feed::{EventFeed, FeedState};
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::store::StoreError;
use crate::telemetry;

/// How often a job that runs elsewhere, or nowhere yet, is looked up in the table.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How often subscribers are woken at most: a job of tiny chunks commits more often than anybody can
/// see.
const PACE: Duration = Duration::from_millis(40);

/// The feed of a job; begins to look after the job when nobody followed it.
pub(super) fn feed_of(context: &Arc<JobsContext>, job: &Job) -> Arc<EventFeed> {
    let (feed, is_new) = context.feeds.of(job);
    if is_new && !job.status.is_terminal() {
        let poll = poll(Arc::clone(context), job.id, Arc::downgrade(&feed));
        context.tasks.spawn_on(poll.instrument(telemetry::job_span(job)), &context.runtime);
    }
    feed
}

/// Keeps the reach of a feed true until the job ends, nobody follows it or the server stops.
async fn poll(context: Arc<JobsContext>, id: i64, feed: Weak<EventFeed>) {
    loop {
        let looked = look(&context, id).await;
        let Some(feed) = feed.upgrade() else { return };
        let mut shown = match looked {
            Ok(Some(shown)) => shown,
            Ok(None) => return feed.end(),
            Err(error) => {
                tracing::warn!(
                    event = "job_unreadable",
                    job_id = id,
                    error = error_chain(&error),
                    "followed job cannot be read"
                );
                drop(feed);
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
        };
        let now = FeedState::of(&shown.borrow_and_update());
        feed.advance(now);
        drop(feed);
        if now.is_end {
            return;
        }
        tokio::select! {
            // What another server does with the job is only in the table.
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            // The sender is gone when the job was tidied away.
            _ = shown.changed() => tokio::time::sleep(PACE).await,
            () = context.stop.cancelled() => return,
        }
    }
}

/// The newest that is known of the job, from memory if it runs here; `None` when somebody deleted
/// it.
async fn look(context: &JobsContext, id: i64) -> Result<Option<watch::Receiver<Job>>, StoreError> {
    if context.manager.get(id).is_none() {
        match context.store.get(id).await? {
            Some(job) => context.manager.publish(job),
            None => return Ok(None),
        }
    }
    // Without a copy in memory, because it was tidied away in this moment, the table again.
    match context.manager.watch(id) {
        Some(shown) => Ok(Some(shown)),
        None => Ok(context.store.get(id).await?.map(|job| watch::Sender::new(job).subscribe())),
    }
}
