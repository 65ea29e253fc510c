//! A storage that is away for a while costs time and nothing else.

use std::time::{Duration, Instant};

use super::files::{failed_keys, list};
use crate::s3::S3;
use crate::support::*;

async fn an_upload_is_put_off_and_a_job_waits(kind: Kind) {
    let mut s3 = S3::start();
    let endpoint = s3.settings(&[]).into_iter().map(|(n, v)| (n.to_owned(), v.to_owned()));
    let mut settings: Vec<(String, String)> = endpoint.collect();
    for (name, value) in [SLOW, ("LOADBAY_CHUNK_ROWS", "10")] {
        settings.push((name.to_owned(), value.to_owned()));
    }
    let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut server = Server::start_with(kind, &settings).await;

    let job = server.import("products", Upload::csv(&list("A", 3_000))).await;
    server.until(job, |status| status["progress"]["current"].as_u64() >= Some(50)).await;
    s3.go_away();
    let limit = Instant::now() + Duration::from_mins(1);
    while !server.log().contains("what failed is tried again") {
        assert!(Instant::now() < limit, "the job did not notice");
        assert_eq!(server.status(job).await.ok()["status"], "processing");
        before_the_next_look().await;
    }
    let refused = server.upload("products", Upload::csv("SKU,Name\nB,B\n")).await;
    refused.assert_problem(503, "storage_unavailable");
    assert!(refused.header("retry-after").is_some());
    // A server that starts meanwhile starts, and takes the job up.
    server.kill();
    server.restart();
    assert_eq!(server.status(job).await.ok()["status"], "processing");
    server.errors_file(job, "csv").await.assert_problem(503, "storage_unavailable");

    s3.come_back();
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"]["failed"], 600, "{status}");
    assert_eq!(failed_keys(&server, job).await.len(), 600);
    server.load("products", Upload::csv("SKU,Name\nB,B\n")).await;
    server.check_every_job().await;
}

#[tokio::test]
async fn an_upload_is_put_off_and_a_job_waits_on_sqlite() {
    an_upload_is_put_off_and_a_job_waits(Kind::Sqlite).await;
}

#[tokio::test]
async fn an_upload_is_put_off_and_a_job_waits_on_postgres() {
    an_upload_is_put_off_and_a_job_waits(Kind::Postgres).await;
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_while_the_storage_is_away() {
    let mut s3 = S3::start();
    let settings: Vec<(String, String)> =
        s3.settings(&[]).into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let job = server.import("products", Upload::csv(&list("A", 100_000))).await;
    server.kill();
    s3.go_away();
    server.restart();
    server.until(job, |status| status["status"] == "processing").await;
    assert_eq!(server.cancel(job).await.ok()["status"], "cancelled");
    s3.come_back();
    server.check_every_job().await;
}
