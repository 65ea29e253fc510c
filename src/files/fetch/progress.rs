//! How far a fetch is, for those who look on.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that came, and bytes that are expected.
#[derive(Debug)]
pub struct FetchProgress {
    received: AtomicU64,
    total: AtomicU64,
}

/// Nobody said how many bytes there are.
const UNKNOWN: u64 = u64::MAX;

impl Default for FetchProgress {
    fn default() -> Self {
        Self { received: AtomicU64::new(0), total: AtomicU64::new(UNKNOWN) }
    }
}

impl FetchProgress {
    /// Bytes that came so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes of the file, as far as the server said.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|total| *total != UNKNOWN)
    }

    pub(super) fn set(&self, received: u64, total: Option<u64>) {
        self.received.store(received, Ordering::Relaxed);
        self.total.store(total.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }
}
