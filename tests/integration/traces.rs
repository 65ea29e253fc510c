//! The trace of an upload: it stands on every line of the log about its job, also after a restart, and
//! goes on to webhooks. Every line about a job names the job.

use std::collections::BTreeSet;

use crate::far::web::{Reply, Web};
use crate::support::*;
use reqwest::Method;
use serde_json::{Value, json};

/// The example of the specification.
const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Everything is logged, as programs read it.
const LOGGED: [(&str, &str); 2] =
    [("LOADBAY_LOG", "info,loadbay=debug"), ("LOADBAY_LOG_FORMAT", "json")];

/// What the server says of itself. Every other line is about a job.
const OF_NO_JOB: [&str; 11] = [
    "connection_timeout_unset",
    "database_connected",
    "disk_reserve_missing",
    "heaps_unlimited",
    "memory_limit",
    "ready",
    "search_build_begun",
    "search_build_ended",
    "starting",
    "stopped",
    "stopping",
];

/// What is logged of a job whose records are passed on and whose end is announced, with failures.
const EVENTS: [&str; 6] = [
    "job_received",
    "job_claimed",
    "transient_error",
    "job_ended",
    "webhook_failed",
    "search_sync_failed",
];

/// The fields of each line that Loadbay itself logged.
fn lines(server: &Server) -> Vec<Value> {
    let is_own = |line: &Value| line["target"].as_str().is_some_and(|it| it.starts_with("loadbay"));
    let log = server.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(is_own).map(|mut line| line["fields"].take()).collect()
}

/// Those about a job.
fn about(server: &Server, job: i64) -> Vec<Value> {
    lines(server).into_iter().filter(|line| line["job_id"] == job).collect()
}

fn events(lines: &[Value]) -> BTreeSet<&str> {
    lines.iter().filter_map(|line| line["event"].as_str()).collect()
}

/// Rows enough for some chunks, with one that fails.
fn file() -> String {
    let rows: String = (0..200).map(|n| format!("A-{n},Arnica {n}\n")).collect();
    format!("SKU,Name\n{rows}B-1,\n")
}

