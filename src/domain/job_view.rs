//! A job as clients see it: in answers, events and messages of every kind. The same job gives the same bytes, wherever it was read from and
//! whenever it is asked for: nothing here looks at a clock.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::action::{self, Action};
use super::counts::Counts;
use super::detected::Detected;
use super::job::Job;
use super::options::Options;
use super::path_prefix::PathPrefix;
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
#[derive(Debug, Serialize)]
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
    detected: &'a Detected,
    warnings: Vec<WarningView>,
    options: &'a Options,
    sha256: &'a str,
    file_size: i64,
    priority: i32,
    created_by: Option<&'a str>,
    retry_of: Option<i64>,
    selection: Option<&'static str>,
    rollback_of: Option<i64>,
    resume_at: Option<String>,
    files_removed_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct JobProgress {
    current: u64,
    total: Option<u64>,
    percentage: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JobResults {
    total_rows: Option<u64>,
    success_count: u64,
    error_count: u64,
    #[serde(flatten)]
    counts: Counts,
    unprocessed: Option<u64>,
}

#[derive(Debug, Serialize)]
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
    delete: Option<String>,
}

impl<'a> JobView<'a> {
    /// The view of a job, for a client that sees the server below `prefix`.
    #[must_use]
    pub fn of(job: &'a Job, prefix: &PathPrefix) -> Self {
        Self {
            job_id: job.id,
            dataset: &job.dataset,
            file_name: &job.file_name,
            status: job.status.as_str(),
            progress: JobProgress {
                current: job.counts.processed(),
                total: job.total_rows,
                percentage: percentage(job),
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
            detected: &job.detected,
            warnings: job.warnings.iter().map(WarningView::of).collect(),
            options: &job.options,
            sha256: &job.sha256,
            file_size: job.file_size,
            priority: job.priority,
            created_by: job.created_by.as_deref(),
            retry_of: job.retry_of,
            selection: job.selection.as_ref().map(Selection::as_str),
            rollback_of: job.rollback_of,
            resume_at: job.resume_at.map(timestamp),
            files_removed_at: job.files_removed_at.map(timestamp),
        }
    }
}

fn links(job: &Job, prefix: &PathPrefix) -> JobLinks {
    let base = prefix.to(format_args!("/api/v1/import/jobs/{}", job.id));
    let failed = job.counts.failed > 0 && job.files_removed_at.is_none();
    let unprocessed = leaves_rows(job);
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
        unprocessed_csv: unprocessed.then(|| format!("{base}/unprocessed.csv")),
        unprocessed_xlsx: unprocessed.then(|| format!("{base}/unprocessed.xlsx")),
        pause: to(Action::Pause),
        resume: to(Action::Resume),
        cancel: to(Action::Cancel),
        force: to(Action::Force),
        priority: (!job.status.is_terminal()).then(|| format!("{base}/priority")),
        retry: to(Action::Retry),
        rollback: to(Action::Rollback),
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
            None => job.status == JobStatus::Cancelled,
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

/// Rows with an outcome, and the milliseconds from the start to the last commit.
fn pace(job: &Job) -> Option<(u64, u64)> {
    let until = job.completed_at.unwrap_or(job.updated_at);
    let millis = u64::try_from((until - job.started_at?).num_milliseconds()).ok()?;
    let rows = job.counts.processed();
    (rows > 0 && millis > 0).then_some((rows, millis))
}

/// One digit after the point.
fn rows_per_second(job: &Job) -> Option<f64> {
    let (rows, millis) = pace(job)?;
    let tenths = rows.saturating_mul(10_000).checked_div(millis)?;
    Some(f64::from(u32::try_from(tenths).ok()?) / 10.0)
}

fn eta_seconds(job: &Job) -> Option<u64> {
    if job.status != JobStatus::Processing {
        return None;
    }
    let (rows, millis) = pace(job)?;
    let left = job.total_rows?.saturating_sub(rows);
    Some(left.saturating_mul(millis).div_ceil(rows.saturating_mul(1000)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::detected::{DecimalSeparator, Format};

    /// A job in the middle of its life.
    pub(crate) fn job() -> Job {
        let at = |second: i64| DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap();
        Job {
            id: 123,
            uuid: uuid::Uuid::nil(),
            dataset: "products".to_owned(),
            file_name: "products.csv".to_owned(),
            file_size: 136_600_000,
            sha256: "ab".repeat(32),
            status: JobStatus::Processing,
            total_rows: Some(700_000),
            counts: Counts { created: 49_990, failed: 10, ..Counts::default() },
            error_code: None,
            error_message: None,
            warnings: crate::domain::warning::Warnings::default(),
            options: Options::default(),
            detected: Detected {
                format: Format::Csv,
                delimiter: Some(';'),
                quote: None,
                escape: None,
                encoding: Some("utf-8".to_owned()),
                bom: false,
                encoding_guessed: false,
                encoding_samples: Vec::new(),
                sheet: None,
                header_row: 1,
                decimal: DecimalSeparator::Comma,
                dates: None,
                header: vec!["SKU".to_owned(), "Note".to_owned()],
                columns: vec![Some("sku".to_owned()), None],
            },
            priority: 0,
            attempts: 1,
            lease_epoch: 1,
            event_count: 8,
            row_events: false,
            bulk_id: None,
            storage_location: "one".to_owned(),
            retry_of: None,
            selection: None,
            rollback_of: None,
            resume_at: None,
            created_by: None,
            created_at: at(0),
            started_at: Some(at(1)),
            updated_at: at(2),
            completed_at: None,
            files_removed_at: None,
        }
    }

    fn view(job: &Job) -> JobView<'_> {
        JobView::of(job, &PathPrefix::default())
    }

    fn text_of(job: &Job) -> String {
        serde_json::to_string_pretty(&view(job)).unwrap()
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "the whole answer, in the order of its members")]
    fn a_running_job_shows_how_far_it_is() {
        insta::assert_snapshot!(text_of(&job()), @r#"
        {
          "jobId": 123,
          "dataset": "products",
          "fileName": "products.csv",
          "status": "processing",
          "progress": {
            "current": 50000,
            "total": 700000,
            "percentage": 7
          },
          "counts": {
            "created": 49990,
            "updated": 0,
            "unchanged": 0,
            "superseded": 0,
            "failed": 10
          },
          "rowsPerSecond": 50000.0,
          "etaSeconds": 13,
          "createdAt": "2026-11-18T11:06:40.000Z",
          "startedAt": "2026-11-18T11:06:41.000Z",
          "lastProgressAt": "2026-11-18T11:06:42.000Z",
          "completedAt": null,
          "results": null,
          "error": null,
          "errorCode": null,
          "actions": [
            "pause",
            "cancel"
          ],
          "links": {
            "self": "/api/v1/import/status/123",
            "errors": "/api/v1/import/jobs/123/errors",
            "children": "/api/v1/import/jobs?of=123",
            "errorsCsv": "/api/v1/import/jobs/123/errors.csv",
            "errorsXlsx": "/api/v1/import/jobs/123/errors.xlsx",
            "pause": "/api/v1/import/jobs/123/pause",
            "cancel": "/api/v1/import/jobs/123/cancel",
            "priority": "/api/v1/import/jobs/123/priority"
          },
          "detected": {
            "format": "csv",
            "delimiter": ";",
            "encoding": "utf-8",
            "bom": false,
            "headerRow": 1,
            "decimal": "comma",
            "header": [
              "SKU",
              "Note"
            ],
            "columns": [
              "sku",
              null
            ]
          },
          "warnings": [],
          "options": {
            "mode": "upsert",
            "dryRun": false,
            "onError": "continue",
            "blank": "clear",
            "nulls": [
              "NULL",
              "\\N",
              "nan",
              "None",
              "N/A",
              "(null)",
              "[NULL]",
              "<NA>"
            ],
            "duplicates": "last",
            "decimal": "undeclared",
            "currency": "refuse",
            "hidden": "import",
            "priority": 0,
            "rows": "auto",
            "undo": false,
            "strict": false
          },
          "sha256": "abababababababababababababababababababababababababababababababab",
          "fileSize": 136600000,
          "priority": 0,
          "createdBy": null,
          "retryOf": null,
          "selection": null,
          "rollbackOf": null,
          "resumeAt": null,
          "filesRemovedAt": null
        }
        "#);
    }

    #[test]
    fn a_finished_job_shows_its_results() {
        let mut job = job();
        job.status = JobStatus::Failed;
        job.error_code = Some("unclosed_quote".to_owned());
        job.error_message = Some("The quote in row 50002 is never closed.".to_owned());
        job.completed_at = Some(job.updated_at);
        let view = serde_json::to_value(view(&job)).unwrap();
        insta::assert_snapshot!(view["results"], @r#"{"totalRows":700000,"successCount":49990,"errorCount":10,"created":49990,"updated":0,"unchanged":0,"superseded":0,"failed":10,"unprocessed":650000}"#);
        assert_eq!(view["progress"]["percentage"], 7);
        assert_eq!(view["etaSeconds"], serde_json::Value::Null);
        assert_eq!(view["actions"], serde_json::json!(["retry", "delete"]));
        let base = "/api/v1/import/jobs/123";
        assert_eq!(view["links"]["delete"], base);
        for (link, address) in [("retry", "retry"), ("unprocessedCsv", "unprocessed.csv")] {
            assert_eq!(view["links"][link], format!("{base}/{address}"));
        }
        assert_eq!(view["errorCode"], "unclosed_quote");
    }

    #[test]
    fn files_that_were_removed_have_no_links() {
        let mut job = job();
        job.status = JobStatus::Failed;
        job.files_removed_at = Some(job.updated_at);
        let view = serde_json::to_value(view(&job)).unwrap();
        assert_eq!(view["filesRemovedAt"], "2026-11-18T11:06:42.000Z");
        let links = view["links"].as_object().unwrap();
        let links: Vec<_> = links.keys().map(String::as_str).collect();
        assert_eq!(links, ["self", "errors", "children", "delete"]);
    }

    #[test]
    fn a_hundred_percent_means_completed() {
        let mut job = job();
        job.counts.created = 699_990;
        assert_eq!(percentage(&job), 99);
        job.status = JobStatus::Completed;
        assert_eq!(percentage(&job), 100);
        job.total_rows = Some(0);
        assert_eq!(percentage(&job), 100);
        job.status = JobStatus::Cancelled;
        assert_eq!(percentage(&job), 0);
    }

    #[test]
    fn what_is_not_known_is_null() {
        let mut job = job();
        job.status = JobStatus::Pending;
        job.counts = Counts::default();
        job.total_rows = None;
        job.started_at = None;
        let view = serde_json::to_value(view(&job)).unwrap();
        for member in ["rowsPerSecond", "etaSeconds", "startedAt", "lastProgressAt", "results"] {
            assert!(view[member].is_null(), "{member}");
        }
        assert!(view["progress"]["total"].is_null());
        assert_eq!(view["actions"], serde_json::json!(["cancel", "force"]));
    }

    #[test]
    fn a_job_that_waits_for_room_says_why_and_until_when() {
        let mut job = job();
        job.status = JobStatus::Paused;
        job.error_code = Some("storage_full".to_owned());
        job.error_message = Some("there is no space left in the data directory".to_owned());
        job.resume_at = Some(job.updated_at);
        let view = serde_json::to_value(view(&job)).unwrap();
        assert_eq!(view["errorCode"], "storage_full");
        assert_eq!(view["resumeAt"], "2026-11-18T11:06:42.000Z");
        assert_eq!(view["actions"], serde_json::json!(["resume", "cancel"]));
        assert_eq!(view["links"]["pause"], serde_json::Value::Null);
    }

    #[test]
    fn rows_that_are_left_have_links_once_the_job_has_ended() {
        let mut job = job();
        assert!(!leaves_rows(&job), "it may still take them");
        job.status = JobStatus::Cancelled;
        assert!(leaves_rows(&job));
        job.total_rows = None;
        assert!(leaves_rows(&job), "it never looked");
        job.status = JobStatus::Failed;
        assert!(!leaves_rows(&job), "its file cannot be read");
        job.total_rows = Some(50_000);
        assert!(!leaves_rows(&job));
    }
}
