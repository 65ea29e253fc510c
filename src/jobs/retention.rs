//! The end of the time of files: what finished jobs left goes after `LOADBAY_RETENTION`, and what no
//! job knows goes with it. The jobs themselves go after `LOADBAY_JOB_RETENTION`. Nothing here is in a
//! hurry: the next pass repeats a step that failed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use super::backoff::with_reserve;
use super::context::JobsContext;
use super::error::JobsError;
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::faults::fault;
use crate::files::{FileError, Storage};
use crate::store::{KnownFolder, StoreError};
use crate::telemetry;

/// How often it is looked for files whose time is over.
const PASS: Duration = Duration::from_mins(10);

/// How often when files are to leave sooner.
const PASS_MIN: Duration = Duration::from_secs(1);

/// How often a shared storage is looked through for files that no job knows. It is listed whole.
const SWEEP: Duration = Duration::from_hours(1);

/// How old files of no job must be: an upload that is just being taken in has no job yet, and a
/// person who restored or mixed up a database has some time to notice.
const ORPHAN_AGE: Duration = Duration::from_hours(24);

/// Removes what is over until the server stops.
pub(super) async fn run_retention(context: Arc<JobsContext>) {
    let mut tick = tokio::time::interval(files_kept(&context).clamp(PASS_MIN, PASS));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut sweeps = vec![Sweep::of(Storage::own(Arc::clone(&context.data_dir)), Duration::ZERO)];
    if context.storage.is_shared() {
        sweeps.push(Sweep::of(context.storage.clone(), SWEEP));
    }
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = context.stop.cancelled() => return,
        }
        // Each on its own: a step that cannot remove its rows must not keep the others from it.
        log_failure(expire(&context).await, "expire files");
        log_failure(clear_journals(&context).await, "clear journals");
        log_failure(prune_jobs(&context).await, "prune jobs");
        log_failure(drop_downloads(&context).await, "remove downloads");
        for sweep in &mut sweeps {
            log_failure(sweep.when_due(&context).await, "sweep files");
        }
    }
}

fn log_failure(done: Result<(), JobsError>, step: &'static str) {
    if let Err(error) = done {
        tracing::warn!(
            event = "retention_failed",
            step,
            error = error_chain(&error),
            "retention step failed, the next pass repeats it"
        );
    }
}

/// Ends the time of the files of jobs that ended long ago.
async fn expire(context: &JobsContext) -> Result<(), JobsError> {
    while !context.stop.is_cancelled() {
        // Marking takes a few pages; the removal then frees far more space.
        let expired = with_reserve(&context.data_dir, || mark_expired(context)).await?;
        if expired.is_empty() {
            break;
        }
        for job in expired {
            remove_expired(context, &job).instrument(telemetry::job_span(&job)).await;
        }
    }
    Ok(())
}

async fn mark_expired(context: &JobsContext) -> Result<Vec<Job>, StoreError> {
    if context.data_dir.has_reserve() {
        // As on a full disk: until the reserved space is released.
        fault!("retention.mark", StoreError::disk_full());
    }
    context.run_store.expire_files(files_kept(context)).await
}

async fn remove_expired(context: &JobsContext, job: &Job) {
    // The copy in memory does not know of it.
    context.manager.forget(job.id);
    // A server that has them in its own folder finds them there.
    let Ok(storage) = context.storage.at(&job.storage_location) else { return };
    match storage.remove(job.uuid).await {
        Ok(_) => tracing::info!(event = "job_files_expired", job_id = job.id, "job files expired"),
        Err(fault) => {
            let error = error_chain(&fault);
            tracing::warn!(
                event = "job_files_left",
                job_id = job.id,
                error,
                "job files could not be removed, the sweep will do it"
            );
        }
    }
}

async fn clear_journals(context: &JobsContext) -> Result<(), JobsError> {
    while !context.stop.is_cancelled() && context.run_store.clear_expired_journals().await? {}
    // Of mirrors that were cancelled or deleted.
    while let Some(job) = context.run_store.job_with_left_keys().await? {
        while !context.stop.is_cancelled() && context.run_store.forget_keys(job).await? {}
        if context.stop.is_cancelled() {
            break;
        }
    }
    Ok(())
}

/// Removes what came of files that no job here waits for any more.
async fn drop_downloads(context: &JobsContext) -> Result<(), JobsError> {
    let begun = context.fetcher.begun().await?;
    if begun.is_empty() {
        return Ok(());
    }
    let needed = context.run_store.folders_of_downloads(&begun).await?;
    for uuid in begun.into_iter().filter(|uuid| !needed.contains(uuid)) {
        context.fetcher.forget(uuid).await?;
    }
    Ok(())
}

/// How long the files of a finished job are kept: no longer than the job.
fn files_kept(context: &JobsContext) -> Duration {
    let (files, job) = (context.settings.retention, context.settings.job_retention);
    job.map_or(files, |job| job.min(files))
}

