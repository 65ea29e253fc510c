//! `GET /metrics`: what this server counted and how it stands, for Prometheus. Names of metrics are
//! unknown here.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;

use super::api::Api;
use super::problem::Problem;
use super::query::Query;
use crate::domain::error_chain::error_chain;
use crate::domain::error_code::ErrorCode;
use crate::jobs::{JobsError, PoolUse, QueueState};
use crate::metrics::{Gauges, JobsInStatus, MEDIA_TYPE, PoolGauge};

/// 200 also while the database is away: then what only the database knows is missing.
pub(super) async fn metrics(
    request: HttpRequest,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    Query::read(&request, &[])?;
    let text = api.jobs.metrics().text(&gauges(&api).await);
    let text = text.map_err(|fault| Problem::because(ErrorCode::Internal, fault))?;
    Ok(HttpResponse::Ok().content_type(MEDIA_TYPE).body(text))
}

async fn gauges(api: &Api) -> Gauges {
    let memory = api.jobs.memory();
    let began = api.jobs.began().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let pools = api.jobs.pools().into_iter().map(|(name, pool)| pool_gauge(name, pool)).collect();
    let certificate = api.certificate.as_ref().map(|it| it.validity().end.timestamp());
    let own = Gauges {
        certificate_end: certificate.and_then(|end| u64::try_from(end).ok()),
        running: api.jobs.running_here(),
        running_max: u64::from(api.jobs.running_max()),
        memory_used: memory.used,
        memory_peak: memory.peak,
        memory_limit: memory.limit,
        memory_resident: memory.resident,
        began: began.as_secs(),
        pools,
        ..Gauges::default()
    };
    match api.jobs.queue_state().await {
        Ok(queue) => with_queue(own, queue),
        Err(error) => {
            log_unknown(&error);
            own
        }
    }
}

fn log_unknown(error: &JobsError) {
    let error = error_chain(error);
    tracing::warn!(event = "queue_unreadable", error, "metrics lack what the database knows");
}

fn pool_gauge(name: &'static str, pool: PoolUse) -> PoolGauge {
    let busy = pool.open.saturating_sub(pool.idle);
    PoolGauge { name, busy, idle: pool.idle, max: pool.max }
}

fn with_queue(own: Gauges, queue: QueueState) -> Gauges {
    let age = |since: Option<_>| since.map_or(TimeDelta::zero(), |since| queue.now - since);
    // A time that is still to come has no age.
    let age = |since| age(since).to_std().unwrap_or(Duration::ZERO);
    let jobs = queue.jobs.into_iter();
    Gauges {
        has_database: true,
        oldest_waiting: age(queue.oldest_waiting),
        oldest_expired_lease: age(queue.first_lease_end),
        jobs: jobs
            .map(|it| JobsInStatus { dataset: it.dataset, status: it.status, jobs: it.jobs })
            .collect(),
        ..own
    }
}
