//! A bucket behind a bad line, one that is not there, and one whose variables cannot be read.

use super::files::{list, until};
use crate::s3::S3;
use crate::support::*;

#[tokio::test]
async fn a_file_comes_through_a_line_that_is_cut_again_and_again() {
    let s3 = S3::start_cut(1 << 20);
    let mut server = Server::start_with(Kind::Sqlite, &s3.settings(&[])).await;
    let mut text = "SKU,Name,Description\n".to_owned();
    let words = "word ".repeat(150);
    for row in 0..13_000 {
        text.push_str(&format!("L{row},Name,{words}\n"));
    }
    assert!(text.len() > 9 << 20, "more than one piece");
    let status = server.load("products", Upload::csv(&text)).await;
    assert_eq!(status["counts"]["created"], 13_000, "{status}");
    assert!(!server.log().contains("transient error, retrying"), "{}", server.log());
    server.check_every_job().await;
}

#[tokio::test]
async fn jobs_wait_for_a_bucket_that_is_gone() {
    let s3 = S3::start();
    let mut server = Server::start_with(Kind::Sqlite, &s3.settings(&[])).await;
    let job = server.import("products", Upload::csv(&list("A", 100_000))).await;
    server.kill();
    s3.take_bucket(true);
    server.restart();
    until(&server, || server.log().contains("bucket_unavailable")).await;
    let log = server.log();
    assert!(
        log.contains("s3://files/of/loadbay") && log.contains("AWS_SECRET_ACCESS_KEY"),
        "{log}"
    );
    assert!(!log.contains("not-a-real-secret"), "{log}");
    until(&server, || server.log().contains("transient error, retrying")).await;
    assert_eq!(server.status(job).await.ok()["status"], "processing");
    s3.take_bucket(false);
    let status = server.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    server.check_every_job().await;
}

#[tokio::test]
async fn a_variable_that_cannot_be_read_is_named_at_the_start() {
    let place = tempfile::tempdir().unwrap();
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_loadbay"))
        .args(["serve", "--listen", "127.0.0.1:0", "--storage-url", "s3://files", "--data-dir"])
        .arg(place.path().join("data"))
        .current_dir(place.path())
        .env_clear()
        .env("AWS_ALLOW_HTTP", "perhaps")
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    let expected = "AWS_ALLOW_HTTP has a value that cannot be read; it takes true or false";
    assert!(told.contains(expected), "{told}");
}
