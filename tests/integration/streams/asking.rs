//! What can be asked for: every row or none, from where; and what is refused.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::files::{Locked, products};
use crate::support::{DeliveredEvent, Kind, Server, Upload, both};

/// Rows of which it is told what became of them.
fn rows(told: &[DeliveredEvent]) -> usize {
    let of_row = |heard: &&DeliveredEvent| {
        heard.kind() == "log" && !heard.data["row_number"].is_null() && heard.id.is_some()
    };
    told.iter().filter(of_row).count()
}

both!(a_finished_job_that_was_seen_to_its_end_has_nothing_to_tell, |server| {
    let job =
        server.load("products", Upload::csv(&products("S", 3))).await["jobId"].as_i64().unwrap();
    let last = server.all_events(job, "").await.last().unwrap().id.unwrap();
    let path = format!("/api/v1/import/jobs/{job}/events");
    for seen in [last, last + 1, u64::MAX] {
        let query = server.get(&format!("{path}?lastEventId={seen}")).await;
        assert_eq!((query.status, query.bytes.len()), (204, 0));
        let request = server.request(Method::GET, &path).header("last-event-id", seen.to_string());
        assert_eq!(server.send(request).await.status, 204);
    }
    let told = server.all_events(job, &format!("?lastEventId={}", last - 1)).await;
    assert_eq!(told.len(), 2, "the snapshot and the end");
});

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let mut server = Server::start(Kind::Sqlite).await;
    let job =
        server.load("products", Upload::csv(&products("S", 3))).await["jobId"].as_i64().unwrap();
    let base = "/api/v1/import";
    for (path, status, code) in [
        ("jobs/1/events?lastEventId=x", 400, "invalid_option"),
        ("jobs/1/events?lastEventId=-1", 400, "invalid_option"),
        ("jobs/1/events?lastEventId=", 400, "invalid_option"),
        ("jobs/1/events?rows=some", 400, "invalid_option"),
        ("jobs/1/events?rows=all&rows=none", 400, "invalid_option"),
        ("jobs/1/events?since=1", 400, "unknown_option"),
        ("jobs/2/events", 404, "job_not_found"),
        ("jobs/one/events", 404, "job_not_found"),
        ("events?lastEventId=1", 400, "unknown_option"),
    ] {
        server.get(&format!("{base}/{path}")).await.assert_problem(status, code);
    }
    for path in [format!("{base}/jobs/{job}/events"), format!("{base}/events")] {
        let answer = server.send(server.request(Method::POST, &path)).await;
        if path.ends_with("1/events") {
            answer.assert_problem(405, "method_not_allowed");
        }
        let head = server.send(server.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        assert_eq!(head.header("content-type"), Some("text/event-stream"));
    }
    // A number of another stream: everything is told.
    let path = format!("{base}/jobs/{job}/events");
    let request = server.request(Method::GET, &path).header("last-event-id", "abc");
    let told = crate::support::Listener::open(&server, request).await.rest().await;
    assert_eq!(told[1].id, Some(1));
    server.check_every_job().await;
}

both!(rows_are_told_as_asked_and_by_the_size_of_the_job, |server| {
    let small = server.load("products", Upload::csv(&products("A", 100))).await;
    let large = server.load("products", Upload::csv(&products("B", 10_001))).await;
    let all =
        server.load("products", Upload::csv(&products("C", 10_001)).option("rows", "all")).await;
    let none =
        server.load("products", Upload::csv(&products("D", 100)).option("rows", "none")).await;
    for (job, query, count) in [
        (&small, "", 100),
        (&small, "?rows=all", 100),
        (&small, "?rows=none", 0),
        (&large, "", 0),
        (&large, "?rows=all", 0),
        (&all, "", 0),
        (&all, "?rows=all", 10_001),
        (&all, "?rows=none", 0),
        (&none, "", 0),
        (&none, "?rows=all", 0),
    ] {
        let told = server.all_events(job["jobId"].as_i64().unwrap(), query).await;
        assert_eq!(rows(&told), count, "{} {query}", job["options"]);
        assert_eq!(told.last().unwrap().kind(), "complete");
        // Who asked for every row and does not get it is told so.
        let notice = told.iter().skip(1).find(|heard| heard.id.is_none());
        let expected = query == "?rows=all" && count == 0;
        assert_eq!(notice.is_some(), expected, "{notice:?}");
        let masters = told.iter().filter(|heard| heard.kind() == "master").count();
        assert_eq!(masters, if job["jobId"] == small["jobId"] { 3 } else { 0 });
    }
});

