//! A job as clients see it: in answers, events and messages of every kind. The same job gives the same bytes, wherever it was read from and
//! whenever it is asked for: nothing here looks at a clock.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::action::{self, Action};
use super::counts::Counts;
use super::detected::Detected;
use super::difference::Difference;
use super::download::Download;
use super::job::Job;
use super::new_reference::NewReferencesView;
use super::options::Options;
use super::path_prefix::PathPrefix;
use super::search_sync::{RefusedDocument, SearchSync, SyncStatus};
use super::selection::Selection;
use super::status::JobStatus;
use super::warning::WarningView;

/// The actions that the job allows now, by the last word of their address.
#[must_use]
pub fn actions(job: &Job) -> Vec<&'static str> {
    action::legal(job).map(Action::as_str).collect()
}

/// The address of a job's status.
#[must_use]
pub fn status_url(id: i64, prefix: &PathPrefix) -> String {
    prefix.to(format_args!("/api/v1/import/status/{id}"))
}

/// A job, in the order of its members in JSON.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobView<'a> {
    job_id: i64,
    dataset: &'a str,
    file_name: &'a str,
    status: &'static str,
    progress: JobProgress,
    counts: Counts,
    rows_per_second: Option<f64>,
    eta_seconds: Option<u64>,
    created_at: String,
    started_at: Option<String>,
    last_progress_at: Option<String>,
    completed_at: Option<String>,
    results: Option<JobResults>,
    error: Option<&'a str>,
    error_code: Option<&'a str>,
    actions: Vec<&'static str>,
    links: JobLinks,
    detected: Option<&'a Detected>,
    download: Option<DownloadView<'a>>,
    warnings: Vec<WarningView>,
    options: &'a Options,
    sha256: Option<&'a str>,
    file_size: Option<i64>,
    priority: i32,
    created_by: Option<&'a str>,
    retry_of: Option<i64>,
    selection: Option<&'static str>,
    rollback_of: Option<i64>,
    confirms: Option<i64>,
    bulk_id: Option<String>,
    resume_at: Option<String>,
    files_removed_at: Option<String>,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<&'a [Difference]>,
    /// What a dry run found that an import would create in other tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_references: Option<Vec<NewReferencesView<'a>>>,
    run_seconds: Option<f64>,
    queue_position: Option<u64>,
    sync: Option<SyncView<'a>>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct JobProgress {
    current: u64,
    total: Option<u64>,
    percentage: u64,
    /// Rows that are written and not committed, of a file that is imported as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<u64>,
}

/// The download of the job's file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct DownloadView<'a> {
    url: String,
    received_bytes: u64,
    total_bytes: Option<u64>,
    bytes_per_second: Option<u64>,
    seconds: f64,
    etag: Option<&'a str>,
    last_modified: Option<&'a str>,
    is_complete: bool,
    unchanged_since: Option<i64>,
}

impl<'a> DownloadView<'a> {
    fn of(download: &'a Download) -> Self {
        let progress = &download.progress;
        Self {
            url: download.url.shown(),
            received_bytes: progress.received_bytes,
            total_bytes: progress.total_bytes,
            bytes_per_second: progress.bytes_per_second,
            seconds: seconds(progress.millis),
            etag: progress.version.etag.as_deref(),
            last_modified: progress.version.last_modified.as_deref(),
            is_complete: !download.is_awaited,
            unchanged_since: progress.unchanged_since,
        }
    }
}

/// How far the records of the job are in the search engine.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SyncView<'a> {
    status: SyncStatus,
    upserted: u64,
    removed: u64,
    refused: u64,
    errors: &'a [RefusedDocument],
    last_error: Option<&'a str>,
    attempts: u32,
    completed_at: Option<String>,
}