async fn every_line_about_a_job_names_it(kind: Kind) {
    let typesense = Typesense::start().await;
    let mut server = Server::start(kind).await;
    let faults = "chunk.commit=1*return->off;partition.after=sleep(5);search.sent=1*return->off";
    let settings = [
        LOGGED[0],
        LOGGED[1],
        ("LOADBAY_CHUNK_ROWS", "20"),
        ("LOADBAY_FETCH_NETWORKS", "127.0.0.1"),
        ("LOADBAY_FETCH_PORTS", "any"),
        ("LOADBAY_WEBHOOK_RETRIES", "100ms"),
        ("FAILPOINTS", faults),
    ];
    // Its first lines are not JSON.
    server.terminate();
    server.forget_log();
    server.restart_with_search(&typesense, &settings);
    let web = Web::start(|_, _| Reply::status(500));
    let hook = json!({ "url": web.url("/"), "events": ["job.completed", "job.failed"] });
    server.send(server.request(Method::POST, "/api/v1/webhooks").json(&hook)).await;

    let success = server.import("products", Upload::csv(&file()).option("undo", "true")).await;
    server.synced(success).await;
    let refused = Upload::csv(&file()).option("onError", "abort");
    let failure = server.import("products", refused).await;
    assert_eq!(server.finished(failure).await["status"], "failed");
    let retried = server.action(success, "retry").await.data()["jobId"].as_i64().unwrap();
    server.synced(retried).await;
    let back = server.action(success, "rollback").await.data()["jobId"].as_i64().unwrap();
    server.synced(back).await;
    let cancelled = server.import("products", Upload::csv(&file())).await;
    server.cancel(cancelled).await.ok();
    server.finished(cancelled).await;
    wait_until!(web.asked().len() >= 6, "two messages of three jobs: {}", server.log());
    wait_until!(
        events(&about(&server, failure)).contains("webhook_failed"),
        "the receiver failed: {}",
        server.log()
    );

    let nameless: Vec<Value> = lines(&server)
        .into_iter()
        .filter(|line| !OF_NO_JOB.contains(&line["event"].as_str().unwrap()))
        .filter(|line| !line["job_id"].is_i64())
        .collect();
    assert!(nameless.is_empty(), "{nameless:#?}");
    let untraced: Vec<Value> = lines(&server)
        .into_iter()
        .filter(|line| line["job_id"].is_i64() && !line["trace_id"].is_string())
        .collect();
    assert!(untraced.is_empty(), "{untraced:#?}");
    let of_success = about(&server, success);
    for event in EVENTS {
        assert!(events(&of_success).contains(event), "{event}: {of_success:#?}");
    }
    for job in [failure, retried, back, cancelled] {
        let lines = about(&server, job);
        let traces: BTreeSet<&str> = lines
            .iter()
            .filter(|line| line["command"].is_null())
            .map(|line| line["trace_id"].as_str().unwrap())
            .collect();
        assert_eq!(traces.len(), 1, "one trace of job {job}: {lines:#?}");
        assert!(traces.iter().all(|it| it.len() == 32), "{traces:?}");
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn every_line_about_a_job_names_it_on_sqlite() {
    every_line_about_a_job_names_it(Kind::Sqlite).await;
}

#[tokio::test]
async fn every_line_about_a_job_names_it_on_postgres() {
    every_line_about_a_job_names_it(Kind::Postgres).await;
}

async fn the_trace_of_an_upload_stays_with_its_job(kind: Kind) {
    let mut server = Server::start(kind).await;
    server.terminate();
    server.forget_log();
    let settings = [
        LOGGED[0],
        LOGGED[1],
        ("LOADBAY_CHUNK_ROWS", "20"),
        ("LOADBAY_FETCH_NETWORKS", "127.0.0.1"),
        ("LOADBAY_FETCH_PORTS", "any"),
        ("LOADBAY_WEBHOOK_RETRIES", "100ms"),
        ("FAILPOINTS", "partition.after=sleep(50)"),
    ];
    server.restart_with(&settings);
    let web = Web::start(|number, _| Reply::status(if number == 0 { 500 } else { 204 }));
    let hook = json!({ "url": web.url("/") });
    server.send(server.request(Method::POST, "/api/v1/webhooks").json(&hook)).await;
    let upload = Upload::csv(&file()).header("traceparent", GIVEN);
    let job = server.import("products", upload).await;
    server.until(job, |status| status["progress"]["current"] != 0).await;
    server.kill();
    let before = about(&server, job).len();
    assert!(before > 0);
    server.restart_with(&settings);
    server.finished(job).await;
    wait_until!(web.asked().len() == 2, "{}", server.log());

    let lines = about(&server, job);
    assert!(lines.len() > before, "{lines:#?}");
    assert!(events(&lines).contains("job_ended"));
    assert!(lines.iter().all(|line| line["trace_id"] == TRACE), "{lines:#?}");
    let mut spans = BTreeSet::from([GIVEN.to_owned()]);
    for asked in web.asked() {
        let sent = asked.header("traceparent").unwrap().to_owned();
        assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-01"), "{sent}");
        assert!(spans.insert(sent), "each attempt is a span of its own: {spans:?}");
    }
    // What is no trace begins a new one, and so does an upload that says nothing.
    let mut traces = BTreeSet::from([TRACE.to_owned()]);
    for header in ["", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
        let upload = Upload::csv("SKU,Name\nC,Cal\n").header("traceparent", header);
        let job = server.import("products", upload).await;
        server.finished(job).await;
        let of_job: BTreeSet<String> = about(&server, job)
            .iter()
            .map(|line| line["trace_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(of_job.len(), 1, "{of_job:?}");
        assert!(traces.is_disjoint(&of_job), "{of_job:?}");
        traces.extend(of_job);
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn the_trace_of_an_upload_stays_with_its_job_on_sqlite() {
    the_trace_of_an_upload_stays_with_its_job(Kind::Sqlite).await;
}

#[tokio::test]
async fn the_trace_of_an_upload_stays_with_its_job_on_postgres() {
    the_trace_of_an_upload_stays_with_its_job(Kind::Postgres).await;
}
