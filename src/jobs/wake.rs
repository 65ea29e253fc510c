//! Wakes those who claim jobs. Carries nothing: the table says which job there is.

use tokio::sync::Notify;

use crate::domain::job::Job;

/// The claims of this server that wait for a job.
#[derive(Debug, Default)]
pub(super) struct Wake {
    /// The claims for the slots of all jobs.
    pub(super) any: Notify,
    /// The claims for the slots of jobs that somebody waits for.
    pub(super) inline: Notify,
    /// The claims for the slots of downloads.
    pub(super) downloads: Notify,
}

impl Wake {
    /// This job may be there to claim.
    pub(super) fn notify_of(&self, job: &Job) {
        if job.awaits_file() {
            self.downloads.notify_one();
        } else {
            self.notify();
        }
    }

    /// There may be a job to claim. A download waits for the next look: few jobs are one.
    pub(super) fn notify(&self) {
        self.any.notify_one();
        self.inline.notify_one();
    }
}
