//! Files that no job knows go when they are a day old, whatever stands in the way of some of them.

use super::files::{age, folders, list, plant, until};
use crate::s3::S3;
use crate::support::*;

/// What is logged when one folder of [`plant`] was removed.
const ONE_REMOVED: &str = "folders=1 bytes=8";

both!(
    files_of_no_job_go_while_the_server_runs_but_not_the_young_ones,
    [("LOADBAY_RETENTION", "1s")],
    |server| {
        let uploads = server.data_dir().join("uploads");
        let (old, young) = (plant(&uploads), plant(&uploads));
        age(&old);
        until(server, || !old.exists()).await;
        until(server, || server.log().contains(ONE_REMOVED)).await;
        assert_eq!(folders(&uploads), [young]);
    }
);

#[tokio::test]
async fn a_bucket_is_looked_through_at_the_start() {
    let s3 = S3::start();
    let root = s3.bucket().join("of/loadbay");
    let (old, young) = (plant(&root), plant(&root));
    age(&old);
    let server = Server::start_with(Kind::Sqlite, &s3.settings(&[])).await;
    until(&server, || !old.join("source").exists()).await;
    until(&server, || server.log().contains(ONE_REMOVED)).await;
    assert!(young.join("source").exists());
}

both!(a_folder_that_cannot_be_removed_keeps_no_other_from_it, |server| {
    server.kill();
    let uploads = server.data_dir().join("uploads");
    for _ in 0..3 {
        age(&plant(&uploads));
    }
    server.restart_with(&[("FAILPOINTS", "retention.remove=1*return->off")]);
    until(server, || server.log().contains("folders=2 bytes=16")).await;
    let left = folders(&uploads);
    let [left] = left.as_slice() else { panic!("{left:?}") };
    let name = left.file_name().unwrap().to_string_lossy().into_owned();
    let line =
        server.log().lines().find(|line| line.contains("cannot be removed")).map(str::to_owned);
    assert!(line.is_some_and(|line| line.contains(&name)), "{}", server.log());
    server.load("products", Upload::csv("SKU,Name\nA,A\n")).await;
});

async fn files_leave_a_full_disk(kind: Kind) {
    let mut server = Server::start(kind).await;
    let job = server.load("products", Upload::csv(&list("A", 10))).await["jobId"].as_i64().unwrap();
    let uploads = server.data_dir().join("uploads");
    until(&server, || server.data_dir().join("reserve").exists()).await;
    server.kill();
    // Nothing can be marked while the room that is held back is not given.
    let full = ("FAILPOINTS", "retention.mark=return");
    server.restart_with(&[full, ("LOADBAY_RETENTION", "1s")]);
    until(&server, || folders(&uploads).is_empty()).await;
    assert!(server.log().contains("room that was held back is used"), "{}", server.log());
    server.errors_file(job, "csv").await.assert_problem(410, "files_removed");
}

#[tokio::test]
async fn files_leave_a_full_disk_on_sqlite() {
    files_leave_a_full_disk(Kind::Sqlite).await;
}

#[tokio::test]
async fn files_leave_a_full_disk_on_postgres() {
    files_leave_a_full_disk(Kind::Postgres).await;
}

#[tokio::test]
async fn an_upload_that_reached_no_database_leaves_nothing() {
    let mut server = Server::start(Kind::Postgres).await;
    let Database::Postgres { name, .. } = &*server.database else { panic!("PostgreSQL") };
    let (cluster, _) = server.database.url().unwrap().rsplit_once('/').unwrap();
    let cluster = Database::given(format!("{cluster}/postgres"));
    let shut = format!(
        "alter database {name} with allow_connections false; \
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    );
    cluster.execute(&shut).await;
    let refused = server.upload("products", Upload::csv(&list("A", 10))).await;
    refused.assert_problem(503, "database_unavailable");
    let uploads = server.data_dir().join("uploads");
    until(&server, || folders(&uploads).is_empty()).await;
    cluster.execute(&format!("alter database {name} with allow_connections true")).await;
    wait_until!(
        server.upload("products", Upload::csv("SKU,Name\nB,B\n")).await.status == 202,
        "the database does not come back"
    );
    let jobs = server.jobs("").await.ok()["jobs"].as_array().unwrap().clone();
    for job in jobs {
        server.finished(job["jobId"].as_i64().unwrap()).await;
    }
    server.check_every_job().await;
}
