//! Claiming jobs: which are claimed here, and when.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::claimant::claimant;
use super::context::JobsContext;
use super::lease::RunningJob;
use crate::domain::error_chain::error_chain;
use crate::domain::limits::INLINE_ROWS_MAX;
use crate::store::{Claimant, StoreError};

/// How often the table is asked for jobs when nobody wakes us: after a crash elsewhere, a lease
/// runs out silently.
const POLL: Duration = Duration::from_secs(2);

/// Claims jobs of all kinds until the server stops.
pub(super) async fn claim_jobs(context: Arc<JobsContext>) {
    let claims = Claims {
        slots: Arc::clone(&context.slots),
        wake: &context.wake.any,
        claimant: claimant(&context),
    };
    claims.serve(&context).await;
}

/// Claims small jobs that a request waits for, beside all others, until the server stops.
pub(super) async fn claim_inline_jobs(context: Arc<JobsContext>) {
    let only = context.wake.inline_datasets.clone();
    if only.is_empty() {
        return context.stop.cancelled().await;
    }
    let claims = Claims {
        slots: Arc::clone(&context.inline_slots),
        wake: &context.wake.inline,
        claimant: Claimant { only: Some(only), ..claimant(&context) },
    };
    claims.serve(&context).await;
}

/// Claims jobs whose files are to be downloaded, until the server stops: a slow server of a file takes
/// no slot from an import.
pub(super) async fn claim_downloads(context: Arc<JobsContext>) {
    let claims = Claims {
        slots: Arc::clone(&context.download_slots),
        wake: &context.wake.downloads,
        claimant: Claimant { downloads: true, ..claimant(&context) },
    };
    claims.serve(&context).await;
}

/// Some slots of this server, and who claims jobs for them.
struct Claims<'a> {
    slots: Arc<Semaphore>,
    wake: &'a Notify,
    claimant: Claimant,
}

impl Claims<'_> {
    async fn serve(self, context: &Arc<JobsContext>) {
        let mut space = SpaceCheck::default();
        loop {
            let slot = tokio::select! {
                slot = Arc::clone(&self.slots).acquire_owned() => slot,
                () = context.stop.cancelled() => return,
            };
            // The semaphore is never closed; without a place there is nothing to do.
            let Ok(slot) = slot else { return };
            // Listen before asking, so that a job which arrives in between is not missed.
            let woken = self.wake.notified();
            match self.claim(context, &mut space).await {
                Ok(Some(run)) => {
                    let is_inline = self.claimant.only.is_some();
                    let work = work_off(Arc::clone(context), run, slot, is_inline);
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

    /// Claims a job, which runs here from then on.
    async fn claim(
        &self,
        context: &Arc<JobsContext>,
        space: &mut SpaceCheck,
    ) -> Result<Option<RunningJob>, StoreError> {
        if context.memory.pressure().is_critical() || !space.look(context) {
            return Ok(None);
        }
        let _alone = context.claiming.lock().await;
        let busy_with = context.manager.running_here();
        // Until there is an answer, also if this task breaks off.
        let has_unknown_claims = context.has_unknown_claims.swap(true, Ordering::Relaxed);
        let claimant = Claimant { busy_with, has_unknown_claims, ..self.claimant.clone() };
        let claimed = context.run_store.claim(&claimant).await;
        context.has_unknown_claims.store(claimed.is_err(), Ordering::Relaxed);
        // Here, so that the next claim knows of it.
        Ok(claimed?.map(|job| RunningJob::begin(context, job)))
    }
}

/// Runs a job in its slot. An inline job that turns out to be large is one like any other: it leaves
/// its slot to those that are small.
async fn work_off(
    context: Arc<JobsContext>,
    run: RunningJob,
    slot: OwnedSemaphorePermit,
    is_inline: bool,
) {
    let shown = context.manager.watch(run.id()).filter(|_| is_inline);
    let mut work = pin!(run.run());
    if let Some(mut shown) = shown {
        tokio::select! {
            () = &mut work => return,
            _ = shown.wait_for(|job| job.total_rows.is_some_and(|rows| rows > INLINE_ROWS_MAX)) => {
                drop(slot);
            }
        }
        return work.await;
    }
    work.await;
    drop(slot);
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
