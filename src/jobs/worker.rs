//! The tasks that claim jobs, renew their leases and tidy the memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::{RunError, chain};
use super::listen::listen;
use super::stop::Stop;
use super::{Inner, prune, retention, run};
use crate::domain::job::Job;
use crate::store::{Claimant, TableConcurrency};

/// How often the table is asked for jobs when nobody wakes us: after a crash elsewhere, a lease
/// runs out silently.
const POLL: Duration = Duration::from_secs(2);

/// How often the memory is tidied.
const EVICT: Duration = Duration::from_mins(1);

/// How often it is tidied when finished jobs are to leave at once.
const EVICT_MIN: Duration = Duration::from_secs(1);

/// How long a task that broke off rests before it begins again.
const REST: Duration = Duration::from_secs(1);

/// Starts the tasks; they end with the server.
pub(super) async fn start(inner: &Arc<Inner>) {
    // Before anybody is answered: what an earlier process left must not seem to run. Where that
    // fails, each claim tries it again.
    let let_go = inner.work.release_orphaned(&claimant(inner)).await;
    inner.has_unknown_claims.store(let_go.is_err(), Ordering::Relaxed);
    // Where the database does not answer, that is what the log says.
    for dataset in inner.work.missing_datasets(&claimant(inner)).await.unwrap_or_default() {
        tracing::warn!(dataset, "jobs wait for a dataset that this server does not have");
    }
    supervise(inner, "claiming jobs", claim_jobs);
    supervise(inner, "listening to other servers", listen);
    supervise(inner, "tidying the memory", evict_finished);
    supervise(inner, "removing old files", retention::run_retention);
    supervise(inner, "pruning events", prune::at_start);
}

/// Starts a task, and starts it again when it breaks off: without it the server would only seem to
/// be well.
fn supervise<F>(inner: &Arc<Inner>, name: &'static str, task: fn(Arc<Inner>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let keeper = Arc::clone(inner);
    let keep = async move {
        while let Err(fault) = tokio::spawn(task(Arc::clone(&keeper))).await {
            tracing::error!(%fault, "{name} broke off and begins again");
            tokio::select! {
                () = tokio::time::sleep(REST) => {}
                () = keeper.stop.cancelled() => return,
            }
        }
    };
    inner.tasks.spawn_on(keep, &inner.runtime);
}

async fn evict_finished(inner: Arc<Inner>) {
    let mut tick = tokio::time::interval(inner.settings.keep_finished.clamp(EVICT_MIN, EVICT));
    loop {
        tokio::select! {
            _ = tick.tick() => inner.manager.evict_finished(),
            () = inner.stop.cancelled() => return,
        }
    }
}

async fn claim_jobs(inner: Arc<Inner>) {
    let claimant = claimant(&inner);
    let mut room = SpaceCheck::default();
    loop {
        let slot = tokio::select! {
            slot = Arc::clone(&inner.slots).acquire_owned() => slot,
            () = inner.stop.cancelled() => return,
        };
        // The semaphore is never closed; without a place there is nothing to do.
        let Ok(slot) = slot else { return };
        // Listen before asking, so that a job which arrives in between is not missed.
        let woken = inner.wake.notified();
        let busy_with = inner.manager.running_here();
        let claimed = if room.look(&inner) {
            // Until there is an answer, also if this task breaks off.
            let has_unknown_claims = inner.has_unknown_claims.swap(true, Ordering::Relaxed);
            let claimant = Claimant { busy_with, has_unknown_claims, ..claimant.clone() };
            let claimed = inner.work.claim(&claimant).await;
            inner.has_unknown_claims.store(claimed.is_err(), Ordering::Relaxed);
            claimed
        } else {
            Ok(None)
        };
        match claimed {
            Ok(Some(job)) => {
                // Here, so that the next claim knows of it.
                let run = Running::begin(&inner, job);
                let work = async move {
                    run.job().await;
                    drop(slot);
                };
                inner.tasks.spawn_on(work, &inner.runtime);
                continue;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error = chain(&error), "no jobs can be claimed at the moment");
            }
        }
        drop(slot);
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep(POLL) => {}
            () = inner.stop.cancelled() => return,
        }
    }
}

/// Whether there is room to run jobs; said once each time that it changes.
#[derive(Debug, Default)]
struct SpaceCheck {
    is_missing: bool,
}