#[tokio::test]
async fn who_asks_while_a_job_runs_is_told_of_every_row_from_there_on() {
    let total = 11_000;
    let (mut server, job, lock) = Locked::job(total, |upload| upload).await;
    // Some chunks are in the table when the wish comes.
    let mut early = server.events(job, "?rows=none").await;
    early.until(|heard| heard.data["step"] == "counted").await;
    lock.release().await;
    early.until(|heard| heard.kind() == "progress").await;
    let lock = Locked::products(&server).await;
    let late = server.events(job, "?rows=all").await;
    lock.release().await;
    let told = late.rest().await;
    assert_eq!((told[1].id, told[1].kind()), (None, "log"));
    assert_eq!(told[1].data["notice"], "rows_not_recorded");
    assert!(told[1].data["rows"].as_u64() > Some(0), "{}", told[1].data);
    let count = rows(&told);
    let first =
        told.iter().find(|heard| !heard.data["row_number"].is_null() && heard.kind() == "log");
    assert!(count > 0 && count < total, "{count} rows, first {first:?}");
    assert_eq!(rows(&early.rest().await), 0);
    server.finished(job).await;
    // The same to one who comes later.
    let later = server.all_events(job, "?rows=all").await;
    assert!(later.iter().any(|heard| heard.data["notice"] == "rows_not_recorded"));
    server.check_every_job().await;
}

#[tokio::test]
async fn who_asks_before_the_first_chunk_is_told_of_every_row() {
    let total = 11_000;
    let (mut server, job, lock) = Locked::job(total, |upload| upload).await;
    let mut listener = server.events(job, "?rows=all&lastEventId=3").await;
    listener.until(|heard| heard.data["step"] == "counted").await;
    lock.release().await;
    let told = listener.rest().await;
    // The chunks that were in flight then are not told row by row.
    assert!(rows(&told) >= total - 2 * 50 - 200, "{} rows", rows(&told));
    server.finished(job).await;
    server.check_every_job().await;
}

#[tokio::test]
async fn a_number_that_the_job_has_not_reached_means_from_now() {
    let (mut server, job, lock) = Locked::job(300, |upload| upload).await;
    let mut listener = server.events(job, "?lastEventId=999999").await;
    assert_eq!(listener.next().await.unwrap().kind(), "snapshot");
    lock.release().await;
    let told = listener.rest().await;
    assert!(told.iter().all(|heard| heard.id.is_some_and(|id| id > 5)), "{told:?}");
    assert_eq!(told.last().unwrap().kind(), "complete");
    server.finished(job).await;
    server.check_every_job().await;
}

#[tokio::test]
async fn a_silent_stream_gives_signs_of_life() {
    let (mut server, job, lock) = Locked::job(300, |upload| upload).await;
    let path = format!("/api/v1/import/jobs/{job}/events");
    let request = server.request(Method::GET, &path).timeout(Duration::from_mins(2));
    let mut answer = request.send().await.unwrap();
    let mut parser = crate::support::Parser::default();
    while parser.comments == 0 {
        let piece = tokio::time::timeout(Duration::from_secs(20), answer.chunk()).await;
        parser.take(&piece.expect("a sign of life within 15 seconds").unwrap().unwrap());
    }
    lock.release().await;
    assert_eq!(server.finished(job).await["status"], Value::from("completed"));
    server.check_every_job().await;
}
