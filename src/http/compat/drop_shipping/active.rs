//! `GET /api/dropship/bulk-import-status`: what runs and waits, and the newest imports in all.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;

use super::batch::{Batch, skipped_rows};
use super::pace::Pace;
use super::{TRANSACTIONS, json};
use crate::domain::job::Job;
use crate::domain::limits::{BULK_FILES_MAX, PAGE_ROWS_MAX};
use crate::domain::status::JobStatus;
use crate::http::api::Api;
use crate::http::problem::Problem;
use crate::jobs::JobFilter;

/// Batches of each status that the list of active ones shows.
const ACTIVE_MAX: u64 = 100;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ActiveImports<'a> {
    active_jobs: Vec<Batch<'a>>,
    queue_status: QueueStatus,
    streaming_stats: StreamingStats,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct QueueStatus {
    queue_length: u64,
    active_jobs: u64,
    max_workers: u32,
    queue_capacity: usize,
}

/// The newest imports, as many as a page of a list has.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct StreamingStats {
    total_files: u64,
    processed_files: u64,
    failed_files: u64,
    total_rows: u64,
    processed_rows: u64,
    failed_rows: u64,
}

impl StreamingStats {
    fn add(mut self, job: &Job) -> Self {
        self.total_files += 1;
        self.processed_files += u64::from(job.status == JobStatus::Completed);
        self.failed_files += u64::from(job.status == JobStatus::Failed);
        self.total_rows += job.total_rows.unwrap_or(0);
        self.processed_rows += job.counts.processed();
        self.failed_rows += job.counts.failed;
        self
    }
}

/// 200 with all of it.
pub(in crate::http::compat) async fn active(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let unfinished = api.jobs.unfinished(TRANSACTIONS).await?;
    let mut jobs = Vec::new();
    for status in [JobStatus::Processing, JobStatus::Paused, JobStatus::Pending] {
        let filter = JobFilter {
            status: Some(status),
            dataset: Some(TRANSACTIONS.to_owned()),
            limit: ACTIVE_MAX,
            ..JobFilter::default()
        };
        jobs.extend(api.jobs.list(&filter).await?);
    }
    let (newest, _) = api.jobs.newest(TRANSACTIONS, 0, PAGE_ROWS_MAX).await?;
    let pace = Pace::measure(&api).await?;
    let mut active_jobs = Vec::with_capacity(jobs.len());
    for job in &jobs {
        active_jobs.push(Batch::of(job, skipped_rows(&api, job).await?, &pace));
    }
    let status = ActiveImports {
        active_jobs,
        queue_status: QueueStatus {
            queue_length: unfinished.waiting,
            active_jobs: unfinished.running,
            max_workers: api.jobs.running_max(),
            queue_capacity: BULK_FILES_MAX,
        },
        streaming_stats: newest.iter().fold(StreamingStats::default(), StreamingStats::add),
    };
    json(StatusCode::OK, &status)
}
