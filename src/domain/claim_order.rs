//! The order in which waiting jobs will be claimed: the highest priority first, of these the client
//! that was served least recently, of these the oldest. Each claim serves its client.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};

use chrono::{DateTime, Utc};

/// A job that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingJob {
    /// Its number.
    pub id: i64,
    /// From -100 to 100.
    pub priority: i32,
    /// Who sent it; empty when nobody knows.
    pub client: String,
    /// When a job of this client was claimed last.
    pub served: Option<DateTime<Utc>>,
}

/// How long ago a client was served: the claims that are still to come count from 1, those of before
/// by their time.
type Served = (u64, Option<DateTime<Utc>>);

/// The numbers of the jobs in the order in which they will be claimed.
#[must_use]
pub fn claim_order(waiting: &[WaitingJob]) -> Vec<i64> {
    let mut served: HashMap<&str, Served> =
        waiting.iter().map(|job| (job.client.as_str(), (0, job.served))).collect();
    let mut levels: BTreeMap<Reverse<i32>, HashMap<&str, VecDeque<i64>>> = BTreeMap::new();
    let mut oldest_first: Vec<&WaitingJob> = waiting.iter().collect();
    oldest_first.sort_unstable_by_key(|job| job.id);
    for job in oldest_first {
        let level = levels.entry(Reverse(job.priority)).or_default();
        level.entry(&job.client).or_default().push_back(job.id);
    }
    let mut order = Vec::with_capacity(waiting.len());
    for mut clients in levels.into_values() {
        let key = |served: &HashMap<&str, Served>, client: &str, id: i64| {
            Reverse((served.get(client).copied().unwrap_or_default(), id))
        };
        let mut next: BinaryHeap<_> = clients
            .iter()
            .filter_map(|(client, jobs)| Some((key(&served, client, *jobs.front()?), *client)))
            .collect();
        while let Some((_, client)) = next.pop() {
            let Some(jobs) = clients.get_mut(client) else { continue };
            order.extend(jobs.pop_front());
            served.insert(client, (order.len() as u64, None));
            if let Some(id) = jobs.front() {
                next.push((key(&served, client, *id), client));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: i64, priority: i32, client: &str, served: Option<i64>) -> WaitingJob {
        let served = served.map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap());
        WaitingJob { id, priority, client: client.to_owned(), served }
    }

    #[test]
    fn clients_take_turns_and_an_urgent_job_is_a_turn() {
        let many = |id| job(id, 0, "many", None);
        let waiting = [many(2), many(3), many(4), job(5, 0, "one", None)];
        assert_eq!(claim_order(&waiting), [2, 5, 3, 4]);
        let urgent = [&waiting[..], &[job(6, 5, "many", None)]].concat();
        assert_eq!(claim_order(&urgent), [6, 5, 2, 3, 4]);
    }

    #[test]
    fn the_client_that_was_served_least_recently_begins() {
        let waiting = [
            job(1, 0, "a", Some(9)),
            job(2, 0, "b", Some(7)),
            job(3, 0, "", None),
            job(4, 0, "b", Some(7)),
        ];
        assert_eq!(claim_order(&waiting), [3, 2, 1, 4]);
        assert_eq!(claim_order(&[]), [0_i64; 0]);
    }
}
