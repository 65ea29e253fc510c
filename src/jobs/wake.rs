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
    /// This job may be there to claim; somebody waits for it when it is `is_inline`.
    pub(super) fn notify_of(&self, job: &Job, is_inline: bool) {
        if job.awaits_file() {
            self.downloads.notify_one();
        } else {
            self.notify();
            if is_inline {
                self.inline.notify_one();
            }
        }
    }

    /// There may be a job to claim. A download waits for the next look, and so does a job that somebody
    /// waits for on another server: few jobs are one, and a look costs round trips.
    pub(super) fn notify(&self) {
        self.any.notify_one();
    }
}
