//! Clients of `/api/dropship`: scripts that upload order files, many at once, and ask for each batch
//! by its number. A batch is a job into `transactions`.

pub(in crate::http) mod active;
pub(in crate::http) mod advice;
pub(in crate::http) mod batch;
pub(in crate::http) mod force;
pub(in crate::http) mod import;
pub(in crate::http) mod memory;
pub(in crate::http) mod metrics;
pub(in crate::http) mod pace;
mod report;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

pub(super) use active::active;
pub(super) use advice::recommendations;
pub(super) use batch::status;
pub(super) use force::force;
pub(super) use import::import;
pub(super) use memory::memory;
pub(super) use metrics::metrics;
pub(super) use pace::performance;

use crate::domain::error_code::ErrorCode;
use crate::domain::job::Job;
use crate::http::api::Api;
use crate::http::json::json_line;
use crate::http::problem::Problem;
use crate::http::status::job_id;

/// The dataset of the order lines.
const TRANSACTIONS: &str = "transactions";

/// The job of a batch.
async fn batch_job(api: &Api, id: &str) -> Result<Job, Problem> {
    let job = api.jobs.get(job_id(id)?).await?;
    if job.dataset == TRANSACTIONS && job.rollback_of.is_none() {
        return Ok(job);
    }
    let detail = format!("job {} is no import of order lines", job.id);
    Err(Problem::new(ErrorCode::JobNotFound, detail))
}

/// A time as its server wrote it: `2m30s`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// The part of `whole` with two digits after the point; 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    let hundredths = part.saturating_mul(100).checked_div(whole).unwrap_or(0);
    f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> Result<HttpResponse, Problem> {
    let body = json_line(value).map_err(|fault| Problem::because(ErrorCode::Internal, fault))?;
    Ok(HttpResponse::build(status).content_type("application/json").body(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_before() {
        let text = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!([text(0), text(45), text(150), text(3_723)], ["0s", "45s", "2m30s", "1h2m3s"]);
    }

    #[test]
    fn shares_have_two_digits() {
        assert_eq!(
            [share(2, 3), share(0, 0), share(5, 2)].map(|it| it.to_string()),
            ["0.66", "0", "2.5"]
        );
    }
}
