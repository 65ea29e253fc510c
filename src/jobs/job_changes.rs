//! The newest jobs as those who follow all jobs see them, and the channel of their changes.
//!
//! All listeners get the same; one that falls too far behind gets the state of the newest jobs instead.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::broadcast;

use crate::domain::job::Job;

/// Jobs that a listener gets at first.
pub(super) const NEWEST: usize = 50;

/// Deleted jobs that are remembered: many more than an answer under way can still have.
const DELETED_MAX: usize = 1_000;

/// Answers of the table that a listener may be behind.
pub(super) const BEHIND_MAX: usize = 16;

/// What every listener gets.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Jobs(Arc<[Job]>),
    Deleted(i64),
    /// More than are kept: the state of the newest jobs replaces them.
    All,
}

/// Who listens to all jobs, if anybody does.
#[derive(Debug, Default)]
pub(super) struct JobChanges(tokio::sync::Mutex<Weak<NewestJobs>>);

impl JobChanges {
    /// Held while the table is read: who else begins to listen waits for the same.
    pub(super) async fn locked(&self) -> tokio::sync::MutexGuard<'_, Weak<NewestJobs>> {
        self.0.lock().await
    }

    /// True when those who listen see this job among the newest.
    pub(super) async fn shows(&self, id: i64) -> bool {
        let watched = self.0.lock().await.upgrade();
        watched.is_some_and(|watched| watched.newest().jobs.contains_key(&id))
    }

    /// Announces to the listeners that a job was deleted.
    pub(super) async fn deleted(&self, id: i64) {
        if let Some(watched) = self.0.lock().await.upgrade() {
            watched.tell_deleted(id);
        }
    }
}

/// All jobs, as those who listen see them.
#[derive(Debug)]
pub(super) struct NewestJobs {
    /// The newest jobs by number, as of the last answer that was sent.
    newest: Mutex<Newest>,
    changed: broadcast::Sender<Change>,
}

#[derive(Debug, Default)]
struct Newest {
    jobs: BTreeMap<i64, Job>,
    /// Sent as deleted, the last at the end: an answer of the table that was under way may still have them.
    deleted: VecDeque<i64>,
}

impl NewestJobs {
    /// The newest jobs as the table has them now.
    pub(super) fn new(jobs: Vec<Job>) -> Self {
        let jobs = jobs.into_iter().map(|job| (job.id, job)).collect();
        let newest = Mutex::new(Newest { jobs, deleted: VecDeque::new() });
        Self { newest, changed: broadcast::Sender::new(BEHIND_MAX) }
    }

    /// The newest jobs, and every change from there on.
    pub(super) fn listen(&self) -> (broadcast::Receiver<Change>, Vec<Job>) {
        let newest = self.newest();
        (self.changed.subscribe(), newest.jobs.values().rev().cloned().collect())
    }

    /// Emits the jobs that changed.
    pub(super) fn tell(&self, mut changed: Vec<Job>) {
        let mut newest = self.newest();
        changed.retain(|job| !newest.deleted.contains(&job.id));
        newest.jobs.extend(changed.iter().map(|job| (job.id, job.clone())));
        while newest.jobs.len() > NEWEST {
            newest.jobs.pop_first();
        }
        // Nobody listens in this moment.
        let _unheard = self.changed.send(Change::Jobs(changed.into()));
    }

    /// Emits the state of the newest jobs, unless that is known.
    pub(super) fn tell_all(&self, jobs: Vec<Job>) {
        let mut newest = self.newest();
        let mut now: BTreeMap<i64, Job> = jobs.into_iter().map(|job| (job.id, job)).collect();
        now.retain(|id, _| !newest.deleted.contains(id));
        if now != newest.jobs {
            newest.jobs = now;
            let _unheard = self.changed.send(Change::All);
        }
    }

    /// Emits that a job was deleted.
    pub(super) fn tell_deleted(&self, id: i64) {
        let mut newest = self.newest();
        newest.jobs.remove(&id);
        newest.deleted.push_back(id);
        if newest.deleted.len() > DELETED_MAX {
            newest.deleted.pop_front();
        }
        let _unheard = self.changed.send(Change::Deleted(id));
    }

    fn newest(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
