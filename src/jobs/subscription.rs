//! A subscription to a job: every stored event, then new ones as they are stored.
//!
//! The table is the buffer. A subscriber keeps a position and reads the events behind it, page by
//! page, when the next one is requested: a client that does not read costs one page, and nothing
//! is missed, wherever the job runs and however often the server was restarted meanwhile. Of what
//! happens while it listens only progress may be left out, never what became of rows.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::event_feed::{EventFeed, EventPage, FeedState, PAGE_EVENTS};
use super::feed_poll::feed_of;
use crate::domain::event::{
    EVERY_ROW_MAX, Event, Notice, RowEvent, RowEventBatch, StoredEvent, records_every_row,
};
use crate::domain::job::Job;
use crate::domain::options::RowEventMode;
use crate::metrics::{Listening, StreamKind};

/// The time between two progress events at least, once what was stored before is sent.
const PROGRESS_PAUSE: Duration = Duration::from_millis(250);

/// How often the place of a waiting job is looked at.
pub(super) const PLACE_PAUSE: Duration = Duration::from_secs(1);

/// Follows one job; see [`Jobs::subscribe`].
#[derive(Debug)]
pub struct Subscription {
    jobs: Jobs,
    _listening: Listening,
    stop: CancellationToken,
    job: Job,
    rows: RowEventMode,
    feed: Arc<EventFeed>,
    state: watch::Receiver<FeedState>,
    /// The number of the last event that was sent or left out.
    position: u64,
    /// Up to here everything is sent.
    replayed: u64,
    page: Option<EventPage>,
    /// Progress that waits until it may be sent.
    held: Option<DeliveredEvent>,
    next_progress: Instant,
    /// The place of a waiting job that the subscriber knows.
    place: Option<u64>,
    next_look: Instant,
    /// The subscriber knows that events are gone.
    is_pruned: bool,
    /// Whether a notice must say which rows are not sent one by one.
    is_unsent_notice_due: bool,
    notices: Vec<Notice>,
    is_over: bool,
}

/// What a subscriber gets.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A notice about what cannot be sent. Has no number.
    Notice(Notice),
    /// The place in the queue of a job that waits. Has no number.
    Place(u64),
    /// An event of the job.
    Event(DeliveredEvent),
}

/// A stored event as one subscriber gets it.
#[derive(Debug, Clone)]
pub struct DeliveredEvent {
    pub(super) page: EventPage,
    pub(super) index: usize,
    pub(super) after: u64,
    pub(super) rows: RowEventMode,
}

impl DeliveredEvent {
    /// When it happened.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.stored().map_or_else(DateTime::default, |stored| stored.at)
    }

    /// Its number; of rows the number of the last note.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.stored().map_or(0, |stored| stored.number)
    }

    /// What happened; of rows see [`notes`](Self::notes).
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        self.stored().map(|stored| &stored.event)
    }

    /// The notes about rows that this subscriber is to get, each with its number and with the
    /// percentage that the job has reached with it.
    pub fn notes(&self) -> impl Iterator<Item = (u64, &RowEvent, f64)> {
        let first = self.stored().map_or(0, |stored| stored.first);
        let rows = match self.event() {
            Some(Event::Rows(rows)) => Some(rows),
            _ => None,
        };
        let every_row = rows.is_some_and(|rows| wants_every_row(self.rows, rows));
        let after = self.after;
        let notes = rows.into_iter().flat_map(move |rows| rows.numbered(first));
        notes.filter(move |(number, note, _)| {
            *number > after && (every_row || !note.kind().is_plain_row())
        })
    }

    fn stored(&self) -> Option<&StoredEvent> {
        self.page.get(self.index)
    }
}

/// Whether a subscriber with this mode gets the outcome of each of these rows.
fn wants_every_row(rows: RowEventMode, notes: &RowEventBatch) -> bool {
    match rows {
        RowEventMode::All => true,
        RowEventMode::None => false,
        RowEventMode::Auto => notes.total <= EVERY_ROW_MAX,
    }
}

