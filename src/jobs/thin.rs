//! Keeps the events of a job within their bound: progress while it runs, everything once it is over
//! and those who watched it have seen the end.

use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::error::chain;
use crate::domain::job::Job;
use crate::store::PruneScope;

/// How long those who watch may take to read the last events of a job.
const READERS_TIMEOUT: Duration = Duration::from_mins(1);

/// How often it is looked whether they have.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Thins progress out each time that the job has told `events_max` more events. Small chunks make
/// many.
#[derive(Debug)]
pub(super) struct WhileRunning {
    next: u64,
}

impl WhileRunning {
    pub(super) fn new(inner: &Inner, job: &Job) -> Self {
        Self { next: job.event_count + inner.settings.events_max }
    }

    pub(super) async fn look(&mut self, inner: &Inner, job: &Job) {
        if job.event_count >= self.next {
            thin(inner, job.id, PruneScope::Progress).await;
            *self = Self::new(inner, job);
        }
    }
}

/// Thins the events of a job that is over, in a task of its own.
pub(super) fn after_the_end(inner: &Arc<Inner>, job: &Job) {
    if job.event_count <= inner.settings.events_max {
        return;
    }
    let (own, id) = (Arc::clone(inner), job.id);
    let work = async move {
        let seen = async {
            while own.manager.is_watched(id) || own.feeds.is_followed(id) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::select! {
            _ = tokio::time::timeout(READERS_TIMEOUT, seen) => {}
            // The next start does it.
            () = own.stop.cancelled() => return,
        }
        thin(&own, id, PruneScope::Everything).await;
    };
    inner.tasks.spawn_on(work, &inner.runtime);
}

/// Thins what an earlier process had no time for.
pub(super) async fn at_start(inner: Arc<Inner>) {
    match inner.work.ended_with_events_over(inner.settings.events_max).await {
        Ok(jobs) => {
            for job in jobs {
                thin(&inner, job, PruneScope::Everything).await;
            }
        }
        Err(error) => tracing::warn!(error = chain(&error), "old events were not looked through"),
    }
}

/// A failure costs room, nothing else: it is not tried again.
async fn thin(inner: &Inner, job: i64, which: PruneScope) {
    if let Err(error) = inner.work.prune_events(job, inner.settings.events_max, which).await {
        tracing::warn!(job, error = chain(&error), "the events were not thinned out");
    }
}
