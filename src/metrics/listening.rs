//! Counting those who listen, also when their connection breaks off.

use prometheus_client::metrics::gauge::Gauge;

/// What somebody listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// One job.
    Job,
    /// The jobs of a bulk.
    Bulk,
    /// All jobs.
    AllJobs,
}

impl StreamKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Job, Self::Bulk, Self::AllJobs];

    /// The kind as a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Bulk => "bulk",
            Self::AllJobs => "all_jobs",
        }
    }
}

/// Somebody who listens, counted until this is dropped.
#[derive(Debug)]
pub struct Listening(Gauge);

impl Listening {
    pub(super) fn begin(listeners: Gauge) -> Self {
        listeners.inc();
        Self(listeners)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.dec();
    }
}
