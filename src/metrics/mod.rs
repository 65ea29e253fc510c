//! What this process counts of its own work, in the text format of Prometheus: the only module that names
//! the library for it. Knows no HTTP, no table and no job: it is given numbers with names of which
//! there are few.

mod gauges;
mod labels;
mod listening;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::domain::chunk::FailedRow;
use crate::domain::counts::Counts;
use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
pub use gauges::{Gauges, JobsInStatus, PoolGauge};
use labels::{ByCode, ByDataset, ByOutcome, ByStatus, ByStream};
pub use listening::{Listening, StreamKind};

/// The media type of what is written here.
pub const MEDIA_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Before the name of every metric.
const PREFIX: &str = "loadbay";

/// Seconds: a small chunk of SQLite takes milliseconds, one that waits for a lock much longer.
const CHUNK_SECONDS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Seconds: with a free slot a job waits for moments, behind a large one for hours.
const WAIT_SECONDS: [f64; 11] =
    [0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0];

type Seconds = Family<ByDataset, Histogram, fn() -> Histogram>;

/// What this process has counted since its start. All of it begins with 0 again at the next one.
#[derive(Debug)]
pub struct ServerMetrics {
    registry: Registry,
    rows: Family<ByOutcome, Counter>,
    row_errors: Family<ByCode, Counter>,
    warnings: Family<ByCode, Counter>,
    problems: Family<ByCode, Counter>,
    job_failures: Family<ByCode, Counter>,
    jobs_ended: Family<ByStatus, Counter>,
    upload_bytes: Family<ByDataset, Counter>,
    chunk_seconds: Seconds,
    queue_wait: Seconds,
    listeners: Family<ByStream, Gauge>,
}

impl ServerMetrics {
    /// Nothing counted yet, for datasets of these names.
    pub fn new<'a>(datasets: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        let metrics = Arc::new(Self::registered());
        // What is there from the start has a rate from its first increase on.
        for dataset in datasets {
            metrics.rows(dataset, &Counts::default());
            metrics.uploaded(dataset, 0);
            for status in JobStatus::ALL.into_iter().filter(|status| status.is_terminal()) {
                drop(metrics.jobs_ended.get_or_create_owned(&ByStatus::of(dataset, status)));
            }
        }
        for kind in StreamKind::ALL {
            drop(metrics.listeners.get_or_create_owned(&ByStream::of(kind)));
        }
        metrics
    }

    fn registered() -> Self {
        let mut all = Registry::with_prefix(PREFIX);
        let (rows, row_errors, warnings) = <(Family<_, _>, Family<_, _>, Family<_, _>)>::default();
        let (problems, job_failures) = <(Family<_, _>, Family<_, _>)>::default();
        let (jobs_ended, upload_bytes) = <(Family<_, _>, Family<_, _>)>::default();
        let listeners = Family::<ByStream, Gauge>::default();
        let chunk_seconds = Seconds::new_with_constructor(|| Histogram::new(CHUNK_SECONDS));
        let queue_wait = Seconds::new_with_constructor(|| Histogram::new(WAIT_SECONDS));
        all.register("rows", "Rows committed by this process, by outcome", Family::clone(&rows));
        all.register(
            "row_errors",
            "Faults of rows in committed chunks",
            Family::clone(&row_errors),
        );
        all.register("warnings", "Warnings of jobs that ended here", Family::clone(&warnings));
        all.register("problems", "Requests that were refused or failed", Family::clone(&problems));
        all.register("job_failures", "Jobs that failed here", Family::clone(&job_failures));
        all.register("jobs_ended", "Jobs that this process ended", Family::clone(&jobs_ended));
        all.register_with_unit(
            "upload",
            "Bytes of files that became jobs here",
            Unit::Bytes,
            Family::clone(&upload_bytes),
        );
        all.register_with_unit(
            "chunk",
            "Time to commit a chunk, with all attempts",
            Unit::Seconds,
            chunk_seconds.clone(),
        );
        all.register_with_unit(
            "queue_wait",
            "Time from the upload of a job to its first run",
            Unit::Seconds,
            queue_wait.clone(),
        );
        all.register("listeners", "Event streams that are open", listeners.clone());
        Self {
            registry: all,
            rows,
            row_errors,
            warnings,
            problems,
            job_failures,
            jobs_ended,
            upload_bytes,
            chunk_seconds,
            queue_wait,
            listeners,
        }
    }

    /// Rows that were committed.
    pub fn rows(&self, dataset: &str, counts: &Counts) {
        for (outcome, rows) in counts.by_outcome() {
            self.rows.get_or_create(&ByOutcome::of(dataset, outcome)).inc_by(rows);
        }
    }

    /// Rows that failed in a chunk that was committed.
    pub fn failed_rows(&self, rows: &[FailedRow]) {
        for error in rows.iter().flat_map(|row| &row.errors) {
            self.row_errors.get_or_create(&ByCode::of(error.code.as_str())).inc();
        }
    }

    /// A chunk was committed.
    pub fn chunk_committed(&self, dataset: &str, took: Duration) {
        self.chunk_seconds.get_or_create(&ByDataset::of(dataset)).observe(took.as_secs_f64());
    }

    /// A job runs for the first time.
    pub fn job_started(&self, dataset: &str, waited: Duration) {
        self.queue_wait.get_or_create(&ByDataset::of(dataset)).observe(waited.as_secs_f64());
    }

    /// A file became a job.
    pub fn uploaded(&self, dataset: &str, bytes: u64) {
        self.upload_bytes.get_or_create(&ByDataset::of(dataset)).inc_by(bytes);
    }

    /// A job ended.
    pub fn job_ended(&self, job: &Job) {
        self.jobs_ended.get_or_create(&ByStatus::of(&job.dataset, job.status)).inc();
        let failure = |code: &&ErrorCode| job.error_code.as_deref() == Some(code.as_str());
        if let Some(code) = ErrorCode::ALL.iter().find(failure) {
            self.job_failures.get_or_create(&ByCode::of(code.as_str())).inc();
        }
        for warning in &job.warnings {
            let code = ByCode::of(warning.code.as_str());
            self.warnings.get_or_create(&code).inc_by(warning.count);
        }
    }

    /// A request was refused, or failed.
    pub fn refused(&self, code: ErrorCode) {
        self.problems.get_or_create(&ByCode::of(code.as_str())).inc();
    }

    /// Somebody listens until what this returns is dropped.
    pub fn listens(&self, kind: StreamKind) -> Listening {
        Listening::begin(self.listeners.get_or_create_owned(&ByStream::of(kind)))
    }

    /// What was counted, and how the server stands now.
    ///
    /// # Errors
    /// Never: a text takes everything.
    pub fn text(&self, now: &Gauges) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        prometheus_text::encode(&mut text, &now.registry())?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
