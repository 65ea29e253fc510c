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
    let (slots, wake) = (Arc::clone(&context.slots), &context.wake.any);
    Claims { slots, wake, kind: SlotKind::Any }.serve(&context).await;
}

/// Claims small jobs that a request waits for, beside all others, until the server stops.
pub(super) async fn claim_inline_jobs(context: Arc<JobsContext>) {
    let (slots, wake) = (Arc::clone(&context.inline_slots), &context.wake.inline);
    Claims { slots, wake, kind: SlotKind::Inline }.serve(&context).await;
}

/// Claims jobs whose files are to be downloaded, until the server stops: a slow server of a file takes
/// no slot from an import.
pub(super) async fn claim_downloads(context: Arc<JobsContext>) {
    let (slots, wake) = (Arc::clone(&context.download_slots), &context.wake.downloads);
    Claims { slots, wake, kind: SlotKind::Download }.serve(&context).await;
}

/// For which jobs a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlotKind {
    Any,
    Inline,
    Download,
}

impl SlotKind {
    /// Who claims for such a slot, with the datasets as they are now; `None` where no dataset needs it.
    fn claimant(self, context: &JobsContext) -> Option<Claimant> {
        let claimant = claimant(context);
        match self {
            Self::Any => Some(claimant),
            Self::Inline => {
                let only = context.datasets.inline();
                (!only.is_empty()).then_some(Claimant { only: Some(only), ..claimant })
            }
            Self::Download => Some(Claimant { downloads: true, ..claimant }),
        }
    }
}

/// Some slots of this server, and the kind of jobs that are claimed for them.
struct Claims<'a> {
    slots: Arc<Semaphore>,
    wake: &'a Notify,
    kind: SlotKind,
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
                    let is_inline = self.kind == SlotKind::Inline;
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
        let Some(claimant) = self.kind.claimant(context) else { return Ok(None) };
        let _alone = context.claiming.lock().await;
        let busy_with = context.manager.running_here();
        // Until there is an answer, also if this task breaks off.
        let has_unknown_claims = context.has_unknown_claims.swap(true, Ordering::Relaxed);
        let claimant = Claimant { busy_with, has_unknown_claims, ..claimant };
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