impl<'a> SyncView<'a> {
    fn of(sync: &'a SearchSync) -> Self {
        Self {
            status: sync.status,
            upserted: sync.upserted,
            removed: sync.removed,
            refused: sync.refused,
            errors: &sync.errors,
            last_error: sync.last_error.as_deref(),
            attempts: sync.attempts,
            completed_at: sync.completed_at.map(timestamp),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobResults {
    total_rows: Option<u64>,
    success_count: u64,
    error_count: u64,
    #[serde(flatten)]
    counts: Counts,
    unprocessed: Option<u64>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobLinks {
    #[serde(rename = "self")]
    itself: String,
    errors: String,
    children: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_csv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors_xlsx: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unprocessed_csv: Option<String>,
    /// All rows of the file with their outcomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_csv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_xlsx: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unprocessed_xlsx: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    force: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff_csv: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete: Option<String>,
}

impl<'a> JobView<'a> {
    /// The view of a job, for a client that sees the server below `prefix`.
    #[must_use]
    pub fn of(job: &'a Job, prefix: &PathPrefix) -> Self {
        Self::in_queue(job, prefix, None)
    }

    /// The view of a job of which the place in the queue is known.
    #[must_use]
    pub fn in_queue(job: &'a Job, prefix: &PathPrefix, position: Option<u64>) -> Self {
        Self {
            job_id: job.id,
            dataset: &job.dataset,
            file_name: &job.file_name,
            status: job.status.as_str(),
            progress: JobProgress {
                current: job.counts.processed(),
                total: job.total_rows,
                percentage: percentage(job),
                staged: (job.staged_rows > 0).then_some(job.staged_rows),
            },
            counts: job.counts,
            rows_per_second: rows_per_second(job),
            eta_seconds: eta_seconds(job),
            created_at: timestamp(job.created_at),
            started_at: job.started_at.map(timestamp),
            last_progress_at: job.started_at.map(|_| timestamp(job.updated_at)),
            completed_at: job.completed_at.map(timestamp),
            results: job.status.is_terminal().then(|| JobResults {
                total_rows: job.total_rows,
                success_count: job.counts.succeeded(),
                error_count: job.counts.failed,
                counts: job.counts,
                unprocessed: job.total_rows.map(|t| t.saturating_sub(job.counts.processed())),
            }),
            error: job.error_message.as_deref(),
            error_code: job.error_code.as_deref(),
            actions: actions(job),
            links: links(job, prefix),
            detected: job.detected.as_ref(),
            download: job.download.as_ref().map(DownloadView::of),
            warnings: job.warnings.iter().map(WarningView::of).collect(),
            options: &job.options,
            sha256: (!job.awaits_file()).then_some(job.sha256.as_str()),
            file_size: (!job.awaits_file()).then_some(job.file_size),
            priority: job.priority,
            created_by: job.created_by.as_deref(),
            retry_of: job.retry_of,
            selection: job.selection.as_ref().map(Selection::as_str),
            rollback_of: job.rollback_of,
            confirms: job.confirms,
            bulk_id: job.bulk_id.map(|id| id.to_string()),
            resume_at: job.resume_at.map(timestamp),
            files_removed_at: job.files_removed_at.map(timestamp),
            dry_run: job.options.dry_run,
            differences: None,
            new_references: None,
            run_seconds: job.started_at.map(|_| seconds(job.run_time.millis)),
            queue_position: position.filter(|_| job.status == JobStatus::Pending),
            sync: job.sync.as_deref().map(SyncView::of),
        }
    }
}

impl<'a> JobView<'a> {
    /// The same with what a dry run that has ended found: the first differences, and what it would create
    /// in other tables.
    #[must_use]
    pub fn with_findings(self, differences: &'a [Difference], job: &'a Job) -> Self {
        if !self.dry_run || self.results.is_none() {
            return self;
        }
        let new = job.new_references.as_ref().map_or_else(Vec::new, |new| new.views());
        Self { differences: Some(differences), new_references: Some(new), ..self }
    }
}

fn links(job: &Job, prefix: &PathPrefix) -> JobLinks {
    let base = prefix.to(format_args!("/api/v1/import/jobs/{}", job.id));
    let failed = job.counts.failed > 0 && job.files_removed_at.is_none();
    let unprocessed = leaves_rows(job);
    let rows = job.status.is_terminal()
        && job.rollback_of.is_none()
        && job.files_removed_at.is_none()
        && job.total_rows.is_some_and(|total| total > 0);
    let changes = job.options.dry_run && job.counts.created + job.counts.updated > 0;
    let to = |action: Action| {
        action.is_legal(job).then(|| match action {
            Action::Delete => base.clone(),
            action => format!("{base}/{}", action.as_str()),
        })
    };
    JobLinks {
        itself: status_url(job.id, prefix),
        errors: format!("{base}/errors"),
        children: prefix.to(format_args!("/api/v1/import/jobs?of={}", job.id)),
        errors_csv: failed.then(|| format!("{base}/errors.csv")),
        errors_xlsx: failed.then(|| format!("{base}/errors.xlsx")),
        superseded: (job.counts.superseded > 0).then(|| format!("{base}/superseded")),
        rows_csv: rows.then(|| format!("{base}/rows.csv")),
        rows_xlsx: rows.then(|| format!("{base}/rows.xlsx")),
        unprocessed_csv: unprocessed.then(|| format!("{base}/unprocessed.csv")),
        unprocessed_xlsx: unprocessed.then(|| format!("{base}/unprocessed.xlsx")),
        pause: to(Action::Pause),
        resume: to(Action::Resume),
        cancel: to(Action::Cancel),
        force: to(Action::Force),
        priority: (!job.status.is_terminal()).then(|| format!("{base}/priority")),
        retry: to(Action::Retry),
        rollback: to(Action::Rollback),
        diff: changes.then(|| format!("{base}/diff")),
        diff_csv: changes.then(|| format!("{base}/diff.csv")),
        confirm: to(Action::Confirm),
        delete: to(Action::Delete),
    }
}

/// True of a job that ended with rows of its file left. One that failed before they were counted has
/// a file that cannot be read; one that was cancelled then never looked.
fn leaves_rows(job: &Job) -> bool {
    let is_import = job.rollback_of.is_none() && job.files_removed_at.is_none();
    is_import
        && match job.total_rows {
            Some(total) => job.status.is_terminal() && total > job.counts.processed(),
            None => job.status == JobStatus::Cancelled && !job.awaits_file(),
        }
}

/// Milliseconds are what every database keeps, so that the table and the memory give the same text.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Rounded down; 100 only when the job is completed.
#[must_use]
pub fn percentage(job: &Job) -> u64 {
    if job.status == JobStatus::Completed {
        return 100;
    }
    let done = job.counts.processed().saturating_mul(100);
    job.total_rows.and_then(|total| done.checked_div(total)).unwrap_or(0).min(99)
}

/// Seconds with three digits after the point.
fn seconds(millis: u64) -> f64 {
    f64::from(u32::try_from(millis).unwrap_or(u32::MAX)) / 1000.0
}

/// Rows and milliseconds: of the last minute in which the job ran, in the end of all its runs.
fn pace(job: &Job) -> Option<(u64, u64)> {
    let processed = job.counts.processed();
    if job.status.is_terminal() {
        job.run_time.in_all(processed)
    } else {
        job.run_time.lately(processed)
    }
}

/// One digit after the point.
fn rows_per_second(job: &Job) -> Option<f64> {
    let (rows, millis) = pace(job)?;
    let tenths = rows.saturating_mul(10_000).checked_div(millis)?;
    Some(f64::from(u32::try_from(tenths).ok()?) / 10.0)
}

/// Seconds until a running job ends at its pace of the last minute.
#[must_use]
pub fn eta_seconds(job: &Job) -> Option<u64> {
    if job.status != JobStatus::Processing {
        return None;
    }
    let (rows, millis) = pace(job)?;
    let left = job.total_rows?.saturating_sub(job.counts.processed());
    Some(left.saturating_mul(millis).div_ceil(rows.saturating_mul(1000)))
}

#[cfg(test)]
pub(crate) mod tests;
