//! The end of the time of files: what finished jobs left goes after `LOADBAY_RETENTION`, and what no
//! job knows goes with it. Nothing here is in a hurry, and what fails is tried again the next time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::Inner;
use super::error::{JobsError, chain};
use crate::files::Storage;

/// How often it is looked for files whose time is over.
const PASS: Duration = Duration::from_mins(10);

/// How often when files are to leave sooner.
const PASS_MIN: Duration = Duration::from_secs(1);

/// How often a shared storage is looked through for files that no job knows. It is listed whole.
const SWEEP: Duration = Duration::from_hours(1);

/// How old files of no job must be: an upload that is just being taken in has no job yet.
const ORPHAN_AGE: Duration = Duration::from_hours(24);

/// Removes what is over until the server stops.
pub(super) async fn retire(inner: Arc<Inner>) {
    let mut tick = tokio::time::interval(inner.settings.retention.clamp(PASS_MIN, PASS));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut swept: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = inner.stop.cancelled() => return,
        }
        let is_due = inner.storage.is_shared() && swept.is_none_or(|at| at.elapsed() >= SWEEP);
        if let Err(error) = pass(&inner, is_due).await {
            tracing::warn!(error = chain(&error), "old files were not all removed");
        } else if is_due {
            swept = Some(Instant::now());
        }
    }
}

async fn pass(inner: &Inner, with_sweep: bool) -> Result<(), JobsError> {
    while !inner.stop.is_cancelled() {
        let expired = inner.store.expire_files(inner.settings.retention).await?;
        if expired.is_empty() {
            break;
        }
        for job in expired {
            // The copy in memory does not know of it.
            inner.manager.forget(job.id);
            // A server that has them in its own folder finds them there.
            let Ok(storage) = inner.storage.at(&job.place) else { continue };
            match storage.remove(job.uuid).await {
                Ok(()) => tracing::info!(job = job.id, "the time of its files is over"),
                Err(fault) => {
                    let error = chain(&fault);
                    tracing::warn!(job = job.id, error, "its files are left to the sweep");
                }
            }
        }
    }
    while !inner.stop.is_cancelled() && inner.store.clear_expired_journals().await? {}
    let own = Storage::own(Arc::clone(&inner.folder));
    sweep(inner, &own, Duration::ZERO, Unknown::Keep).await?;
    if with_sweep {
        sweep(inner, &inner.storage, ORPHAN_AGE, Unknown::Remove).await?;
    }
    Ok(())
}

/// What becomes of files that no job knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// They may belong to an upload that is just being taken in.
    Keep,
    /// Nobody was promised anything.
    Remove,
}

/// Removes from a storage what is left of jobs whose time is over.
async fn sweep(
    inner: &Inner,
    storage: &Storage,
    older_than: Duration,
    unknown: Unknown,
) -> Result<(), JobsError> {
    let found = storage.folders(older_than).await?;
    for uuid in removable(inner, &found, unknown).await? {
        if inner.stop.is_cancelled() {
            break;
        }
        storage.remove(uuid).await?;
        tracing::info!(%uuid, "files that nobody needs were removed");
    }
    Ok(())
}

async fn removable(
    inner: &Inner,
    found: &[Uuid],
    unknown: Unknown,
) -> Result<BTreeSet<Uuid>, JobsError> {
    let known = inner.store.known_folders(found).await?;
    let known: BTreeMap<Uuid, bool> = known.iter().map(|it| (it.uuid, it.is_over)).collect();
    let is_removable = |uuid: &&Uuid| match known.get(uuid) {
        Some(is_over) => *is_over,
        None => unknown == Unknown::Remove,
    };
    Ok(found.iter().filter(is_removable).copied().collect())
}

/// Removes what a stopped server left in its data directory: unfinished files, uploads that became no
/// job, files whose time is over. Only before the first upload is taken.
pub(super) async fn at_start(inner: &Arc<Inner>) -> Result<(), JobsError> {
    inner.folder.empty_tmp().await?;
    let own = Storage::own(Arc::clone(&inner.folder));
    sweep(inner, &own, Duration::ZERO, Unknown::Remove).await
}
