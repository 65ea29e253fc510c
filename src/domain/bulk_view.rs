//! A bulk as clients see it: its files by where they stand, its rows in all, and its jobs in the order
//! of the files. Looks at no clock, like the view of a job.

use serde::Serialize;

use super::bulk::{Bulk, BulkJob, BulkStatus, FileCounts};
use super::counts::Counts;
use super::job_view::{status_url, timestamp};
use super::path_prefix::PathPrefix;
use super::status::JobStatus;

/// The address of a bulk's status.
#[must_use]
pub fn bulk_url(bulk: &Bulk, prefix: &PathPrefix) -> String {
    prefix.to(format_args!("/api/v1/import/bulks/{}", bulk.id))
}

/// A bulk without its jobs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkSummary<'a> {
    bulk_id: String,
    dataset: &'a str,
    status: BulkStatus,
    files: FileCounts,
    progress: BulkProgress,
    counts: Counts,
    rows_per_second: Option<f64>,
    eta_seconds: Option<u64>,
    created_at: String,
    started_at: Option<String>,
    last_progress_at: Option<String>,
    completed_at: Option<String>,
    results: Option<BulkResults>,
    created_by: Option<&'a str>,
    retry_of: Option<String>,
    queue_position: Option<u64>,
    actions: Vec<&'static str>,
    links: BulkLinks,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BulkProgress {
    current: u64,
    total: Option<u64>,
    percentage: u64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct BulkResults {
    total_rows: u64,
    success_count: u64,
    error_count: u64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct BulkLinks {
    #[serde(rename = "self")]
    itself: String,
    events: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<String>,
}

/// A bulk with what became of each of its files.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BulkView<'a> {
    #[serde(flatten)]
    summary: BulkSummary<'a>,
    jobs: Vec<BulkEntry<'a>>,
}

/// A file of a bulk: its job, or why it has none.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkEntry<'a> {
    index: u64,
    file_name: &'a str,
    job_id: Option<i64>,
    status: &'static str,
    status_url: Option<String>,
    total_rows: Option<u64>,
    processed_rows: u64,
    error_count: u64,
    error: Option<&'a str>,
    error_code: Option<&'a str>,
}

/// What a bulk comes to, from its jobs.
#[derive(Debug, Clone, Copy)]
struct Sums {
    counts: Counts,
    /// Rows of the files that are counted, and the bytes of these.
    counted: (u64, u64),
    /// Bytes of the files whose rows are not counted yet and will be.
    uncounted_bytes: u64,
}

impl Sums {
    fn of(jobs: &[BulkJob]) -> Self {
        let mut sums = Self { counts: Counts::default(), counted: (0, 0), uncounted_bytes: 0 };
        for job in jobs {
            sums.counts += job.counts;
            match job.total_rows {
                Some(rows) => {
                    sums.counted.0 += rows;
                    sums.counted.1 += job.file_size;
                }
                None if !job.status.is_terminal() => sums.uncounted_bytes += job.file_size,
                None => {}
            }
        }
        sums
    }

    /// The rows of all files; those of files that are not counted yet by their bytes.
    fn expected_rows(&self) -> Option<u64> {
        let (rows, bytes) = self.counted;
        if self.uncounted_bytes == 0 {
            return Some(rows);
        }
        let more = u128::from(self.uncounted_bytes) * u128::from(rows);
        let more = more.checked_div(u128::from(bytes))?;
        Some(rows.saturating_add(u64::try_from(more).unwrap_or(u64::MAX)))
    }
}

impl<'a> BulkSummary<'a> {
    /// The bulk, whose first waiting job has this place in the queue, for a client that sees the server
    /// below `prefix`.
    #[must_use]
    pub fn of(bulk: &'a Bulk, jobs: &[BulkJob], place: Option<u64>, prefix: &PathPrefix) -> Self {
        let (files, sums) = (FileCounts::of(bulk, jobs), Sums::of(jobs));
        let status = files.status();
        let current = sums.counts.processed();
        let started = jobs.iter().filter_map(|job| job.started_at).min();
        let last = jobs.iter().filter(|job| job.started_at.is_some()).map(|job| job.updated_at);
        let last = last.max();
        let millis = started.zip(last).and_then(|(from, to)| {
            u64::try_from((to - from).num_milliseconds()).ok().filter(|millis| *millis > 0)
        });
        let expected = sums.expected_rows();
        let left = expected.map(|expected| expected.saturating_sub(current));
        let ended = jobs.iter().filter_map(|job| job.completed_at).max();
        let base = bulk_url(bulk, prefix);
        let (can_cancel, can_retry) = (!status.is_terminal(), status.is_terminal());
        Self {
            bulk_id: bulk.id.to_string(),
            dataset: &bulk.dataset,
            status,
            files,
            progress: BulkProgress {
                current,
                total: Some(sums.counted.0).filter(|_| sums.uncounted_bytes == 0),
                percentage: if status.is_terminal() {
                    100
                } else {
                    let done = current.saturating_mul(100);
                    expected.and_then(|rows| done.checked_div(rows)).unwrap_or(0).min(99)
                },
            },
            counts: sums.counts,
            rows_per_second: millis.and_then(|millis| per_second(current, millis)),
            eta_seconds: left
                .zip(millis)
                .filter(|_| current > 0 && status == BulkStatus::Processing)
                .map(|(left, millis)| left.saturating_mul(millis).div_ceil(current * 1000)),
            created_at: timestamp(bulk.created_at),
            started_at: started.map(timestamp),
            last_progress_at: last.map(timestamp),
            completed_at: ended.filter(|_| status.is_terminal()).map(timestamp),
            results: status.is_terminal().then(|| BulkResults {
                total_rows: sums.counted.0,
                success_count: sums.counts.succeeded(),
                error_count: sums.counts.failed,
            }),
            created_by: bulk.created_by.as_deref(),
            retry_of: bulk.retry_of.map(|id| id.to_string()),
            queue_position: place.filter(|_| files.waiting > 0),
            actions: [("cancel", can_cancel), ("retry", can_retry)]
                .into_iter()
                .filter_map(|(action, is_legal)| is_legal.then_some(action))
                .collect(),
            links: BulkLinks {
                events: format!("{base}/events"),
                cancel: can_cancel.then(|| format!("{base}/cancel")),
                retry: can_retry.then(|| format!("{base}/retry")),
                itself: base,
            },
        }
    }
}

