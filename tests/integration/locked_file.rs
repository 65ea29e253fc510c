//! Another program has the file of SQLite locked: requests are refused soon, jobs wait.

use std::time::Duration;

use reqwest::Method;

use crate::streams::files::products;
use crate::support::{Kind, SLOW, Server, Upload, wait_until};

/// The file, locked for as long as this lives.
fn lock(server: &Server) -> rusqlite::Connection {
    let path = server.data_dir().join("loadbay.sqlite");
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection.execute_batch("begin immediate").unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_refused_soon_and_jobs_wait() {
    let settings = [SLOW, ("LOADBAY_CHUNK_ROWS", "100")];
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let done = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let done = done["jobId"].as_i64().unwrap();
    let running = server.import("products", Upload::csv(&products("L", 20_000))).await;
    server.until(running, |status| status["progress"]["current"].as_u64() > Some(0)).await;

    let lock = lock(&server);
    let uploads = (0..6).map(|n| {
        let upload = Upload::csv(&format!("SKU,Name\nB{n},Bryonia\n"));
        server.upload("products", upload.header("idempotency-key", &format!("key-{n}")))
    });
    let commands =
        ["cancel", "pause", "priority?priority=5"].map(|action| server.action(running, action));
    let delete = server.request(Method::DELETE, &format!("/api/v1/import/jobs/{done}"));
    let (uploads, commands, deleted) = tokio::join!(
        futures_util::future::join_all(uploads),
        futures_util::future::join_all(commands),
        server.send(delete),
    );
    for refused in uploads.iter().chain(&commands).chain([&deleted]) {
        refused.assert_problem(503, "database_unavailable");
        assert!(refused.header("retry-after").is_some());
    }
    // The answer of a locked file is sure: nobody asks again on behalf of the request.
    let log = server.log();
    assert!(!log.contains("job_storage_unanswered"), "{log}");
    // What only reads is answered.
    assert_eq!(server.status(running).await.ok()["status"], "processing");
    assert_eq!(server.jobs("").await.status, 200);
    drop(lock);

    wait_until!(
        server.upload("products", Upload::csv("SKU,Name\nC,China\n")).await.status == 202,
        "the file is free again"
    );
    assert_eq!(server.finished(running).await["status"], "completed");
    let count = "select count(*) from import_log";
    assert_eq!(server.database.number(count).await, 3, "a refused upload made a job");
    server.finished(3).await;
    server.check_every_job().await;
}
