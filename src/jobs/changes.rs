//! Following all jobs: the newest ones, then each that changes.
//!
//! One task of this server asks the table, a few times a second and only while somebody listens,
//! which jobs changed: whichever server changed them, and each told no more often than that.
//! Everybody hears the same; whoever falls too far behind hears how all stand instead.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::error::{JobsError, chain};
use super::{Inner, Jobs};
use crate::domain::job::Job;
use crate::store::{JobFilter, StoreError};

/// Jobs that a listener is told of at first.
const NEWEST: usize = 50;

/// How often the table is asked.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Times of change are those at which transactions began; one that took longer than this until its
/// commit may be noticed only with the job's next change.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);

/// Deleted jobs that are remembered: many more than an answer under way can still have.
const DELETED_MAX: usize = 1_000;

/// Answers of the table that a listener may be behind.
const BEHIND_MAX: usize = 16;

/// Follows all jobs; see [`Jobs::subscribe_all`].
#[derive(Debug)]
pub struct JobsSubscription {
    /// `None` until the first snapshot and after falling behind.
    changed: Option<broadcast::Receiver<Change>>,
    watched: Arc<Watched>,
    stop: CancellationToken,
}

/// What a follower of all jobs is told.
#[derive(Debug, Clone)]
pub enum JobsUpdate {
    /// The newest jobs, the newest first.
    Snapshot(Vec<Job>),
    /// Jobs that changed.
    Changed(Arc<[Job]>),
    /// The job with this number was deleted.
    Deleted(i64),
}

/// What everybody who listens is told.
#[derive(Debug, Clone)]
enum Change {
    Jobs(Arc<[Job]>),
    Deleted(i64),
}

impl JobsSubscription {
    /// Waits for what is told next; `None` when the server stops. May be dropped while it waits.
    pub async fn next(&mut self) -> Option<JobsUpdate> {
        let Some(changed) = &mut self.changed else {
            let (changed, newest) = self.watched.listen();
            self.changed = Some(changed);
            return Some(JobsUpdate::Snapshot(newest));
        };
        tokio::select! {
            changed = changed.recv() => match changed {
                Ok(Change::Jobs(jobs)) => Some(JobsUpdate::Changed(jobs)),
                Ok(Change::Deleted(id)) => Some(JobsUpdate::Deleted(id)),
                Err(RecvError::Lagged(_)) => {
                    let (changed, newest) = self.watched.listen();
                    self.changed = Some(changed);
                    Some(JobsUpdate::Snapshot(newest))
                }
                Err(RecvError::Closed) => None,
            },
            () = self.stop.cancelled() => None,
        }
    }
}

impl Jobs {
    /// Follows all jobs: the newest ones as they stand, then each job when it changed, at most four
    /// times a second.
    ///
    /// # Errors
    /// The store's.
    pub async fn subscribe_all(&self) -> Result<JobsSubscription, JobsError> {
        let watched = self
            .on_runtime(|inner| async move { Ok(inner.changes.watched(&inner).await?) })
            .await?;
        Ok(JobsSubscription { changed: None, watched, stop: self.inner.stop.clone() })
    }
}

/// Who listens to all jobs, if anybody does.
#[derive(Debug, Default)]
pub(super) struct Changes(tokio::sync::Mutex<Weak<Watched>>);

impl Changes {
    /// What is watched already, else a new watch.
    async fn watched(&self, inner: &Arc<Inner>) -> Result<Arc<Watched>, StoreError> {
        // Held while the table is read: who else begins to listen waits for the same.
        let mut watched = self.0.lock().await;
        if let Some(watched) = watched.upgrade() {
            return Ok(watched);
        }
        let mut seen = Seen::default();
        seen.look(inner).await?;
        let filter = JobFilter { limit: NEWEST as u64, ..JobFilter::default() };
        let newest = inner.store.list(&filter).await?;
        let now = Arc::new(Watched {
            newest: Mutex::new(Newest {
                jobs: newest.into_iter().map(|job| (job.id, job)).collect(),
                deleted: VecDeque::new(),
            }),
            changed: broadcast::Sender::new(BEHIND_MAX),
        });
        *watched = Arc::downgrade(&now);
        let watch = watch(Arc::clone(inner), Arc::downgrade(&now), seen);
        inner.tasks.spawn_on(watch, &inner.runtime);
        Ok(now)
    }