/// One digit after the point.
fn per_second(rows: u64, millis: u64) -> Option<f64> {
    let tenths = rows.saturating_mul(10_000).checked_div(millis)?;
    Some(f64::from(u32::try_from(tenths).ok()?) / 10.0)
}

impl<'a> BulkView<'a> {
    /// The bulk with its files.
    #[must_use]
    pub fn of(
        bulk: &'a Bulk,
        jobs: &'a [BulkJob],
        place: Option<u64>,
        prefix: &PathPrefix,
    ) -> Self {
        let summary = BulkSummary::of(bulk, jobs, place, prefix);
        Self { summary, jobs: entries(bulk, jobs, prefix) }
    }
}

/// The files in their order: each job takes the next place that no refused file has.
#[must_use]
pub fn entries<'a>(bulk: &'a Bulk, jobs: &'a [BulkJob], prefix: &PathPrefix) -> Vec<BulkEntry<'a>> {
    let (mut refused, mut jobs) = (bulk.refused.iter().peekable(), jobs.iter());
    let mut entries = Vec::new();
    for index in 0..bulk.file_count {
        if let Some(file) = refused.next_if(|file| file.index == index) {
            entries.push(BulkEntry {
                index,
                file_name: &file.file_name,
                job_id: None,
                status: "refused",
                status_url: None,
                total_rows: None,
                processed_rows: 0,
                error_count: 0,
                error: Some(&file.message),
                error_code: Some(&file.code),
            });
        // A job may have been deleted since: then its place is the next one's.
        } else if let Some(job) = jobs.next() {
            entries.push(BulkEntry {
                index,
                file_name: &job.file_name,
                job_id: Some(job.id),
                status: job.status.as_str(),
                status_url: Some(status_url(job.id, prefix)),
                total_rows: job.total_rows,
                processed_rows: job.counts.processed(),
                error_count: job.counts.failed,
                error: job.error_message.as_deref().filter(|_| job.status != JobStatus::Cancelled),
                error_code: job.error_code.as_deref(),
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::domain::bulk::RefusedFile;
    use crate::domain::job_view::tests::job;

    fn bulk() -> Bulk {
        Bulk {
            id: Uuid::nil(),
            dataset: "products".to_owned(),
            file_count: 3,
            refused: vec![RefusedFile {
                index: 1,
                file_name: "b.pdf".to_owned(),
                code: "unsupported_format".to_owned(),
                message: "It is a PDF document.".to_owned(),
            }],
            fingerprint: String::new(),
            idempotency_key: None,
            retry_of: None,
            created_by: None,
            created_at: DateTime::default(),
        }
    }

    fn view(jobs: &[BulkJob]) -> Value {
        serde_json::to_value(BulkView::of(&bulk(), jobs, Some(3), &PathPrefix::default())).unwrap()
    }

    #[test]
    fn a_refused_file_stands_in_its_place() {
        let first = BulkJob::from(&job());
        let second = BulkJob {
            id: 124,
            total_rows: None,
            status: JobStatus::Pending,
            counts: Counts::default(),
            ..first.clone()
        };
        let view = view(&[first, second]);
        let ids: Vec<_> =
            view["jobs"].as_array().unwrap().iter().map(|it| it["jobId"].clone()).collect();
        assert_eq!(ids, [json!(123), json!(null), json!(124)]);
        assert_eq!(view["jobs"][1]["errorCode"], "unsupported_format");
        assert_eq!(
            view["files"],
            json!({"total": 3, "waiting": 1, "running": 1, "paused": 0, "done": 0, "failed": 0, "cancelled": 0, "refused": 1})
        );
        // The second file is as large as the first one.
        assert_eq!(view["progress"], json!({"current": 50_000, "total": null, "percentage": 3}));
        assert_eq!((&view["status"], &view["queuePosition"]), (&json!("processing"), &json!(3)));
        assert_eq!(view["actions"], json!(["cancel"]));
    }

    #[test]
    fn a_bulk_with_a_refused_file_is_a_partial_success_in_the_end() {
        let done = BulkJob { status: JobStatus::Completed, ..BulkJob::from(&job()) };
        let view = view(&[done.clone(), done]);
        assert_eq!(
            (&view["status"], &view["progress"]["percentage"]),
            (&json!("partial_success"), &json!(100))
        );
        assert_eq!(view["results"]["totalRows"], 1_400_000);
        assert_eq!((&view["etaSeconds"], &view["queuePosition"]), (&json!(null), &json!(null)));
    }
}
