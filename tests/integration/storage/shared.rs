//! A job is uploaded to one server and run by another, and every server answers for it.

use super::files::{failed_keys, folders, list};
use crate::s3::S3;
use crate::support::*;

const ROWS: u32 = 400;

/// Server one takes the upload and dies; server two must do the rest from the shared storage.
async fn another_server_runs_it(settings: Settings<'_>) -> [Server; 2] {
    let [mut one, two] = Server::start_two(settings).await;
    let job = one.import("products", Upload::csv(&list("A", ROWS))).await;
    one.kill();
    let status = two.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["counts"]["created"], 320, "{status}");
    assert_eq!(status["counts"]["failed"], 80, "{status}");
    one.restart();
    for server in [&one, &two] {
        check_guarantees(server, job).await;
        let keys = failed_keys(server, job).await;
        assert_eq!(keys.len(), 80);
        assert_eq!((keys[0].as_str(), keys[79].as_str()), ("A00000", "A00395"));
        assert_eq!(server.errors_file(job, "xlsx").await.status, 200);
    }
    let events = format!("/api/v1/import/jobs/{job}/events");
    assert_eq!(one.get(&events).await.text(), two.get(&events).await.text());
    [one, two]
}

fn settings<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut settings = vec![("LOADBAY_CHUNK_ROWS", "20"), ("LOADBAY_LEASE", "3s")];
    settings.extend_from_slice(more);
    settings
}

#[tokio::test]
async fn a_job_in_a_bucket_is_run_by_another_server() {
    let s3 = S3::start();
    let settings = settings(&s3.settings(&[SLOW]));
    let [one, two] = another_server_runs_it(&settings).await;
    let kept = one.data_dir().join("uploads");
    assert!(folders(&kept).is_empty(), "nothing stays in the folder of the server");
    assert!(!s3.objects().is_empty());

    let job = two.import("products", Upload::csv(&list("B", 5_000))).await;
    two.until(job, |status| status["progress"]["current"].as_u64() > Some(0)).await;
    assert_eq!(one.cancel(job).await.ok()["status"], "cancelled");
    two.finished(job).await;
    for server in [&one, &two] {
        check_guarantees(server, job).await;
    }
    for server in [&one, &two] {
        let tmp = server.data_dir().join("tmp");
        // The run that was cancelled has its copy until it notices.
        wait_until!(folders(&tmp).is_empty(), "copies are left in {}", tmp.display());
    }
}

#[tokio::test]
async fn a_job_in_a_shared_folder_is_run_by_another_server() {
    let shared = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shared.path().display());
    let [one, _two] = another_server_runs_it(&settings(&[("LOADBAY_STORAGE_URL", &url)])).await;
    assert!(folders(&one.data_dir().join("uploads")).is_empty());
    assert_eq!(folders(&shared.path().join("uploads")).len(), 1);
}

#[tokio::test]
async fn a_large_file_and_a_workbook_come_through_a_bucket() {
    let s3 = S3::start();
    let server = Server::start_with(Kind::Sqlite, &s3.settings(&[])).await;
    let mut text = "SKU,Name,Description\n".to_owned();
    let words = "word ".repeat(150);
    for row in 0..50_000 {
        text.push_str(&format!("L{row},Name,{words}\n"));
    }
    assert!(text.len() > 35 << 20, "more than one piece each way");
    let status = server.load("products", Upload::csv(&text)).await;
    assert_eq!(status["counts"]["created"], 50_000, "{status}");
    let workbook = include_bytes!("../../fixtures/products.xls");
    let status = server.load("products", Upload::file("p.xls", workbook.as_slice())).await;
    assert_eq!(status["status"], "completed", "{status}");
}

#[tokio::test]
async fn a_file_that_was_changed_in_the_shared_folder_is_not_imported() {
    let shared = tempfile::tempdir().unwrap();
    let url = format!("file://{}", shared.path().display());
    let no_runs = [("LOADBAY_STORAGE_URL", url.as_str()), ("LOADBAY_CHUNK_ROWS", "10")];
    let mut server = Server::start_with(Kind::Sqlite, &no_runs).await;
    let job = server.import("products", Upload::csv(&list("C", 2_000))).await;
    server.kill();
    let [home] = <[_; 1]>::try_from(folders(&shared.path().join("uploads"))).unwrap();
    std::fs::write(home.join("source"), list("D", 2_000)).unwrap();
    server.restart();
    let status = server.finished(job).await;
    assert_eq!(status["errorCode"], "source_changed", "{status}");
    check_guarantees(&server, job).await;
}

#[tokio::test]
async fn rows_in_a_bucket_are_imported_again_through_the_other_server() {
    let s3 = S3::start();
    let settings = s3.settings(&[SLOW, ("LOADBAY_CHUNK_ROWS", "20")]);
    let [mut one, two] = Server::start_two(&settings).await;
    let job = one.import("products", Upload::csv(&list("R", 4_000))).await;
    one.until(job, |status| status["progress"]["current"].as_u64() >= Some(100)).await;
    let cancelled = two.cancel(job).await.ok()["counts"].clone();
    one.kill();
    let counts = |counts: &serde_json::Value, name: &str| counts[name].as_u64().unwrap();
    // Of the failed rows no column was given a price that is one: they fail again.
    let again = two.action(job, "retry?rows=failed").await.data()["jobId"].as_i64().unwrap();
    let again = two.finished(again).await["counts"].clone();
    assert_eq!(counts(&again, "failed"), counts(&cancelled, "failed"));
    assert_eq!(counts(&again, "created"), 0);
    let rest = two.action(job, "retry?rows=unprocessed").await.data()["jobId"].as_i64().unwrap();
    let rest = two.finished(rest).await["counts"].clone();
    assert_eq!(counts(&cancelled, "created") + counts(&rest, "created"), 3_200);
    assert_eq!(counts(&cancelled, "failed") + counts(&rest, "failed"), 800);
    one.restart();
    one.check_every_job().await;
}
