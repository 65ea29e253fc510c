//! The place of waiting jobs in the queue, for those who ask. The queue is read at most a few times a
//! second, however many ask.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::domain::claim_order::claim_order;
use crate::store::{Store, StoreError};

/// Jobs of which the place is known; the place of those behind them is null.
const PLACES_MAX: i64 = 10_000;

/// How old an answer may be.
const KEEP: Duration = Duration::from_secs(1);

/// The places as they were read last.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Option<Places>>);

#[derive(Debug)]
struct Places {
    read: Instant,
    by_job: HashMap<i64, u64>,
}

impl Queue {
    /// The place of the first of these waiting jobs, the next one of all has 1; `None` behind the first
    /// ten thousand.
    pub(super) async fn first_of(
        &self,
        ids: &[i64],
        store: &Store,
    ) -> Result<Option<u64>, StoreError> {
        let mut places = self.0.lock().await;
        let known = places.as_ref().filter(|places| {
            // Jobs that are not among them may be newer, as long as there is room for them.
            let is_full = places.by_job.len() as u64 >= PLACES_MAX.unsigned_abs();
            (is_full || places.first_of(ids).is_some()) && places.read.elapsed() < KEEP
        });
        if let Some(known) = known {
            return Ok(known.first_of(ids));
        }
        let read = Instant::now();
        let order = claim_order(&store.waiting(PLACES_MAX).await?);
        let now = places.insert(Places { read, by_job: order.into_iter().zip(1..).collect() });
        Ok(now.first_of(ids))
    }
}

impl Places {
    fn first_of(&self, ids: &[i64]) -> Option<u64> {
        ids.iter().filter_map(|id| self.by_job.get(id).copied()).min()
    }
}
