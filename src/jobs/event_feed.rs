//! What the followers of one job share: how far its events reach, and the last pages of them that
//! were read from the table. However many follow a job, each page is read once, and a job that
//! another server runs is looked at once at a time.
//!
//! A feed lives as long as somebody follows the job.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use super::error::{JobsError, chain};
use super::{Inner, Jobs};
use crate::domain::event::StoredEvent;
use crate::domain::job::Job;
use crate::store::StoreError;

/// Stored events of a page. One may hold a thousand notes, so that a page takes half a megabyte at
/// most.
const PAGE_EVENTS: u64 = 4;

/// Pages that are kept for those who come a bit later.
const PAGES_KEPT: usize = 4;

/// How often a job that runs elsewhere, or nowhere yet, is looked up in the table.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How often followers are woken at most: a job of tiny chunks commits more often than anybody can
/// see.
const PACE: Duration = Duration::from_millis(40);

/// Some events of a job, in order.
pub(super) type EventPage = Arc<[StoredEvent]>;

/// How far the events of a job reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FeedState {
    /// The number of the last one.
    pub(super) last: u64,
    /// No other will come.
    pub(super) is_end: bool,
}

impl FeedState {
    fn of(job: &Job) -> Self {
        Self { last: job.event_count, is_end: job.status.is_terminal() }
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
    /// The feed of a job; begins to look after the job when nobody followed it.
    pub(super) fn of(&self, inner: &Arc<Inner>, job: &Job) -> Arc<EventFeed> {
        let mut feeds = locked(&self.0);
        if let Some(feed) = feeds.get(&job.id).and_then(Weak::upgrade) {
            feed.advance(FeedState::of(job));
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let state = watch::Sender::new(FeedState::of(job));
        let feed = Arc::new(EventFeed { id: job.id, state, pages: Mutex::default() });
        feeds.insert(job.id, Arc::downgrade(&feed));
        if !job.status.is_terminal() {
            let look = poll(Arc::clone(inner), job.id, Arc::downgrade(&feed));
            inner.tasks.spawn_on(look, &inner.runtime);
        }
        feed
    }

    /// True while somebody follows the job.
    pub(super) fn is_followed(&self, id: i64) -> bool {
        locked(&self.0).get(&id).is_some_and(|feed| feed.strong_count() > 0)
    }
}

impl EventFeed {
    /// Tells how far the events reach, now and later.
    pub(super) fn state(&self) -> watch::Receiver<FeedState> {
        self.state.subscribe()
    }

    fn advance(&self, now: FeedState) {
        self.state.send_if_modified(|shown| {
            let grew = now.last > shown.last || now.is_end && !shown.is_end;
            if grew {
                *shown = now;
            }
            grew
        });
    }

    /// The events behind the one numbered `after`, as many as make a page. Who asks for a page that
    /// is being read waits for it.
    pub(super) async fn page(&self, jobs: &Jobs, after: u64) -> Result<EventPage, JobsError> {
        let cell = self.cell(after);
        let id = self.id;
        let read = || {
            jobs.on_runtime(move |inner| async move {
                Ok(EventPage::from(inner.store.events_after(id, after, PAGE_EVENTS).await?))
            })
        };
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

/// Keeps the reach of a feed true until the job ends, nobody follows it or the server stops.
async fn poll(inner: Arc<Inner>, id: i64, feed: Weak<EventFeed>) {
    loop {
        let looked = look(&inner, id).await;
        let Some(feed) = feed.upgrade() else { return };
        let mut shown = match looked {
            Ok(Some(shown)) => shown,
            Ok(None) => return feed.state.send_modify(|state| state.is_end = true),
            Err(error) => {
                tracing::warn!(job = id, error = chain(&error), "a followed job cannot be read");
                drop(feed);
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
        };
        let now = FeedState::of(&shown.borrow_and_update());
        feed.advance(now);
        drop(feed);
        if now.is_end {
            return;
        }
        tokio::select! {
            // What another server does with the job is only in the table.
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            // The sender is gone when the job was tidied away.
            _ = shown.changed() => tokio::time::sleep(PACE).await,
            () = inner.stop.cancelled() => return,
        }
    }
}

/// The newest that is known of the job, from memory if it runs here; `None` when somebody deleted
/// it.
async fn look(inner: &Inner, id: i64) -> Result<Option<watch::Receiver<Job>>, StoreError> {
    if inner.manager.get(id).is_none() {
        match inner.store.get(id).await? {
            Some(job) => inner.manager.publish(job),
            None => return Ok(None),
        }
    }
    // Without a copy in memory, because it was tidied away in this moment, the table again.
    match inner.manager.watch(id) {
        Some(shown) => Ok(Some(shown)),
        None => Ok(inner.store.get(id).await?.map(|job| watch::Sender::new(job).subscribe())),
    }
}

/// Nothing here is left half-changed by a panic.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
