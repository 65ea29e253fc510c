//! Following all jobs: the newest ones, then each that changes.
//!
//! One task of this server asks the table, a few times a second and only while somebody listens,
//! which jobs changed: whichever server changed them, and each sent no more often than that.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::job_changes::{Change, NEWEST, NewestJobs};
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::metrics::{Listening, StreamKind};
use crate::store::{JobFilter, Store, StoreError};

/// How often the table is asked.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Times of change are those at which transactions began; one that took longer than this until its
/// commit may be noticed only with the job's next change.
const OVERLAP: TimeDelta = TimeDelta::seconds(10);

/// Jobs of which the last change is remembered.
const MARKS_MAX: u64 = 1_000;

/// Jobs that are read at a time.
const READ_MAX: usize = 100;

/// Follows all jobs; see [`Jobs::subscribe_all`].
#[derive(Debug)]
pub struct JobsSubscription {
    /// `None` until the first snapshot and after falling behind.
    changed: Option<broadcast::Receiver<Change>>,
    watched: Arc<NewestJobs>,
    stop: CancellationToken,
    _listening: Listening,
}

/// What a subscriber of all jobs gets.
#[derive(Debug, Clone)]
pub enum JobsUpdate {
    /// The newest jobs, the newest first.
    Snapshot(Vec<Job>),
    /// Jobs that changed.
    Changed(Arc<[Job]>),
    /// The job with this number was deleted.
    Deleted(i64),
}

impl JobsSubscription {
    /// Waits for the next delivery; `None` when the server stops. May be dropped while it waits.
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
                Ok(Change::All) | Err(RecvError::Lagged(_)) => {
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
        let watched =
            self.on_runtime(|context| async move { Ok(watched(&context).await?) }).await?;
        Ok(JobsSubscription {
            changed: None,
            watched,
            stop: self.context.stop.clone(),
            _listening: self.context.metrics.listens(StreamKind::AllJobs),
        })
    }
}

/// What is watched already, else a new watch.
async fn watched(context: &Arc<JobsContext>) -> Result<Arc<NewestJobs>, StoreError> {
    let mut watched = context.changes.locked().await;
    if let Some(watched) = watched.upgrade() {
        return Ok(watched);
    }
    let mut seen = SeenJobs::default();
    seen.look(&context.store).await?;
    let newest = newest(&context.store).await?;
    let now = Arc::new(NewestJobs::new(newest));
    *watched = Arc::downgrade(&now);
    let poll = poll(Arc::clone(context), Arc::downgrade(&now), seen);
    context.tasks.spawn_on(poll, &context.runtime);
    Ok(now)
}

async fn newest(store: &Store) -> Result<Vec<Job>, StoreError> {
    store.list(&JobFilter { limit: NEWEST as u64, ..JobFilter::default() }).await
}

/// Asks the table as long as somebody listens.
async fn poll(context: Arc<JobsContext>, watched: Weak<NewestJobs>, mut seen: SeenJobs) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(ASK_AGAIN) => {}
            () = context.stop.cancelled() => return,
        }
        let Some(watched) = watched.upgrade() else { return };
        if let Err(error) = seen.tell(&watched, &context.store).await {
            tracing::warn!(
                event = "jobs_unreadable",
                error = error_chain(&error),
                "table of jobs cannot be read"
            );
        }
    }
}

/// What was seen of the jobs that changed lately.
#[derive(Debug, Default)]
struct SeenJobs {
    newest: Option<DateTime<Utc>>,
    /// The number of its last event and the time of its last change, for each job.
    jobs: HashMap<i64, (u64, DateTime<Utc>)>,
}

/// What a look at the table gave.
#[derive(Debug)]
enum Changes {
    /// These jobs are not as they were seen.
    Jobs(Vec<i64>),
    /// More jobs than anybody can follow; these of the newest changes, and others.
    TooMany(Vec<i64>),
}

impl SeenJobs {
    /// Sends what changed to the listeners. However many jobs change at once, as by a statement of an
    /// operator, few of them are read: then everybody gets the newest jobs as they stand.
    async fn tell(&mut self, watched: &NewestJobs, store: &Store) -> Result<(), StoreError> {
        let (changed, are_all) = match self.look(store).await? {
            Changes::Jobs(changed) => (changed, true),
            Changes::TooMany(changed) => (changed, false),
        };
        if !changed.is_empty() {
            watched.tell(store.jobs(&changed).await?);
        }
        if !are_all {
            watched.tell_all(newest(store).await?);
        }
        Ok(())
    }

    /// The jobs that are not as they were seen; the first time none.
    async fn look(&mut self, store: &Store) -> Result<Changes, StoreError> {
        let before = self.newest;
        let since = match before {
            Some(newest) => newest - OVERLAP,
            None => store.last_change().await?.unwrap_or_default() - OVERLAP,
        };
        let marks = store.changed_since(since, MARKS_MAX).await?;
        let mut news: Vec<i64> = marks
            .iter()
            .filter(|mark| self.jobs.get(&mark.id) != Some(&(mark.event_count, mark.updated_at)))
            .map(|mark| mark.id)
            .collect();
        // Behind the last mark there may be jobs that nobody looked at.
        let is_full = marks.len() as u64 == MARKS_MAX;
        self.newest =
            marks.iter().map(|mark| mark.updated_at).chain(self.newest).max().or(Some(since));
        self.jobs =
            marks.iter().map(|mark| (mark.id, (mark.event_count, mark.updated_at))).collect();
        if before.is_none() {
            return Ok(Changes::Jobs(Vec::new()));
        }
        if is_full || news.len() > READ_MAX {
            news.truncate(READ_MAX);
            return Ok(Changes::TooMany(news));
        }
        Ok(Changes::Jobs(news))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::job_changes::BEHIND_MAX;
    use crate::metrics::ServerMetrics;

    #[tokio::test]
    async fn who_falls_too_far_behind_is_told_how_all_stand() {
        let watched = Arc::new(NewestJobs::new(Vec::new()));
        let stop = CancellationToken::new();
        let mut subscription = JobsSubscription {
            changed: None,
            watched: Arc::clone(&watched),
            stop: stop.clone(),
            _listening: ServerMetrics::new([]).listens(StreamKind::AllJobs),
        };
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
