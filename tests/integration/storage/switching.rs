//! From the own folder to a shared storage and back: jobs that lie where they lay are run and read.

use super::files::{failed_keys, folders, list};
use crate::s3::S3;
use crate::support::*;

both!(a_job_of_the_own_folder_is_run_after_switching, [("LOADBAY_CHUNK_ROWS", "10")], |server| {
    let shared = server.folder().join("shared");
    std::fs::create_dir(&shared).unwrap();
    let url = format!("file://{}", shared.display());
    let settings = [("LOADBAY_CHUNK_ROWS", "10"), ("LOADBAY_STORAGE_URL", url.as_str())];

    let before = server.import("products", Upload::csv(&list("A", 1_000))).await;
    server.kill();
    server.restart_with(&settings);
    assert_eq!(server.finished(before).await["status"], "completed");
    assert_eq!(failed_keys(server, before).await.len(), 200);
    assert!(folders(&shared.join("uploads")).is_empty());

    let after = server.load("products", Upload::csv(&list("B", 50))).await;
    let after = after["jobId"].as_i64().unwrap();
    assert_eq!(folders(&shared.join("uploads")).len(), 1);
    assert_eq!(folders(&server.data_dir().join("uploads")).len(), 1);

    server.terminate();
    server.restart_with(&[]);
    server.errors_file(after, "csv").await.assert_problem(409, "files_on_other_server");
    assert_eq!(failed_keys(server, before).await.len(), 200);
    server.terminate();
    server.restart_with(&settings);
    assert_eq!(failed_keys(server, after).await.len(), 10);
});

#[tokio::test]
async fn the_file_of_another_server_is_told_from_one_that_is_gone() {
    let [one, two] = Server::start_two(&[]).await;
    let job = one.import("products", Upload::csv(&list("A", 10))).await;
    one.finished(job).await;
    assert_eq!(failed_keys(&one, job).await.len(), 2);
    two.errors_file(job, "csv").await.assert_problem(409, "files_on_other_server");
    check_guarantees(&one, job).await;
}

#[tokio::test]
async fn a_shared_folder_that_is_not_mounted_keeps_the_server_from_starting() {
    let place = tempfile::tempdir().unwrap();
    let url = format!("file://{}/missing", place.path().display());
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_loadbay"))
        .args(["serve", "--listen", "127.0.0.1:0", "--storage-url", &url, "--data-dir"])
        .arg(place.path().join("data"))
        .current_dir(place.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let told = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(told.contains("LOADBAY_STORAGE_URL"), "{told}");
    assert!(told.contains("create or mount it first"), "{told}");
}

#[tokio::test]
async fn what_opens_a_bucket_may_stand_in_the_env_file() {
    let s3 = S3::start();
    let mut server = Server::start(Kind::Sqlite).await;
    server.kill();
    // What the environment says goes before the file.
    let mut lines: Vec<_> = s3.settings(&[]).iter().map(|(n, v)| format!("{n}={v}\n")).collect();
    lines.push("AWS_REGION=nowhere-1\nAWS_DEFAULT_REGION=nowhere-1\n".to_owned());
    std::fs::write(server.folder().join(".env"), lines.concat()).unwrap();
    server.restart_with(&[("AWS_REGION", "us-east-1"), ("AWS_DEFAULT_REGION", "us-east-1")]);
    let status = server.load("products", Upload::csv(&list("A", 20))).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(s3.objects().iter().any(|name| name.ends_with("/source")), "{:?}", s3.objects());
    let log = server.log();
    assert!(log.contains("s3://") && !log.contains("not-a-real-secret"), "{log}");
}
