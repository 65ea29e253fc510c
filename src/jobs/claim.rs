//! Claiming jobs: which are claimed here, and when.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::claimant::claimant;
use super::context::JobsContext;
use super::lease::RunningJob;
use crate::domain::error_chain::error_chain;
use crate::store::Claimant;

/// How often the table is asked for jobs when nobody wakes us: after a crash elsewhere, a lease
/// runs out silently.
const POLL: Duration = Duration::from_secs(2);

/// Claims jobs until the server stops.
pub(super) async fn claim_jobs(context: Arc<JobsContext>) {
    let claimant = claimant(&context);
    let mut space = SpaceCheck::default();
    loop {
        let slot = tokio::select! {
            slot = Arc::clone(&context.slots).acquire_owned() => slot,
            () = context.stop.cancelled() => return,
        };
        // The semaphore is never closed; without a place there is nothing to do.
        let Ok(slot) = slot else { return };
        // Listen before asking, so that a job which arrives in between is not missed.
        let woken = context.wake.notified();
        let busy_with = context.manager.running_here();
        let claimed = if space.look(&context) {
            // Until there is an answer, also if this task breaks off.
            let has_unknown_claims = context.has_unknown_claims.swap(true, Ordering::Relaxed);
            let claimant = Claimant { busy_with, has_unknown_claims, ..claimant.clone() };
            let claimed = context.run_store.claim(&claimant).await;
            context.has_unknown_claims.store(claimed.is_err(), Ordering::Relaxed);
            claimed
        } else {
            Ok(None)
        };
        match claimed {
            Ok(Some(job)) => {
                // Here, so that the next claim knows of it.
                let run = RunningJob::begin(&context, job);
                let work = async move {
                    run.run().await;
                    drop(slot);
                };
                context.tasks.spawn_on(work, &context.runtime);
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(
                    event = "claim_failed",
                    error = error_chain(&error),
                    "jobs cannot be claimed, trying again"
                );
            }
        }
        drop(slot);
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
            () = context.stop.cancelled() => return,
        }
    }
}

/// Whether the disk has space to run jobs; logged once each time that it changes.
#[derive(Debug, Default)]
struct SpaceCheck {
    is_missing: bool,
}

impl SpaceCheck {
    fn look(&mut self, context: &JobsContext) -> bool {
        match (context.data_dir.check_free_space(0), self.is_missing) {
            (Ok(()), true) => {
                tracing::info!(event = "disk_space_back", "disk has space again, jobs are claimed");
            }
            (Err(fault), false) => {
                tracing::warn!(
                    event = "disk_space_low",
                    error = error_chain(&fault),
                    "disk has too little space, no jobs are claimed"
                );
            }
            (found, _) => {
                if found.is_ok()
                    && let Err(fault) = context.data_dir.hold_reserve()
                {
                    tracing::debug!(event = "disk_reserve_missing", error = %fault, "disk has no reserved space");
                }
                return found.is_ok();
            }
        }
        self.is_missing = !self.is_missing;
        !self.is_missing
    }
}
