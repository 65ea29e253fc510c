//! `GET /api/dropship/import-status/{batch_id}`: one batch, and what went wrong in the upload that it
//! came with.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::pace::Pace;
use super::report::{BatchError, status_word};
use super::{batch_job, duration, json};
use crate::domain::bulk::{BulkJob, FileCounts};
use crate::domain::job::Job;
use crate::domain::job_view::{self, eta_seconds};
use crate::domain::row_error::RowCode;
use crate::domain::status::JobStatus;
use crate::http::api::Api;
use crate::http::path_prefix;
use crate::http::problem::Problem;
use crate::jobs::JobsError;

/// Row errors that a batch names.
const ERRORS_MAX: u64 = 100;

/// A batch where it stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct Batch<'a> {
    #[serde(rename = "batch_id")]
    id: i64,
    file_name: &'a str,
    status: &'static str,
    progress: f64,
    rows_processed: u64,
    total_rows: u64,
    failed_rows: u64,
    /// Of another channel than the upload names.
    skipped_rows: u64,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    estimated_eta: String,
}

impl<'a> Batch<'a> {
    /// The batch of a job, of which `skipped` rows are of another channel.
    pub(super) fn of(job: &'a Job, skipped: u64, pace: &Pace) -> Self {
        let failed_rows = job.counts.failed.saturating_sub(skipped);
        let (done, total) = (job.counts.processed(), job.total_rows.unwrap_or(0));
        Self {
            id: job.id,
            file_name: &job.file_name,
            status: status_word(job, failed_rows),
            progress: percent(job, done, total),
            rows_processed: done,
            total_rows: total,
            failed_rows,
            skipped_rows: skipped,
            created_at: job_view::timestamp(job.created_at),
            updated_at: job_view::timestamp(job.updated_at),
            started_at: job.started_at.map(job_view::timestamp),
            estimated_eta: eta(job, pace),
        }
    }
}

/// Rows of another channel. Where the upload names none, there are none.
pub(super) async fn skipped_rows(api: &Api, job: &Job) -> Result<u64, Problem> {
    if job.counts.failed == 0 || job.options.only.is_empty() {
        return Ok(0);
    }
    let groups = api.jobs.error_groups(job.id).await?;
    let of_channel = groups.iter().filter(|group| group.code == RowCode::OtherValue);
    Ok(of_channel.map(|group| group.count).sum())
}

/// The time that is left: by the job's own pace, else by that of others.
fn eta(job: &Job, pace: &Pace) -> String {
    if job.status.is_terminal() {
        return duration(Duration::ZERO);
    }
    match eta_seconds(job) {
        Some(seconds) => duration(Duration::from_secs(seconds)),
        None => pace.time_for(u64::try_from(job.file_size).unwrap_or(0)),
    }
}

/// One digit after the point; 100 only when the job is completed.
fn percent(job: &Job, done: u64, total: u64) -> f64 {
    if job.status == JobStatus::Completed {
        return 100.0;
    }
    let tenths = done.saturating_mul(1000).checked_div(total).unwrap_or(0).min(999);
    f64::from(u32::try_from(tenths).unwrap_or(999)) / 10.0
}

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct BatchReport<'a> {
    #[serde(flatten)]
    batch: Batch<'a>,
    #[serde(flatten)]
    upload: UploadReport,
    /// Where all errors of its rows are.
    errors_url: String,
}

/// The files that were uploaded together with the batch's, and what is wrong with them.
#[derive(Default, Serialize, utoipa::ToSchema)]
pub(in crate::http) struct UploadReport {
    total_files: u64,
    successful_files: u64,
    failed_files: u64,
    errors: Vec<BatchError>,
}

impl UploadReport {
    async fn of(api: &Api, job: &Job) -> Result<Self, Problem> {
        let Some(id) = job.bulk_id else { return Ok(Self::of_one(job)) };
        let (bulk, jobs) = match api.jobs.bulk(id).await {
            Err(JobsError::NoBulk(_)) => return Ok(Self::of_one(job)),
            found => found?,
        };
        let files = FileCounts::of(&bulk, &jobs);
        let of_refused = bulk.refused.iter().map(BatchError::of_refused);
        Ok(Self {
            total_files: files.total,
            successful_files: files.done,
            failed_files: files.failed + files.cancelled + files.refused,
            errors: jobs.iter().filter_map(BatchError::of_job).chain(of_refused).collect(),
        })
    }

    fn of_one(job: &Job) -> Self {
        let is_done = job.status == JobStatus::Completed;
        Self {
            total_files: 1,
            successful_files: u64::from(is_done),
            failed_files: u64::from(job.status.is_terminal() && !is_done),
            errors: BatchError::of_job(&BulkJob::from(job)).into_iter().collect(),
        }
    }
}

/// 200 with the batch.
pub(in crate::http::compat) async fn status(
    request: HttpRequest,
    id: web::Path<String>,
    api: web::Data<Api>,
) -> Result<HttpResponse, Problem> {
    let job = batch_job(&api, &id).await?;
    let mut upload = UploadReport::of(&api, &job).await?;
    if job.counts.failed > 0 {
        let stored = api.jobs.row_errors(job.id, 0, ERRORS_MAX).await?;
        upload.errors.extend(stored.iter().map(|it| BatchError::of_row(&job.file_name, it)));
    }
    let skipped = skipped_rows(&api, &job).await?;
    let pace = Pace::measure(&api).await?;
    let errors = format_args!("/api/v1/import/jobs/{}/errors", job.id);
    let errors_url = path_prefix::of(&request).to(errors);
    let batch = Batch::of(&job, skipped, &pace);
    json(StatusCode::OK, &BatchReport { batch, upload, errors_url })
}