impl Jobs {
    /// Follows a job from behind the event numbered `after`. `rows` says whether what became of
    /// every row is sent; `Auto` means: of jobs that are not too large.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn subscribe(
        &self,
        id: i64,
        after: u64,
        rows: RowEventMode,
    ) -> Result<Subscription, JobsError> {
        let (job, feed, notices) = self
            .on_runtime(move |context| async move {
                // The copy in memory may be a commit behind what somebody has read from the table.
                let known = context.manager.get(id).filter(|job| after <= job.event_count);
                let job = match known {
                    Some(job) => job,
                    None => context.store.get(id).await?.ok_or(JobsError::NotFound(id))?,
                };
                let (job, notice) = ask_for_rows(&context, job, rows).await?;
                let feed = feed_of(&context, &job);
                Ok((job, feed, Vec::from_iter(notice)))
            })
            .await?;
        let place = self.queue_position(&job).await;
        // A number that a job has not reached is none of its own: such a listener gets the events from now on.
        let position = if job.status.is_terminal() { after } else { after.min(job.event_count) };
        Ok(Subscription {
            jobs: self.clone(),
            _listening: self.context.metrics.listens(StreamKind::Job),
            stop: self.context.stop.clone(),
            rows,
            state: feed.state(),
            feed,
            position,
            replayed: job.event_count,
            page: None,
            held: None,
            next_progress: Instant::now(),
            place,
            next_look: Instant::now() + PLACE_PAUSE,
            is_pruned: false,
            is_unsent_notice_due: rows == RowEventMode::All && position == 0 && notices.is_empty(),
            notices,
            is_over: job.status.is_terminal() && after >= job.event_count,
            job,
        })
    }
}

/// Lets the job store the outcome of every row, if the client requests that and the job does not do
/// so yet. Gives the notice about rows whose outcomes are not stored.
async fn ask_for_rows(
    context: &JobsContext,
    job: Job,
    rows: RowEventMode,
) -> Result<(Job, Option<Notice>), JobsError> {
    if rows != RowEventMode::All || records_every_row(&job) {
        return Ok((job, None));
    }
    let done = job.counts.processed();
    if job.options.rows == RowEventMode::None {
        return Ok((job, Some(Notice::RowsDisabled)));
    }
    let updated = if job.status.is_terminal() {
        None
    } else {
        context.store.request_row_events(job.id).await?
    };
    let Some(updated) = updated else {
        let notice = (done > 0).then(|| unsent_notice(done));
        return Ok((job, notice));
    };
    let notice = Some(updated.counts.processed()).filter(|done| *done > 0).map(unsent_notice);
    Ok((updated, notice))
}

fn unsent_notice(rows: u64) -> Notice {
    Notice::RowsNotRecorded { rows }
}

impl Subscription {
    /// The job as it stood when this subscription began.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Its place in the queue then, if it waited.
    #[must_use]
    pub fn place(&self) -> Option<u64> {
        self.place
    }

