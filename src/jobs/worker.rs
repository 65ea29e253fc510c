//! The tasks that run as long as the server: each is started again when it panics.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::claim::{claim_downloads, claim_inline_jobs, claim_jobs};
use super::claimant::claimant;
use super::context::JobsContext;
use super::listen::listen;
use super::{prune, retention};

/// How often finished jobs are evicted from memory.
const EVICT: Duration = Duration::from_mins(1);

/// How often when finished jobs are to leave at once.
const EVICT_MIN: Duration = Duration::from_secs(1);

/// How long a task that panicked rests before it begins again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Starts the tasks; they end with the server.
pub(super) async fn start(context: &Arc<JobsContext>) {
    // Before anybody is answered: what an earlier process left must not seem to run. Where that
    // fails, each claim tries it again.
    let let_go = context.run_store.release_orphaned(&claimant(context)).await;
    context.has_unknown_claims.store(let_go.is_err(), Ordering::Relaxed);
    // Where the database does not answer, that is what the log says.
    for dataset in context.run_store.missing_datasets(&claimant(context)).await.unwrap_or_default()
    {
        tracing::warn!(
            event = "dataset_missing",
            dataset,
            "jobs wait for a dataset that this server does not have"
        );
    }
    supervise(context, "claim jobs", claim_jobs);
    supervise(context, "claim jobs that requests wait for", claim_inline_jobs);
    supervise(context, "claim downloads", claim_downloads);
    supervise(context, "listen to other servers", listen);
    tracing::info!(event = "memory_limit", bytes = context.memory.limit(), "memory is measured");
    supervise(context, "measure memory", measure_memory);
    supervise(context, "evict finished jobs", evict_finished);
    supervise(context, "remove expired files", retention::run_retention);
    supervise(context, "prune events", prune::at_start);
}

/// Starts a task, and starts it again when it breaks off: without it the server would only seem to
/// be well.
fn supervise<F>(context: &Arc<JobsContext>, name: &'static str, task: fn(Arc<JobsContext>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let keeper = Arc::clone(context);
    let keep = async move {
        while let Err(fault) = tokio::spawn(task(Arc::clone(&keeper))).await {
            tracing::error!(event = "task_restarted", task = name, %fault, "task panicked, restarting");
            tokio::select! {
                () = tokio::time::sleep(RESTART_PAUSE) => {}
                () = keeper.stop.cancelled() => return,
            }
        }
    };
    context.tasks.spawn_on(keep, &context.runtime);
}

async fn measure_memory(context: Arc<JobsContext>) {
    context.memory.measure(&context.stop).await;
}

async fn evict_finished(context: Arc<JobsContext>) {
    let mut tick = tokio::time::interval(context.settings.keep_finished.clamp(EVICT_MIN, EVICT));
    loop {
        tokio::select! {
            _ = tick.tick() => context.manager.evict_finished(),
            () = context.stop.cancelled() => return,
        }
    }
}