    /// True when those who listen see this job among the newest.
    pub(super) async fn shows(&self, id: i64) -> bool {
        let watched = self.0.lock().await.upgrade();
        watched.is_some_and(|watched| watched.newest().jobs.contains_key(&id))
    }

    /// Tells those who listen that a job was deleted.
    pub(super) async fn deleted(&self, id: i64) {
        if let Some(watched) = self.0.lock().await.upgrade() {
            watched.tell_deleted(id);
        }
    }
}

/// All jobs, as those who listen see them.
#[derive(Debug)]
struct Watched {
    /// The newest jobs by number, as of the last answer that was sent.
    newest: Mutex<Newest>,
    changed: broadcast::Sender<Change>,
}

#[derive(Debug, Default)]
struct Newest {
    jobs: BTreeMap<i64, Job>,
    /// Told as deleted, the last at the end: an answer of the table that was under way may still have them.
    deleted: VecDeque<i64>,
}

impl Watched {
    /// The newest jobs, and every change from there on.
    fn listen(&self) -> (broadcast::Receiver<Change>, Vec<Job>) {
        let newest = self.newest();
        (self.changed.subscribe(), newest.jobs.values().rev().cloned().collect())
    }

    fn tell(&self, mut changed: Vec<Job>) {
        let mut newest = self.newest();
        changed.retain(|job| !newest.deleted.contains(&job.id));
        newest.jobs.extend(changed.iter().map(|job| (job.id, job.clone())));
        while newest.jobs.len() > NEWEST {
            newest.jobs.pop_first();
        }
        // Nobody listens in this moment.
        let _unheard = self.changed.send(Change::Jobs(changed.into()));
    }

    fn tell_deleted(&self, id: i64) {
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

/// Asks the table as long as somebody listens.
async fn watch(inner: Arc<Inner>, watched: Weak<Watched>, mut seen: Seen) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(ASK_AGAIN) => {}
            () = inner.stop.cancelled() => return,
        }
        let Some(watched) = watched.upgrade() else { return };
        match seen.look(&inner).await {
            Ok(changed) if changed.is_empty() => {}
            Ok(changed) => watched.tell(changed),
            Err(error) => {
                tracing::warn!(error = chain(&error), "the table of jobs cannot be read");
            }
        }
    }
}

/// What was seen of the jobs that changed lately.
#[derive(Debug, Default)]
struct Seen {
    newest: Option<DateTime<Utc>>,
    /// The number of its last event and the time of its last change, for each job.
    jobs: HashMap<i64, (u64, DateTime<Utc>)>,
}

impl Seen {
    /// The jobs that are not as they were seen; the first time none.
    async fn look(&mut self, inner: &Inner) -> Result<Vec<Job>, StoreError> {
        let is_first = self.newest.is_none();
        let since = match self.newest {
            Some(newest) => newest - OVERLAP,
            None => inner.store.last_change().await?.unwrap_or_default() - OVERLAP,
        };
        let marks = inner.store.changed_since(since).await?;
        let news: Vec<i64> = marks
            .iter()
            .filter(|mark| self.jobs.get(&mark.id) != Some(&(mark.event_count, mark.updated_at)))
            .map(|mark| mark.id)
            .collect();
        let changed =
            if is_first || news.is_empty() { Vec::new() } else { inner.store.jobs(&news).await? };
        self.newest =
            marks.iter().map(|mark| mark.updated_at).chain(self.newest).max().or(Some(since));
        self.jobs =
            marks.iter().map(|mark| (mark.id, (mark.event_count, mark.updated_at))).collect();
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_falls_too_far_behind_is_told_how_all_stand() {
        let watched = Arc::new(Watched {
            newest: Mutex::default(),
            changed: broadcast::Sender::new(BEHIND_MAX),
        });
        let stop = CancellationToken::new();
        let mut subscription =
            JobsSubscription { changed: None, watched: Arc::clone(&watched), stop: stop.clone() };
        assert!(matches!(subscription.next().await, Some(JobsUpdate::Snapshot(_))));
        for _ in 0..=BEHIND_MAX {
            watched.tell(Vec::new());
        }
        assert!(matches!(subscription.next().await, Some(JobsUpdate::Snapshot(_))));
        watched.tell(Vec::new());
        assert!(matches!(subscription.next().await, Some(JobsUpdate::Changed(_))));
        watched.tell_deleted(7);
        assert!(matches!(subscription.next().await, Some(JobsUpdate::Deleted(7))));
        stop.cancel();
        assert!(subscription.next().await.is_none());
    }
}
