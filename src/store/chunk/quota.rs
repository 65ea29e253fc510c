//! How many row errors and row events of a job are stored: the quota of the job, and what a chunk
//! takes of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::domain::chunk::Chunk;
use crate::store::chunk::outcome::ChunkOutcome;

/// What is left of the bounds on stored row errors and row events; shared by the writers of a job.
#[derive(Debug, Default)]
pub struct EventQuota {
    /// Row errors.
    pub errors: AtomicU64,
    /// Superseded rows.
    pub superseded: AtomicU64,
    /// References that were created.
    pub references: AtomicU64,
    /// Differences of a dry run.
    pub differences: AtomicU64,
    /// The event that from some row on they are only counted is stored.
    pub quota_notice_sent: AtomicBool,
}

/// What a chunk took of the quota of its job.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct QuotaUse {
    pub(in crate::store) errors: usize,
    pub(in crate::store) superseded: usize,
    pub(in crate::store) references: usize,
    pub(in crate::store) differences: usize,
    /// The quota is used up in this chunk for the first time.
    pub(in crate::store) sends_notice: bool,
}

impl QuotaUse {
    /// Everything is stored.
    pub(in crate::store) const UNLIMITED: Self = Self {
        errors: usize::MAX,
        superseded: usize::MAX,
        references: usize::MAX,
        differences: usize::MAX,
        sends_notice: false,
    };
}

impl EventQuota {
    /// Differences that may still be stored.
    pub(in crate::store) fn differences_left(&self) -> u64 {
        self.differences.load(Ordering::Relaxed)
    }

    /// Takes what the chunk needs, or what is left.
    pub(in crate::store) fn take(&self, chunk: &Chunk, outcome: &ChunkOutcome) -> QuotaUse {
        let wanted = [
            outcome.failed.iter().map(|row| row.errors.len()).sum(),
            chunk.superseded.len(),
            outcome.references.len(),
        ];
        let taken = [
            take(&self.errors, wanted[0]),
            take(&self.superseded, wanted[1]),
            take(&self.references, wanted[2]),
        ];
        let [errors, superseded, references] = taken;
        let sends_notice = taken != wanted && !self.quota_notice_sent.swap(true, Ordering::Relaxed);
        // How many more there are is what the counts say.
        let differences = take(&self.differences, outcome.differences.len());
        QuotaUse { errors, superseded, references, differences, sends_notice }
    }

    /// Gives back what a chunk took that was not committed.
    pub(in crate::store) fn give_back(&self, taken: &QuotaUse) {
        self.errors.fetch_add(taken.errors as u64, Ordering::Relaxed);
        self.superseded.fetch_add(taken.superseded as u64, Ordering::Relaxed);
        self.references.fetch_add(taken.references as u64, Ordering::Relaxed);
        self.differences.fetch_add(taken.differences as u64, Ordering::Relaxed);
        if taken.sends_notice {
            self.quota_notice_sent.store(false, Ordering::Relaxed);
        }
    }
}

fn take(left: &AtomicU64, wanted: usize) -> usize {
    let grant = |left: u64| usize::try_from(left).map_or(wanted, |left| Ord::min(left, wanted));
    let take = |left: u64| Some(left - grant(left) as u64);
    // The closure always answers, so that both arms hold what was left before.
    let (Ok(before) | Err(before)) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
    grant(before)
}