impl SpaceCheck {
    fn look(&mut self, inner: &Inner) -> bool {
        match (inner.data_dir.check_free_space(0), self.is_missing) {
            (Ok(()), true) => tracing::info!("there is room again; jobs are claimed"),
            (Err(fault), false) => {
                tracing::warn!(error = chain(&fault), "no jobs are claimed until there is room");
            }
            (found, _) => {
                if found.is_ok()
                    && let Err(fault) = inner.data_dir.hold_reserve()
                {
                    tracing::debug!(error = %fault, "no room is held back for a full disk");
                }
                return found.is_ok();
            }
        }
        self.is_missing = !self.is_missing;
        !self.is_missing
    }
}

/// Who claims here, which files it can read, which datasets it has, and how many jobs may write to
/// each table.
fn claimant(inner: &Inner) -> Claimant {
    let owner = inner.data_dir.server_id().to_string();
    let mut limits: BTreeMap<&str, TableConcurrency> = BTreeMap::new();
    for compiled in inner.datasets.iter() {
        let dataset = &compiled.dataset;
        let none = TableConcurrency { datasets: Vec::new(), running_max: dataset.running_max };
        let limit = limits.entry(&dataset.table).or_insert(none);
        limit.datasets.push(dataset.name.clone());
        limit.running_max = limit.running_max.min(dataset.running_max);
    }
    Claimant {
        storage_locations: inner.storage.reachable_locations(),
        owner,
        lease: inner.settings.lease,
        datasets: inner.datasets.iter().map(|compiled| compiled.dataset.name.clone()).collect(),
        limits: limits.into_values().collect(),
        busy_with: Vec::new(),
        has_unknown_claims: false,
    }
}

/// A claimed job on this server. However its run ends, also by a panic: the job runs here no longer,
/// and its lease is no longer renewed.
struct Running {
    inner: Arc<Inner>,
    job: Job,
    stop: Stop,
    ended: CancellationToken,
}

impl Running {
    fn begin(inner: &Arc<Inner>, job: Job) -> Self {
        let stop = Stop::default();
        inner.manager.running(&job, stop.clone());
        Self { inner: Arc::clone(inner), job, stop, ended: CancellationToken::new() }
    }

    /// Runs the job with its lease renewed beside it.
    async fn job(self) {
        let (inner, job, stop) = (Arc::clone(&self.inner), self.job.clone(), self.stop.clone());
        tokio::spawn(renew_lease(inner, job, stop, self.ended.clone()));
        let run = {
            let (inner, job, stop) = (Arc::clone(&self.inner), self.job.clone(), self.stop.clone());
            tokio::spawn(async move { run::run(&inner, &job, &stop).await })
        };
        if run.await.is_err() {
            // What it left at work must not go on beside the next run.
            self.stop.stop();
            run::broke_off(&self.inner, &self.job, &RunError::Panicked).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ended.cancel();
        self.inner.manager.rests(&self.job);
        // A person may have let it go on meanwhile; it was not claimed while it ran here.
        self.inner.wake.notify_one();
    }
}

/// Renews the lease until the run has ended; stops the job when the lease is lost or the server
/// ends, and still keeps the lease for the chunk in flight.
async fn renew_lease(inner: Arc<Inner>, job: Job, stop: Stop, ended: CancellationToken) {
    let claimant = claimant(&inner);
    let every = claimant.lease / 3;
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = ended.cancelled() => return,
            () = inner.stop.cancelled(), if !stop.is_stopped() => {
                stop.stop();
                continue;
            }
        }
        let (work, of_job) = (inner.work.clone(), job.clone());
        let by = Claimant { busy_with: inner.manager.running_here(), ..claimant.clone() };
        let attempt = tokio::spawn(async move { work.renew(&of_job, &by).await });
        // One that hangs on a dead connection must not keep the next from trying another. It is
        // left to itself: no call of the database is cut off half-way.
        match tokio::time::timeout(every, attempt).await {
            Ok(Ok(Ok(true))) => {}
            Ok(Ok(Ok(false))) => {
                stop.stop();
                return;
            }
            // Every chunk is fenced: a lease that cannot be renewed costs work, never rows.
            Ok(Ok(Err(error))) => {
                let error = chain(&error);
                tracing::warn!(job = job.id, error, "the lease could not be renewed");
            }
            Ok(Err(error)) => tracing::error!(job = job.id, %error, "a renewal broke off"),
            Err(_) => tracing::warn!(job = job.id, "the renewal of the lease has no answer yet"),
        }
    }
}
