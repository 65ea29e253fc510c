//! Wakes those who claim jobs. Carries nothing: the table says which job there is.

use tokio::sync::Notify;

/// The claims of this server that wait for a job.
#[derive(Debug, Default)]
pub(super) struct Wake {
    /// The claims for the slots of all jobs.
    pub(super) any: Notify,
    /// The claims for the slots of jobs that somebody waits for.
    pub(super) inline: Notify,
}

impl Wake {
    /// There may be a job to claim.
    pub(super) fn notify(&self) {
        self.any.notify_one();
        self.inline.notify_one();
    }
}
