//! Files of finished jobs are kept for a time; the job itself stays.

use super::files::{folders, list};
use crate::s3::S3;
use crate::support::*;

/// Waits until the files of a job are marked as removed, without reading them: a download that has
/// begun when they go breaks off.
async fn removed(server: &Server, job: i64) -> Answer {
    let marked = format!(
        "select count(*) from import_log where id = {job} and files_removed_at is not null"
    );
    wait_until!(server.database.number(&marked).await > 0, "the files stay; {}", server.log());
    let file = server.errors_file(job, "csv").await;
    assert_eq!(file.status, 410, "{}", file.text());
    file
}

async fn files_go_and_the_job_stays(kind: Kind) {
    let mut server = Server::start(kind).await;
    let status = server.load("products", Upload::csv(&list("A", 100))).await;
    let job = status["jobId"].as_i64().unwrap();
    let journal = format!(
        "insert into import_undo (import_log_id, row_number, created, after_row) \
         values ({job}, 2, true, '{{}}'), ({job}, 40000, true, '{{}}')"
    );
    server.database.execute(&journal).await;
    // One whose files were left when the server was killed right after the mark.
    let left = server.load("products", Upload::csv(&list("B", 10))).await;
    let left = left["jobId"].as_i64().unwrap();
    let mark = format!("update import_log set files_removed_at = completed_at where id = {left}");
    server.database.execute(&mark).await;
    assert_eq!(folders(&server.data_dir().join("uploads")).len(), 2);

    server.kill();
    server.restart_with(&[("LOADBAY_RETENTION", "1s")]);
    for job in [job, left] {
        let file = removed(&server, job).await;
        file.assert_problem(410, "files_removed");
    }
    server.errors_file(job, "xlsx").await.assert_problem(410, "files_removed");
    let again = server.status(job).await;
    assert_eq!(again.ok()["counts"], status["counts"]);
    assert_eq!(server.errors(job, "").await.ok()["total"], 20);
    let rows = "select count(*) from import_undo";
    wait_until!(
        server.database.number(rows).await == 0
            && folders(&server.data_dir().join("uploads")).is_empty(),
        "something is left; {}",
        server.log()
    );
    // What runs is not touched.
    let long = server.import("products", Upload::csv(&list("C", 20_000))).await;
    assert_eq!(server.finished(long).await["status"], "completed");
    assert!(server.is_running());
}

#[tokio::test]
async fn files_go_and_the_job_stays_on_sqlite() {
    files_go_and_the_job_stays(Kind::Sqlite).await;
}

#[tokio::test]
async fn files_go_and_the_job_stays_on_postgres() {
    files_go_and_the_job_stays(Kind::Postgres).await;
}

#[tokio::test]
async fn a_bucket_is_emptied_too() {
    let s3 = S3::start();
    let mut server = Server::start_with(Kind::Sqlite, &s3.settings(&[])).await;
    let status = server.load("products", Upload::csv(&list("A", 100))).await;
    let job = status["jobId"].as_i64().unwrap();
    let named = |name: &&String| name.ends_with("/source") || name.contains("/failed/");
    assert_eq!(s3.objects().iter().filter(named).count(), 2, "{:?}", s3.objects());
    server.kill();
    server.restart_with(&s3.settings(&[("LOADBAY_RETENTION", "1s")]));
    removed(&server, job).await;
    wait_until!(s3.objects().iter().filter(named).count() == 0, "{:?}", s3.objects());
}

#[tokio::test]
async fn the_parent_of_an_unfinished_job_keeps_its_files() {
    let mut server = Server::start(Kind::Sqlite).await;
    let parent = server.load("products", Upload::csv(&list("A", 10))).await["jobId"].clone();
    let other = server.load("products", Upload::csv(&list("B", 10))).await["jobId"].clone();
    let (parent, other) = (parent.as_i64().unwrap(), other.as_i64().unwrap());
    server.kill();
    // A job that waits for a file that no server here has.
    let child = format!(
        "insert into import_log (uuid, dataset, file_name, file_size, sha256, import_status, \
         options, detected, priority, source_server, row_events, created_at, updated_at, retry_of) \
         select '6f0cb79c-7d3c-4a4c-a3f2-0e3f6a4f2f11', dataset, file_name, file_size, sha256, \
         'PENDING', options, detected, priority, 'elsewhere', row_events, created_at, updated_at, \
         id from import_log where id = {parent}"
    );
    server.database.execute(&child).await;
    server.restart_with(&[("LOADBAY_RETENTION", "1s")]);
    removed(&server, other).await;
    assert_eq!(server.errors_file(parent, "csv").await.status, 200);
    server.database.execute("update import_log set import_status = 'CANCELLED', completed_at = created_at where retry_of is not null").await;
    removed(&server, parent).await;
}