    /// True when there is nothing to tell any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Waits for the next delivery; `None` after the end of the job, and when the server stops
    /// (then [`is_over`](Self::is_over) is false). May be dropped while it waits.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<Delivery>, JobsError> {
        loop {
            if let Some(notice) = self.notices.pop() {
                return Ok(Some(Delivery::Notice(notice)));
            }
            if self.is_over || self.stop.is_cancelled() {
                return Ok(None);
            }
            if let Some(page) = self.page.take() {
                if let Some(delivery) = self.turn(page) {
                    return Ok(Some(delivery));
                }
                continue;
            }
            let state = *self.state.borrow_and_update();
            if self.position < state.last {
                let page = self.read_page().await?;
                if page.is_empty() {
                    self.missed(state.last + 1);
                }
                self.page = Some(page);
                continue;
            }
            if let Some(held) = self.held.take_if(|_| self.next_progress <= Instant::now()) {
                return Ok(Some(self.progress(held)));
            }
            if state.is_end {
                self.is_over = true;
                continue;
            }
            if state.is_waiting && self.next_look <= Instant::now() {
                let place = self.jobs.queue_position(&self.job).await;
                self.next_look = Instant::now() + PLACE_PAUSE;
                if let Some(place) = place.filter(|_| place != self.place) {
                    self.place = Some(place);
                    return Ok(Some(Delivery::Place(place)));
                }
                continue;
            }
            self.wait(state.is_waiting).await;
        }
    }

    /// Reads the page of events behind the position, unless another subscription has.
    async fn read_page(&self) -> Result<EventPage, JobsError> {
        let (id, after) = (self.feed.id(), self.position);
        let read = || {
            self.jobs.on_runtime(move |context| async move {
                Ok(context.store.events_after(id, after, PAGE_EVENTS).await?)
            })
        };
        self.feed.page(after, read).await
    }

    /// Waits until there is something new, until held progress may be sent, or until the place of a
    /// waiting job is to be looked at.
    async fn wait(&mut self, is_waiting: bool) {
        let until = self.held.as_ref().map(|_| self.next_progress);
        let held = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let look = tokio::time::sleep_until(self.next_look);
        tokio::select! {
            // The feed lives as long as this subscription.
            _ = self.state.changed() => {}
            () = held => {}
            () = look, if is_waiting => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// The next delivery of the page; puts the page back when there may be more of it.
    fn turn(&mut self, page: EventPage) -> Option<Delivery> {
        let index = page.iter().position(|stored| stored.number > self.position)?;
        let stored = page.get(index)?;
        if stored.first > self.position + 1 {
            self.missed(stored.first);
            self.page = Some(page);
            return None;
        }
        let delivered = DeliveredEvent {
            page: Arc::clone(&page),
            index,
            after: self.position,
            rows: self.rows,
        };
        match &stored.event {
            Event::Progress { .. } if stored.number > self.replayed => {
                self.pass(stored);
                let newer = |stored: &StoredEvent| matches!(stored.event, Event::Progress { .. });
                let is_newest = !page.iter().skip(index + 1).any(newer);
                self.page = Some(page);
                if !is_newest {
                    return None;
                }
                if self.next_progress <= Instant::now() {
                    self.held = None;
                    return Some(self.progress(delivered));
                }
                self.held = Some(delivered);
                None
            }
            Event::Rows(rows)
                if rows.every_row && std::mem::take(&mut self.is_unsent_notice_due) =>
            {
                self.notices
                    .extend(Some(rows.processed).filter(|done| *done > 0).map(unsent_notice));
                self.page = Some(page);
                None
            }
            Event::Rows(_) => {
                self.pass(stored);
                self.page = Some(page);
                let is_delivered = delivered.notes().next().is_some();
                // Numbers only rise: progress that waited is superseded.
                self.held = self.held.take().filter(|_| !is_delivered);
                is_delivered.then_some(Delivery::Event(delivered))
            }
            event => {
                self.page = Some(Arc::clone(&page));
                // A turn of the job's life: the last progress before it is sent, however soon.
                if let Some(held) = self.held.take() {
                    return Some(self.progress(held));
                }
                self.pass(stored);
                self.is_over = matches!(event, Event::Complete { .. });
                Some(Delivery::Event(delivered))
            }
        }
    }

    fn pass(&mut self, stored: &StoredEvent) {
        self.position = stored.number;
    }

    fn progress(&mut self, delivered: DeliveredEvent) -> Delivery {
        self.next_progress = Instant::now() + PROGRESS_PAUSE;
        Delivery::Event(delivered)
    }

    /// The events up to the one before `number` were pruned. Of those that were stored before this
    /// subscription began one notice says so; a single later one was progress, of which not all is sent.
    fn missed(&mut self, number: u64) {
        let (first, last) = (self.position + 1, number - 1);
        if first > self.replayed {
            self.notices.extend((first < last).then_some(Notice::EventsRemoved { first, last }));
        } else if !std::mem::replace(&mut self.is_pruned, true) {
            self.notices.push(Notice::EventsPruned { first, last: self.replayed });
        }
        self.position = last;
        self.is_unsent_notice_due = false;
    }
}
