//! Keeps the feeds of followed bulks up to date, wherever their jobs run.

use std::sync::{Arc, Weak};
use std::time::Duration;

use uuid::Uuid;

use super::bulk_feed::BulkFeed;
use super::context::JobsContext;
use crate::domain::bulk::BulkJob;
use crate::domain::error_chain::error_chain;

/// How often the table is asked.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// The feed of a bulk, whose jobs are `now` so; begins to look after it when nobody followed it.
pub(super) fn feed_of(context: &Arc<JobsContext>, id: Uuid, now: &[BulkJob]) -> Arc<BulkFeed> {
    let (feed, is_new) = context.bulk_feeds.of(id, now);
    if is_new {
        let poll = poll(Arc::clone(context), id, Arc::downgrade(&feed));
        context.tasks.spawn_on(poll, &context.runtime);
    }
    feed
}

/// Keeps a feed true until nobody follows the bulk or the server stops.
async fn poll(context: Arc<JobsContext>, id: Uuid, feed: Weak<BulkFeed>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(ASK_AGAIN) => {}
            () = context.stop.cancelled() => return,
        }
        if feed.strong_count() == 0 {
            return;
        }
        let jobs = match context.store.bulk_jobs(id).await {
            Ok(jobs) => jobs,
            Err(error) => {
                let error = error_chain(&error);
                tracing::warn!(
                    event = "bulk_unreadable",
                    bulk_id = %id,
                    error,
                    "followed bulk cannot be read"
                );
                continue;
            }
        };
        let Some(feed) = feed.upgrade() else { return };
        feed.send_if_modified(|shown| {
            let has_changed = **shown != *jobs;
            if has_changed {
                *shown = jobs.into();
            }
            has_changed
        });
    }
}
