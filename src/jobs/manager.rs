//! The job manager: a copy in memory of every job that moves, for those who poll and wait.
//!
//! Never the truth: each copy is what the database said at a commit. Finished jobs leave after a
//! while; then the table answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::one::RefMut;
use tokio::sync::watch;
use uuid::Uuid;

use super::stop::Stop;
use crate::domain::job::Job;
use crate::metrics::ServerMetrics;

/// How late something may be said of a job that was deleted.
const LATE: Duration = Duration::from_mins(10);

/// All jobs in memory.
#[derive(Debug)]
pub(super) struct JobManager {
    jobs: DashMap<i64, Entry>,
    /// Jobs that were deleted here, and when: what was read of one just before comes too late.
    deleted: DashMap<Uuid, Instant>,
    keep_finished: Duration,
    /// Counts the rows of the jobs that run here.
    metrics: Arc<ServerMetrics>,
}

#[derive(Debug)]
struct Entry {
    job: watch::Sender<Job>,
    /// Set while the job runs here: under which epoch, and how it is stopped.
    running: Option<(i64, Stop)>,
    finished: Option<Instant>,
}

impl Entry {
    fn show(&mut self, job: Job, metrics: &ServerMetrics) {
        // Each row was committed once, so it is counted once, whichever writer reports first.
        let counts_here = self.running.is_some() && !job.options.dry_run;
        if job.status.is_terminal() && self.finished.is_none() {
            self.finished = Some(Instant::now());
        }
        self.job.send_if_modified(|shown| {
            let newer = is_newer(&job, shown);
            if newer {
                if counts_here {
                    metrics.rows(&job.dataset, &job.counts.since(&shown.counts));
                }
                *shown = job;
            }
            newer
        });
    }
}

impl JobManager {
    pub(super) fn new(keep_finished: Duration, metrics: Arc<ServerMetrics>) -> Self {
        Self { jobs: DashMap::new(), deleted: DashMap::new(), keep_finished, metrics }
    }

    /// Shows a newer state of a job. An older one (two writers report in any order) is ignored; of
    /// a finished job only how far it is passed on changes.
    pub(super) fn publish(&self, job: Job) {
        let (id, uuid) = (job.id, job.uuid);
        self.entry(&job).show(job, &self.metrics);
        // After the copy was made, as `deleted` notes before it removes: one of them sees the other.
        if self.deleted.contains_key(&uuid) {
            self.jobs.remove(&id);
        }
    }

    fn entry(&self, job: &Job) -> RefMut<'_, i64, Entry> {
        self.jobs.entry(job.id).or_insert_with(|| Entry {
            job: watch::Sender::new(job.clone()),
            running: None,
            finished: None,
        })
    }

    /// The job as last shown, where no other can know better: it runs here or has ended. One that
    /// waits may be cancelled, or after a lease ran out even run, by another server.
    pub(super) fn get(&self, id: i64) -> Option<Job> {
        let entry = self.jobs.get(&id)?;
        let job = entry.job.borrow();
        (entry.running.is_some() || job.status.is_terminal()).then(|| job.clone())
    }

    /// Follows the job.
    pub(super) fn watch(&self, id: i64) -> Option<watch::Receiver<Job>> {
        self.jobs.get(&id).map(|entry| entry.job.subscribe())
    }

    /// True while somebody follows the job.
    pub(super) fn is_watched(&self, id: i64) -> bool {
        self.jobs.get(&id).is_some_and(|entry| entry.job.receiver_count() > 0)
    }

    /// The job runs here from now on, as its row is now, and is stopped by `stop`.
    pub(super) fn running(&self, job: &Job, stop: Stop) {
        let mut entry = self.entry(job);
        entry.show(job.clone(), &self.metrics);
        entry.running = Some((job.lease_epoch, stop));
    }

    /// The run of the job that began with this row is over. Another one may have begun here since.
    pub(super) fn rests(&self, job: &Job) {
        if let Some(mut entry) = self.jobs.get_mut(&job.id)
            && entry.running.as_ref().is_some_and(|(epoch, _)| *epoch == job.lease_epoch)
        {
            entry.running = None;
        }
    }

    /// Asks the job to stop if it runs here under an older epoch than that of its row. A run that
    /// began since the row was read has a newer one.
    pub(super) fn stop_if_lost(&self, now: &Job) {
        if let Some(entry) = self.jobs.get(&now.id)
            && let Some((epoch, stop)) = &entry.running
            && *epoch < now.lease_epoch
        {
            stop.stop();
        }
    }

    /// Asks the job to stop if its file is being imported here as a whole.
    pub(super) fn stop_whole_file(&self, id: i64) {
        if let Some(entry) = self.jobs.get(&id)
            && let Some((_, stop)) = &entry.running
            && entry.job.borrow().options.atomic
        {
            stop.stop();
        }
    }

    /// So many rows of the job, whose file is imported as a whole, are written and not committed.
    pub(super) fn staged(&self, id: i64, rows: u64) {
        if let Some(entry) = self.jobs.get(&id) {
            entry.job.send_modify(|job| job.staged_rows = rows);
        }
    }

    /// True when there is a copy of the job.
    pub(super) fn knows(&self, id: i64) -> bool {
        self.jobs.contains_key(&id)
    }

    /// The jobs that run here.
    pub(super) fn running_here(&self) -> Vec<i64> {
        let running = self.jobs.iter().filter(|entry| entry.running.is_some());
        running.map(|entry| *entry.key()).collect()
    }

    /// Forgets jobs that finished a while ago, and those that nobody runs or waits for here.
    pub(super) fn evict_finished(&self) {
        self.jobs.retain(|_, entry| match entry.finished {
            Some(finished) => finished.elapsed() < self.keep_finished,
            None => entry.running.is_some() || entry.job.receiver_count() > 0,
        });
        self.deleted.retain(|_, at| at.elapsed() < LATE);
    }

    /// Forgets a job that is in no table any more, whatever is still said of it.
    pub(super) fn deleted(&self, job: &Job) {
        self.deleted.insert(job.uuid, Instant::now());
        self.jobs.remove(&job.id);
    }

    /// Forgets a job of which another server says that it was deleted.
    pub(super) fn deleted_elsewhere(&self, id: i64) {
        let shown = self.jobs.get(&id).map(|entry| entry.job.borrow().clone());
        if let Some(job) = shown {
            self.deleted(&job);
        }
    }

    /// Forgets a job that is not ours any more: the table knows better.
    pub(super) fn forget(&self, id: i64) {
        self.jobs.remove(&id);
    }
}

fn is_newer(job: &Job, shown: &Job) -> bool {
    if shown.status.is_terminal() {
        // What follows the end is all that changes then.
        let version = |job: &Job| job.sync.as_ref().map(|sync| sync.version);
        return version(job) > version(shown);
    }
    job.lease_epoch > shown.lease_epoch
        || job.lease_epoch == shown.lease_epoch
            && (job.status.is_terminal()
                || job.event_count > shown.event_count
                || job.counts.processed() > shown.counts.processed()
                || job.updated_at > shown.updated_at
                    && job.counts.processed() == shown.counts.processed())
}
