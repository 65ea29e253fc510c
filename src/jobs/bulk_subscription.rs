//! Following a bulk: the events of all of its jobs, each once, and the bulk whenever it changed.
//!
//! The table is the buffer, as for one job. A position says of each job how far its events were sent;
//! who comes back names it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bulk_feed::BulkFeed;
use super::bulk_poll;
use super::context::Jobs;
use super::error::JobsError;
use super::event_feed::{EventPage, PAGE_EVENTS};
use super::subscription::{DeliveredEvent, PLACE_PAUSE};
use crate::domain::bulk::{Bulk, BulkJob, FileCounts};
use crate::domain::counts::Counts;
use crate::domain::event::Event;
use crate::domain::options::RowEventMode;
use crate::domain::status::JobStatus;
use crate::metrics::{Listening, StreamKind};

/// Follows one bulk; see [`Jobs::subscribe_bulk`].
#[derive(Debug)]
pub struct BulkSubscription {
    jobs: Jobs,
    stop: CancellationToken,
    bulk: Bulk,
    _listening: Listening,
    /// Kept alive by its subscribers.
    _feed: Arc<BulkFeed>,
    changes: watch::Receiver<Arc<[BulkJob]>>,
    standing: Vec<BulkJob>,
    positions: Positions,
    due: VecDeque<BulkUpdate>,
    emitted: (FileCounts, Counts),
    /// The place of its first waiting job that the subscriber knows.
    place: Option<u64>,
    next_look: Instant,
    is_over: bool,
}

/// What a subscriber of a bulk gets.
#[derive(Debug)]
pub enum BulkUpdate {
    /// Something happened to a job.
    Event {
        /// The job.
        job: i64,
        /// The name of its file.
        file_name: String,
        /// The position behind it, for a client that comes back.
        position: String,
        /// What happened.
        event: DeliveredEvent,
    },
    /// The bulk as a whole changed.
    Changed,
}

impl Jobs {
    /// Follows a bulk from behind the position `seen`; a text that is no position is its beginning.
    ///
    /// # Errors
    /// `NoBulk`; else the store's.
    pub async fn subscribe_bulk(
        &self,
        id: Uuid,
        seen: &str,
    ) -> Result<BulkSubscription, JobsError> {
        let (_, standing) = self.bulk(id).await?;
        let feed = bulk_poll::feed_of(&self.context, id, &standing);
        let changes = feed.subscribe();
        // Read once more: a change before the subscription is announced to nobody.
        let (bulk, standing) = self.bulk(id).await?;
        let mut positions = Positions::parse(seen);
        positions.settle(&standing);
        let emitted = so_far(&bulk, &standing);
        let place = self.bulk_position(&standing).await;
        let is_over = emitted.0.status().is_terminal()
            && standing.iter().all(|job| positions.of(job.id) >= job.event_count);
        Ok(BulkSubscription {
            jobs: self.clone(),
            _listening: self.context.metrics.listens(StreamKind::Bulk),
            changes,
            _feed: feed,
            stop: self.context.stop.clone(),
            bulk,
            standing,
            positions,
            due: VecDeque::new(),
            emitted,
            place,
            next_look: Instant::now() + PLACE_PAUSE,
            is_over,
        })
    }
}

/// Events of all jobs; there are more with every change.
fn events(jobs: &[BulkJob]) -> u64 {
    jobs.iter().map(|job| job.event_count).sum()
}

fn so_far(bulk: &Bulk, jobs: &[BulkJob]) -> (FileCounts, Counts) {
    let mut counts = Counts::default();
    for job in jobs {
        counts += job.counts;
    }
    (FileCounts::of(bulk, jobs), counts)
}

impl BulkSubscription {
    /// True when there is nothing to tell any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The bulk and its jobs as they were read last, and the place of the first one that waits.
    #[must_use]
    pub fn standing(&self) -> (&Bulk, &[BulkJob], Option<u64>) {
        (&self.bulk, &self.standing, self.place)
    }

