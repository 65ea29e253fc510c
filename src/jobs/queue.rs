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
    /// The place of a waiting job, the next one has 1; `None` behind the first ten thousand.
    pub(super) async fn place_of(&self, id: i64, store: &Store) -> Result<Option<u64>, StoreError> {
        let mut places = self.0.lock().await;
        let known = places.as_ref().filter(|places| {
            // A job that is not among them may be newer, as long as there is room for it.
            let is_full = places.by_job.len() as u64 >= PLACES_MAX.unsigned_abs();
            (is_full || places.by_job.contains_key(&id)) && places.read.elapsed() < KEEP
        });
        if let Some(known) = known {
            return Ok(known.by_job.get(&id).copied());
        }
        let read = Instant::now();
        let order = claim_order(&store.waiting(PLACES_MAX).await?);
        let by_job: HashMap<i64, u64> = order.into_iter().zip(1..).collect();
        let place = by_job.get(&id).copied();
        *places = Some(Places { read, by_job });
        Ok(place)
    }
}
