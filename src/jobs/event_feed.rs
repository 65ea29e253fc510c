//! What the subscribers of one job share: how far its events reach, and the last pages of them that
//! were read from the table. However many follow a job, each page is read once, and a job that
//! another server runs is looked at once at a time.
//!
//! A feed lives as long as somebody follows the job.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{OnceCell, watch};

use super::error::JobsError;
use crate::domain::event::StoredEvent;
use crate::domain::job::Job;
use crate::domain::status::JobStatus;

/// Stored events of a page. One may hold a thousand notes, so that a page takes half a megabyte at
/// most.
pub(super) const PAGE_EVENTS: u64 = 4;

/// Pages that are kept for those who come a bit later.
const PAGES_KEPT: usize = 4;

/// Some events of a job, in order.
pub(super) type EventPage = Arc<[StoredEvent]>;

/// How far the events of a job reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FeedState {
    /// The number of the last one.
    pub(super) last: u64,
    /// No other will come.
    pub(super) is_end: bool,
    /// The job waits for its first run.
    pub(super) is_waiting: bool,
}

impl FeedState {
    pub(super) fn of(job: &Job) -> Self {
        let is_waiting = job.status == JobStatus::Pending;
        Self { last: job.event_count, is_end: job.status.is_terminal(), is_waiting }
    }
}

/// The feeds of all jobs that are followed.
#[derive(Debug, Default)]
pub(super) struct EventFeeds(Mutex<HashMap<i64, Weak<EventFeed>>>);

/// The feed of one job.
#[derive(Debug)]
pub(super) struct EventFeed {
    id: i64,
    state: watch::Sender<FeedState>,
    /// By the number before the first event.
    pages: Mutex<VecDeque<(u64, Arc<OnceCell<EventPage>>)>>,
}

impl EventFeeds {
    /// The feed of a job, and whether it is new: then nobody followed the job before.
    pub(super) fn of(&self, job: &Job) -> (Arc<EventFeed>, bool) {
        let mut feeds = locked(&self.0);
        if let Some(feed) = feeds.get(&job.id).and_then(Weak::upgrade) {
            feed.advance(FeedState::of(job));
            return (feed, false);
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let state = watch::Sender::new(FeedState::of(job));
        let feed = Arc::new(EventFeed { id: job.id, state, pages: Mutex::default() });
        feeds.insert(job.id, Arc::downgrade(&feed));
        (feed, true)
    }

    /// True while somebody follows the job.
    pub(super) fn is_followed(&self, id: i64) -> bool {
        locked(&self.0).get(&id).is_some_and(|feed| feed.strong_count() > 0)
    }
}

impl EventFeed {
    /// The number of the last event, now and later.
    pub(super) fn state(&self) -> watch::Receiver<FeedState> {
        self.state.subscribe()
    }

    /// Shows how far the events reach now, unless that is known.
    pub(super) fn advance(&self, now: FeedState) {
        self.state.send_if_modified(|shown| {
            let grew = now.last > shown.last || now.is_end && !shown.is_end;
            if grew {
                *shown = now;
            }
            grew
        });
    }

    /// The number of the job.
    pub(super) fn id(&self) -> i64 {
        self.id
    }

    /// No other events will come.
    pub(super) fn end(&self) {
        self.state.send_modify(|state| state.is_end = true);
    }

    /// The events behind the one numbered `after`, as many as make a page, which `read` reads. Who
    /// asks for a page that is being read waits for it.
    pub(super) async fn page<F>(
        &self,
        after: u64,
        read: impl FnOnce() -> F,
    ) -> Result<EventPage, JobsError>
    where
        F: Future<Output = Result<Vec<StoredEvent>, JobsError>>,
    {
        let cell = self.cell(after);
        let read = || async { Ok::<_, JobsError>(EventPage::from(read().await?)) };
        let page = Arc::clone(cell.get_or_try_init(read).await?);
        if page.is_empty() {
            // There will be more behind `after` one day.
            locked(&self.pages).retain(|(kept, _)| *kept != after);
        }
        Ok(page)
    }

    fn cell(&self, after: u64) -> Arc<OnceCell<EventPage>> {
        let mut pages = locked(&self.pages);
        if let Some((_, cell)) = pages.iter().find(|(kept, _)| *kept == after) {
            return Arc::clone(cell);
        }
        if pages.len() >= PAGES_KEPT {
            pages.pop_front();
        }
        let cell = Arc::default();
        pages.push_back((after, Arc::clone(&cell)));
        cell
    }
}

/// Nothing here is left half-changed by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
