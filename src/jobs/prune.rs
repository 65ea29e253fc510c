//! Keeps the events of a job within their bound: progress while it runs, batches of row events once
//! it is over and those who follow it have read its end.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument;

use super::context::JobsContext;
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::store::PruneScope;
use crate::telemetry;

/// How long those who follow a job may take to read its last events.
const READERS_TIMEOUT: Duration = Duration::from_mins(1);

/// How often the server looks whether they have.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Prunes progress each time that the job has `events_max` more events: small chunks make many.
#[derive(Debug)]
pub(super) struct WhileRunning {
    next: u64,
}

impl WhileRunning {
    pub(super) fn new(context: &JobsContext, job: &Job) -> Self {
        Self { next: job.event_count + context.settings.events_max }
    }

    pub(super) async fn look(&mut self, context: &JobsContext, job: &Job) {
        if job.event_count >= self.next {
            prune(context, job.id, PruneScope::Progress).await;
            *self = Self::new(context, job);
        }
    }
}

/// Prunes the events of a job that is over, in a task of its own.
pub(super) fn after_the_end(context: &Arc<JobsContext>, job: &Job) {
    if job.event_count <= context.settings.events_max {
        return;
    }
    let (own, id) = (Arc::clone(context), job.id);
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
        prune(&own, id, PruneScope::ProgressAndRows).await;
    };
    context.tasks.spawn_on(work.in_current_span(), &context.runtime);
}

/// Prunes what an earlier process had no time for.
pub(super) async fn at_start(context: Arc<JobsContext>) {
    match context.run_store.ended_with_events_over(context.settings.events_max).await {
        Ok(jobs) => {
            for job in jobs {
                // It is for the log only.
                let trace = context.run_store.trace_of(job).await.ok().flatten();
                let pruned = prune(&context, job, PruneScope::ProgressAndRows);
                pruned.instrument(telemetry::span_about(job, trace)).await;
            }
        }
        Err(error) => {
            tracing::warn!(
                event = "prune_failed",
                error = error_chain(&error),
                "jobs with too many events could not be found"
            );
        }
    }
}

/// A failure costs space only: the server does not retry. The span that this runs in names the job.
async fn prune(context: &JobsContext, job: i64, scope: PruneScope) {
    if let Err(error) =
        context.run_store.prune_events(job, context.settings.events_max, scope).await
    {
        tracing::warn!(
            event = "prune_failed",
            error = error_chain(&error),
            "events of the job could not be pruned"
        );
    }
}
