//! What clients see of a job, whole; and the job that tests of other modules show.

use super::*;
use crate::domain::detected::{DecimalSeparator, Format};
use crate::domain::run_time::RunTime;

/// A job in the middle of its life.
pub(crate) fn job() -> Job {
    let at = |second: i64| DateTime::from_timestamp(1_795_000_000 + second, 0).unwrap();
    Job {
        staged_rows: 0,
        id: 123,
        uuid: uuid::Uuid::nil(),
        dataset: "products".to_owned(),
        file_name: "products.csv".to_owned(),
        file_size: 136_600_000,
        sha256: "ab".repeat(32),
        status: JobStatus::Processing,
        total_rows: Some(700_000),
        counts: Counts { created: 49_990, failed: 10, ..Counts::default() },
        run_time: RunTime { millis: 1_000, ..RunTime::default() },
        error_code: None,
        error_message: None,
        warnings: crate::domain::warning::Warnings::default(),
        options: Options::default(),
        download: None,
        detected: Some(Detected {
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
            meet: None,
        }),
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
        confirms: None,
        resume_at: None,
        created_by: None,
        trace: None,
        created_at: at(0),
        started_at: Some(at(1)),
        updated_at: at(2),
        completed_at: None,
        files_removed_at: None,
        new_references: None,
        sync: None,
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
      "download": null,
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
      "confirms": null,
      "bulkId": null,
      "resumeAt": null,
      "filesRemovedAt": null,
      "dryRun": false,
      "runSeconds": 1.0,
      "queuePosition": null,
      "sync": null
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