/// Removes jobs that ended long ago, whose files went before.
async fn prune_jobs(context: &JobsContext) -> Result<(), JobsError> {
    let Some(kept) = context.settings.job_retention else { return Ok(()) };
    let mut removed = 0_u64;
    while !context.stop.is_cancelled() {
        let pruned = context.run_store.prune_jobs(kept).await?;
        if pruned.is_empty() {
            break;
        }
        for job in &pruned {
            context.manager.deleted(job);
            context.changes.deleted(job.id).await;
        }
        context.import_totals.forget();
        removed += pruned.len() as u64;
    }
    if removed > 0 {
        context.run_store.remove_empty_bulks().await?;
        tracing::info!(event = "jobs_removed", jobs = removed, "old jobs were removed");
    }
    Ok(())
}

/// The search for unneeded files in one storage.
struct Sweep {
    storage: Storage,
    every: Duration,
    last: Option<Instant>,
    /// It was said that the files belong to another database.
    is_reported: bool,
}

impl Sweep {
    fn of(storage: Storage, every: Duration) -> Self {
        Self { storage, every, last: None, is_reported: false }
    }

    async fn when_due(&mut self, context: &JobsContext) -> Result<(), JobsError> {
        if self.last.is_none_or(|at| at.elapsed() >= self.every) {
            self.sweep(context).await?;
            self.last = Some(Instant::now());
        }
        Ok(())
    }

    /// Removes what is left of jobs whose time is over, and what has belonged to no job for a day.
    async fn sweep(&mut self, context: &JobsContext) -> Result<(), JobsError> {
        let is_ours = self.is_ours(context).await?;
        let found = self.storage.job_dirs().await?;
        let names: Vec<Uuid> = found.iter().map(|folder| folder.uuid).collect();
        let known = context.run_store.known_folders(&names).await?;
        let known: BTreeMap<Uuid, KnownFolder> =
            known.into_iter().map(|it| (it.uuid, it)).collect();
        let (mut folders, mut bytes) = (0_u64, 0_u64);
        for folder in found {
            if context.stop.is_cancelled() {
                break;
            }
            match known.get(&folder.uuid) {
                Some(of) if of.is_over => {
                    let span = telemetry::span_about(of.job, of.trace);
                    self.remove(folder.uuid).instrument(span).await?;
                }
                None if is_ours && folder.age >= ORPHAN_AGE => {
                    if let Some(freed) = self.remove(folder.uuid).await? {
                        (folders, bytes) = (folders + 1, bytes.saturating_add(freed));
                    }
                }
                Some(_) | None => {}
            }
        }
        if folders > 0 {
            let at = self.storage.shown();
            tracing::warn!(
                event = "orphans_removed",
                folders,
                bytes,
                at,
                "files older than a day of no job were removed"
            );
        }
        Ok(())
    }

    /// Files that belong to another database are promised to its clients: that this one knows no
    /// job of theirs says nothing.
    async fn is_ours(&mut self, context: &JobsContext) -> Result<bool, JobsError> {
        let is_ours = self.storage.belongs_to(context.run_store.identity().await?).await?;
        if !is_ours && !self.is_reported {
            tracing::warn!(
                event = "foreign_files",
                "files at {} belong to another database and stay; \
                 if you moved to this database for good, remove {}",
                self.storage.shown(),
                self.storage.owner_file()
            );
            self.is_reported = true;
        }
        Ok(is_ours)
    }

    /// Removes the files of a job and gives how many bytes that freed. One that cannot be removed
    /// is named and passed over; a storage that is away is asked for no more.
    async fn remove(&self, uuid: Uuid) -> Result<Option<u64>, FileError> {
        match self.try_remove(uuid).await {
            Ok(bytes) => {
                tracing::debug!(event = "unneeded_files_removed", %uuid, bytes, "unneeded files were removed");
                Ok(Some(bytes))
            }
            Err(fault) if fault.is_transient() => Err(fault),
            Err(fault) => {
                let (at, error) = (self.storage.shown(), error_chain(&fault));
                tracing::warn!(event = "unneeded_files_left", %uuid, at, error, "unneeded files cannot be removed");
                Ok(None)
            }
        }
    }

    async fn try_remove(&self, uuid: Uuid) -> Result<u64, FileError> {
        fault!("retention.remove", FileError::broken("remove the files of a job"));
        self.storage.remove(uuid).await
    }
}

/// Removes what a stopped server did not finish taking in. Only before the first upload is taken.
pub(super) async fn at_start(context: &JobsContext) {
    if let Err(fault) = context.data_dir.empty_tmp().await {
        tracing::warn!(
            event = "unfinished_files_left",
            error = error_chain(&fault),
            "unfinished files were not all removed"
        );
    }
}