    /// Waits for the next update; `None` after the end of the bulk, and when the server stops (then
    /// [`is_over`](Self::is_over) is false). May be dropped while it waits.
    ///
    /// # Errors
    /// The store's.
    pub async fn next(&mut self) -> Result<Option<BulkUpdate>, JobsError> {
        loop {
            if let Some(update) = self.due.pop_front() {
                return Ok(Some(update));
            }
            if self.is_over || self.stop.is_cancelled() {
                return Ok(None);
            }
            if let Some(job) = self.standing.iter().find(|job| self.has_news(job)) {
                let job = job.clone();
                self.read_page(&job).await?;
                continue;
            }
            let now = so_far(&self.bulk, &self.standing);
            if now != self.emitted {
                self.emitted = now;
                return Ok(Some(BulkUpdate::Changed));
            }
            if now.0.status().is_terminal() {
                self.is_over = true;
                continue;
            }
            let is_waiting = now.0.waiting > 0;
            if is_waiting && self.next_look <= Instant::now() {
                let place = self.jobs.bulk_position(&self.standing).await;
                self.next_look = Instant::now() + PLACE_PAUSE;
                if place.is_some_and(|place| self.place.replace(place) != Some(place)) {
                    return Ok(Some(BulkUpdate::Changed));
                }
                continue;
            }
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return Ok(None);
                    }
                    self.take_change();
                }
                () = tokio::time::sleep_until(self.next_look), if is_waiting => {}
                () = self.stop.cancelled() => return Ok(None),
            }
        }
    }

    /// Takes what was read last, unless it was read before what is here.
    fn take_change(&mut self) {
        let now = Arc::clone(&self.changes.borrow_and_update());
        let is_older = now.len() == self.standing.len() && events(&now) < events(&self.standing);
        if !is_older {
            self.standing = now.to_vec();
            self.positions.settle(&self.standing);
        }
    }

    /// A job that waits has nothing to tell yet: of a thousand files that is kept for later.
    fn has_news(&self, job: &BulkJob) -> bool {
        job.status != JobStatus::Pending && self.positions.of(job.id) < job.event_count
    }

    /// Reads some events of a job. Of its progress only the last one is emitted.
    async fn read_page(&mut self, job: &BulkJob) -> Result<(), JobsError> {
        let (id, after) = (job.id, self.positions.of(job.id));
        let read = self.jobs.on_runtime(move |context| async move {
            Ok(context.store.events_after(id, after, PAGE_EVENTS).await?)
        });
        let page: EventPage = Arc::from(read.await?);
        let Some(last) = page.last() else {
            // What there was is pruned.
            self.positions.reach(id, job.event_count, &self.standing);
            return Ok(());
        };
        let is_progress = |index: usize| {
            page.get(index).is_some_and(|stored| matches!(stored.event, Event::Progress { .. }))
        };
        let newest = (0..page.len()).rev().find(|index| is_progress(*index));
        for (index, stored) in page.iter().enumerate() {
            let number = stored.number;
            self.positions.reach(id, number, &self.standing);
            if is_progress(index) && newest != Some(index) {
                continue;
            }
            let event =
                DeliveredEvent { page: Arc::clone(&page), index, after, rows: RowEventMode::None };
            if matches!(stored.event, Event::Rows(_)) && event.notes().next().is_none() {
                continue;
            }
            let (file_name, position) = (job.file_name.clone(), self.positions.to_string());
            self.due.push_back(BulkUpdate::Event { job: id, file_name, position, event });
        }
        self.positions.reach(id, last.number, &self.standing);
        Ok(())
    }
}

/// How far the events of each job were sent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Positions {
    /// Of jobs with smaller numbers everything was sent.
    base: i64,
    of_jobs: BTreeMap<i64, u64>,
}

impl Positions {
    fn parse(text: &str) -> Self {
        let mut parts = text.trim().split(',');
        let base = parts.next().and_then(|base| base.parse().ok());
        let of_jobs: Option<BTreeMap<i64, u64>> = parts
            .map(|part| {
                let (job, number) = part.split_once(':')?;
                Some((job.parse().ok()?, number.parse().ok()?))
            })
            .collect();
        match (base, of_jobs) {
            (Some(base), Some(of_jobs)) => Self { base, of_jobs },
            // From another stream: then everything is sent.
            _ => Self::default(),
        }
    }

    fn of(&self, job: i64) -> u64 {
        if job < self.base {
            return u64::MAX;
        }
        self.of_jobs.get(&job).copied().unwrap_or(0)
    }

    fn reach(&mut self, job: i64, number: u64, jobs: &[BulkJob]) {
        if job >= self.base {
            self.of_jobs.insert(job, number);
            self.settle(jobs);
        }
    }

    /// Leaves out the jobs at the start that have nothing more to tell.
    fn settle(&mut self, jobs: &[BulkJob]) {
        let base = self.base;
        for job in jobs.iter().filter(|job| job.id >= base) {
            if !job.status.is_terminal() || self.of(job.id) < job.event_count {
                break;
            }
            self.of_jobs.remove(&job.id);
            self.base = job.id + 1;
        }
    }
}

impl std::fmt::Display for Positions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.base)?;
        for (job, number) in &self.of_jobs {
            f.write_char(',')?;
            write!(f, "{job}:{number}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job_view::tests::job;

    fn jobs(ends: &[(i64, bool)]) -> Vec<BulkJob> {
        let of = |(id, has_ended): &(i64, bool)| {
            let status = if *has_ended { JobStatus::Completed } else { JobStatus::Processing };
            BulkJob { id: *id, status, event_count: 9, ..BulkJob::from(&job()) }
        };
        ends.iter().map(of).collect()
    }

    #[test]
    fn a_position_names_only_jobs_that_are_not_told_to_the_end() {
        let jobs = jobs(&[(7, true), (8, false), (9, true)]);
        let mut positions = Positions::default();
        positions.reach(9, 9, &jobs);
        positions.reach(8, 4, &jobs);
        assert_eq!(positions.to_string(), "0,8:4,9:9");
        positions.reach(7, 9, &jobs);
        assert_eq!(positions.to_string(), "8,8:4,9:9");
        let again = Positions::parse("8,8:4,9:9");
        assert_eq!(again, positions);
        assert_eq!((again.of(7), again.of(8), again.of(10)), (u64::MAX, 4, 0));
    }

    #[test]
    fn what_is_no_position_is_the_beginning() {
        for text in ["", "x", "7,8", "7,8:x", "7,8:1:2"] {
            assert_eq!(Positions::parse(text), Positions::default(), "{text}");
        }
    }
}
