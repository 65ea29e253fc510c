//! How the server stands at the moment at which it is asked: a registry of its own for each answer, so
//! that nothing is said of a dataset or a pool that is no more.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::PREFIX;
use super::labels::{ByPool, ByPoolState, ByStatus, ByVersion};
use crate::domain::status::JobStatus;

/// Jobs of a dataset that have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsInStatus {
    /// The dataset.
    pub dataset: String,
    /// Where they stand.
    pub status: JobStatus,
    /// How many.
    pub jobs: u64,
}

/// A pool of connections to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolGauge {
    /// Whom it serves.
    pub name: &'static str,
    /// Connections in use.
    pub busy: u64,
    /// Connections that are open and not in use.
    pub idle: u64,
    /// Connections at most.
    pub max: u64,
}

/// How the server stands.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// The database answered. Else what it would say is missing.
    pub has_database: bool,
    /// From the database: the jobs of all servers that have not ended.
    pub jobs: Vec<JobsInStatus>,
    /// From the database: how long the oldest waiting job waits.
    pub oldest_waiting: Duration,
    /// From the database: for how long the lease of a running job has been over.
    pub oldest_expired_lease: Duration,
    /// Jobs that run in this process.
    pub running: u64,
    /// Jobs that may run in it at a time.
    pub running_max: u64,
    /// Bytes that the system cannot take back.
    pub memory_used: u64,
    /// The most of them since the start.
    pub memory_peak: u64,
    /// Bytes that should be used at most.
    pub memory_limit: u64,
    /// Bytes of the process in memory.
    pub memory_resident: u64,
    /// When the process began, in seconds of Unix time.
    pub began: u64,
    /// When its certificate ends, in seconds of Unix time; `None` without one.
    pub certificate_end: Option<u64>,
    /// Its connections to the database.
    pub pools: Vec<PoolGauge>,
}

impl Gauges {
    pub(super) fn registry(&self) -> Registry {
        let mut all = Registry::default();
        let own = all.sub_registry_with_prefix(PREFIX);
        self.shared(own);
        let build = ByVersion { version: env!("CARGO_PKG_VERSION") };
        family(own, "build_info", "The version of this process", [(build, 1.0)]);
        one(own, "running_jobs", "Jobs that run in this process", None, self.running);
        one(own, "running_jobs_limit", "Jobs that may run at a time", None, self.running_max);
        let bytes = || Some(Unit::Bytes);
        let used = "Memory that the system cannot take back";
        one(own, "memory_used", used, bytes(), self.memory_used);
        one(own, "memory_peak", "The most of it since the start", bytes(), self.memory_peak);
        one(own, "memory_limit", "Memory to be used at most", bytes(), self.memory_limit);
        if let Some(end) = self.certificate_end {
            let text = "When the certificate of this server ends, Unix time";
            one(own, "certificate_expiry_timestamp", text, Some(Unit::Seconds), end);
        }
        let states = self.pools.iter().flat_map(|pool| {
            [("busy", pool.busy), ("idle", pool.idle)]
                .map(|(state, count)| (ByPoolState { pool: pool.name, state }, float(count)))
        });
        family(own, "pool_connections", "Open connections to the database", states);
        let limits = self.pools.iter().map(|it| (ByPool { pool: it.name }, float(it.max)));
        family(own, "pool_connections_limit", "Connections at most", limits);
        let process = all.sub_registry_with_prefix("process");
        let resident = "Memory of the process, files included";
        one(process, "resident_memory", resident, bytes(), self.memory_resident);
        one(process, "start_time", "When it began, Unix time", Some(Unit::Seconds), self.began);
        all
    }

    /// What every server of a database says alike.
    fn shared(&self, own: &mut Registry) {
        let up = u64::from(self.has_database);
        one(own, "database_up", "1 when the database answered just now", None, up);
        if !self.has_database {
            return;
        }
        let jobs = self.jobs.iter().map(|it| (ByStatus::of(&it.dataset, it.status), it.jobs));
        let jobs = jobs.map(|(labels, jobs)| (labels, float(jobs)));
        family(own, "jobs", "Jobs of all servers that have not ended", jobs);
        let seconds = || Some(Unit::Seconds);
        let (waiting, lease) = (self.oldest_waiting, self.oldest_expired_lease);
        let text = "Age of the oldest waiting job of all servers, 0 without one";
        of_float(own, "oldest_waiting_job_age", text, seconds(), waiting.as_secs_f64());
        let text = "For how long the lease of a running job has been over, 0 without one";
        of_float(own, "oldest_expired_lease_age", text, seconds(), lease.as_secs_f64());
    }
}

type FloatGauge = Gauge<f64, std::sync::atomic::AtomicU64>;

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows only such numbers")]
fn float(count: u64) -> f64 {
    count as f64
}

fn one(to: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: u64) {
    of_float(to, name, help, unit, float(value));
}

fn of_float(to: &mut Registry, name: &str, help: &str, unit: Option<Unit>, value: f64) {
    let gauge = FloatGauge::default();
    gauge.set(value);
    match unit {
        Some(unit) => to.register_with_unit(name, help, unit, gauge),
        None => to.register(name, help, gauge),
    }
}

fn family<L>(to: &mut Registry, name: &str, help: &str, values: impl IntoIterator<Item = (L, f64)>)
where
    L: EncodeLabelSet + Clone + std::hash::Hash + Eq + std::fmt::Debug + Send + Sync + 'static,
{
    let gauges = Family::<L, FloatGauge>::default();
    for (labels, value) in values {
        gauges.get_or_create(&labels).set(value);
    }
    to.register(name, help, gauges);
}
