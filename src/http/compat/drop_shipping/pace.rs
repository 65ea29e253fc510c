//! How fast this server imports, as it measured it; and `GET /api/performance`.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::{TRANSACTIONS, duration, json, share};
use crate::domain::status::JobStatus;
use crate::http::api::Api;
use crate::http::problem::Problem;

/// Finished imports of which the pace is measured.
const MEASURED: u64 = 20;

/// Bytes in a second before this server has imported anything: 134 MB in 24.8 s, the slowest line for
/// CSV of `docs/performance.md`.
const BYTES_PER_SECOND: u64 = 5_400_000;

/// The pace of the newest imports.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    imports: u64,
    completed: u64,
    bytes: u64,
    rows: u64,
    millis: u64,
}

impl Pace {
    pub(super) async fn measure(api: &Api) -> Result<Self, Problem> {
        let (jobs, _) = api.jobs.newest(TRANSACTIONS, 0, MEASURED).await?;
        let mut pace = Self::default();
        for job in jobs.iter().filter(|job| job.status.is_terminal()) {
            pace.imports += 1;
            if job.status == JobStatus::Completed {
                pace.completed += 1;
                pace.bytes += u64::try_from(job.file_size).unwrap_or(0);
                pace.rows += job.counts.processed();
                pace.millis += job.run_time.millis;
            }
        }
        Ok(pace)
    }

    /// How long so many bytes take, rounded up to seconds.
    pub(super) fn time_for(&self, bytes: u64) -> String {
        let per_second = self.per_second(self.bytes).unwrap_or(BYTES_PER_SECOND).max(1);
        duration(Duration::from_secs(bytes.div_ceil(per_second)))
    }

    /// So much of what was done in the measured time, in a second.
    fn per_second(&self, done: u64) -> Option<u64> {
        done.saturating_mul(1000).checked_div(self.millis).filter(|_| done > 0)
    }
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Performance {
    uptime: String,
    imports_measured: u64,
    success_rate: f64,
    rows_per_second: Option<u64>,
    bytes_per_second: Option<u64>,
    average_import_ms: Option<u64>,
    active_jobs: u64,
    queue_length: u64,
    max_workers: u32,
    chunk_size: u32,
    memory_usage: u64,
    memory_pressure: f64,
}

/// 200 with what the server measured of its newest imports, and how busy it is.
pub(in crate::http::compat) async fn performance(
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let (pace, unfinished) = (Pace::measure(&api).await?, api.jobs.unfinished(TRANSACTIONS).await?);
    let memory = api.jobs.memory();
    let chunk_size = u64::from(api.chunk_rows) * u64::from(memory.pressure.chunk_percent()) / 100;
    let performance = Performance {
        uptime: duration(api.jobs.up_time()),
        imports_measured: pace.imports,
        success_rate: share(pace.completed, pace.imports),
        rows_per_second: pace.per_second(pace.rows),
        bytes_per_second: pace.per_second(pace.bytes),
        average_import_ms: pace.millis.checked_div(pace.completed),
        active_jobs: unfinished.running,
        queue_length: unfinished.waiting,
        max_workers: api.jobs.running_max(),
        chunk_size: u32::try_from(chunk_size).unwrap_or(api.chunk_rows),
        memory_usage: memory.used,
        memory_pressure: share(memory.used, memory.limit),
    };
    json(StatusCode::OK, &performance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_measured_pace() {
        let pace = Pace { imports: 2, completed: 2, bytes: 1_000, rows: 10, millis: 500 };
        assert_eq!(pace.time_for(5_000), "3s");
        assert_eq!(pace.time_for(0), "0s");
        assert_eq!(pace.per_second(pace.rows), Some(20));
        assert_eq!(Pace::default().time_for(54_000_000), "10s");
        assert_eq!(Pace::default().per_second(0), None);
    }
}
