//! How a running job is stopped: one flag for threads that poll, one token for tasks that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;

/// Stops the reading of a file that nobody waits for any more: sets its flag when dropped.
#[derive(Debug, Default)]
pub struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    /// The flag.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Shared by everything that works on one run of a job.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    flag: Arc<AtomicBool>,
    token: CancellationToken,
}

impl Stop {
    /// For work that only polls, with a flag that somebody else sets.
    pub(super) fn by(flag: Arc<AtomicBool>) -> Self {
        Self { flag, token: CancellationToken::new() }
    }

    /// Asks to stop at the next chunk.
    pub(super) fn stop(&self) {
        self.flag.store(true, Ordering::Release);
        self.token.cancel();
    }

    /// True once the job is stopped.
    pub(super) fn is_stopped(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// The flag, for threads that poll.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// The flag, for threads that outlive the caller.
    pub(super) fn shared_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// The token, for tasks that wait.
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }
}
