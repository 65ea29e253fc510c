//! The status of a job, asked once and again.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::cancelling::{Blocked, SMALL};
use crate::support::{Answer, Kind, Server, Upload, both};

const KEYS: [&str; 36] = [
    "actions",
    "bulkId",
    "completedAt",
    "confirms",
    "counts",
    "createdAt",
    "createdBy",
    "dataset",
    "detected",
    "download",
    "dryRun",
    "error",
    "errorCode",
    "etaSeconds",
    "fileName",
    "fileSize",
    "filesRemovedAt",
    "jobId",
    "lastProgressAt",
    "links",
    "options",
    "priority",
    "progress",
    "queuePosition",
    "results",
    "resumeAt",
    "retryOf",
    "rollbackOf",
    "rowsPerSecond",
    "runSeconds",
    "selection",
    "sha256",
    "startedAt",
    "status",
    "sync",
    "warnings",
];

/// The names of the members, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

async fn if_changed(server: &Server, job: i64, query: &str, tag: &str) -> Answer {
    let path = format!("/api/v1/import/status/{job}{query}");
    server.send(server.request(Method::GET, &path).header("if-none-match", tag)).await
}

both!(a_finished_job_tells_all_about_itself, |server| {
    let text = "SKU;Shelf;Name;MRP\nA;1;Arnica;12,50\nA;1;Arnica;13,50\nB;2;;1\n";
    let status = server.load("products", Upload::csv(text)).await;
    assert_eq!(keys(&status), KEYS);
    assert_eq!(status["progress"], json!({"current": 3, "total": 3, "percentage": 100}));
    let counts = json!({"created": 1, "updated": 0, "unchanged": 0, "superseded": 1, "failed": 1});
    assert_eq!(status["counts"], counts);
    for (member, value) in [("totalRows", 3), ("successCount", 2), ("errorCount", 1)] {
        assert_eq!(status["results"][member], value);
    }
    assert_eq!(status["detected"]["format"], "csv");
    assert_eq!(status["detected"]["delimiter"], ";");
    assert_eq!(status["detected"]["decimal"], "comma");
    assert_eq!(status["detected"]["columns"], json!(["sku", null, "name", "mrp"]));
    assert_eq!(status["actions"], json!(["retry", "delete"]));
    assert_eq!(status["etaSeconds"], Value::Null);
    for time in ["createdAt", "startedAt", "lastProgressAt", "completedAt"] {
        let text = status[time].as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == 24, "{time}: {text}");
    }
    for link in ["self", "errors", "errorsCsv", "errorsXlsx"] {
        assert_eq!(server.get(status["links"][link].as_str().unwrap()).await.status, 200, "{link}");
    }
});

both!(a_status_that_was_seen_is_not_sent_again, |server| {
    let job = server.load("products", Upload::csv(SMALL)).await["jobId"].as_i64().unwrap();
    let first = server.status(job).await;
    let tag = first.header("etag").unwrap();
    assert_eq!(first.header("retry-after"), None, "there is nothing to come any more");
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let again = if_changed(server, job, "", tag).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tag));
    assert_eq!(if_changed(server, job, "", &format!("\"x\", {tag}")).await.status, 304);
    assert_eq!(if_changed(server, job, "?wait=30", tag).await.status, 304, "and does not wait");
    assert_eq!(if_changed(server, job, "", "\"other\"").await.bytes, first.bytes);
});

#[tokio::test]
async fn a_job_that_is_not_at_its_end_says_when_to_ask_again() {
    let (mut server, blocked) = Blocked::start().await;
    let answer = server.status(blocked.running).await;
    assert_eq!(answer.ok()["status"], "processing");
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(answer.data()["actions"], json!(["pause", "cancel"]));
    assert_eq!(answer.data()["results"], Value::Null);
    assert_eq!(answer.data()["completedAt"], Value::Null);

    let pending = server.status(blocked.waiting).await;
    assert_eq!(pending.ok()["status"], "pending");
    assert_eq!(pending.data()["progress"], json!({"current": 0, "total": null, "percentage": 0}));
    assert_eq!(pending.data()["startedAt"], Value::Null);

    // A wait without news ends after its time, with the job as it stands.
    let begun = Instant::now();
    assert_eq!(
        server.get(&format!("/api/v1/import/status/{}?wait=1", blocked.waiting)).await.ok(),
        pending.data()
    );
    assert!(begun.elapsed() >= Duration::from_millis(900));
    let tag = pending.header("etag").unwrap();
    assert_eq!(if_changed(&server, blocked.waiting, "?wait=1", tag).await.status, 304);

    // A wait with news ends at once.
    let change = async {
        blocked.release().await;
        server.finished(1).await
    };
    let (answer, _) = tokio::join!(if_changed(&server, 2, "?wait=60", tag), change);
    assert_ne!(answer.ok()["status"], "pending");
    server.finished(2).await;
    server.check_every_job().await;
}

#[tokio::test]
async fn a_question_that_cannot_be_understood_is_refused() {
    let mut server = Server::start(Kind::Sqlite).await;
    server.load("products", Upload::csv(SMALL)).await;
    for (path, status, code) in [
        ("status/1?wait=x", 400, "invalid_option"),
        ("status/1?wait=-1", 400, "invalid_option"),
        ("status/1?watch=1", 400, "unknown_option"),
        ("status/2", 404, "job_not_found"),
        ("status/0", 404, "job_not_found"),
        ("status/-1", 404, "job_not_found"),
        ("status/one", 404, "job_not_found"),
        ("status/99999999999999999999", 404, "job_not_found"),
        ("jobs/2", 404, "job_not_found"),
    ] {
        server.get(&format!("/api/v1/import/{path}")).await.assert_problem(status, code);
    }
    let long = server.get("/api/v1/import/status/1?wait=100000").await;
    assert_eq!(long.status, 200, "a longer wait is cut to the longest");
    server.check_every_job().await;
}
