//! Cancel: before a job was taken up, while it runs, and when it is too late.

use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::support::{Kind, Server, Upload, both};

pub(crate) const SMALL: &str = "SKU,Name\nA,Arnica\n";

/// One job that cannot commit its first chunk, and one behind it that cannot begin.
#[derive(Debug)]
pub(crate) struct Blocked {
    lock: PgConnection,
    pub(crate) running: i64,
    pub(crate) waiting: i64,
}

impl Blocked {
    /// Starts a server on PostgreSQL with a single place for jobs, whose `products` table somebody
    /// else has locked.
    pub(crate) async fn start() -> (Server, Self) {
        let settings = [("LOADBAY_MAX_RUNNING_JOBS", "1"), ("LOADBAY_CHUNK_ROWS", "2")];
        let server = Server::start_with(Kind::Postgres, &settings).await;
        let mut lock = PgConnection::connect(server.database.url().unwrap()).await.unwrap();
        for sql in ["begin", "lock table products in access exclusive mode"] {
            sqlx::raw_sql(sql).execute(&mut lock).await.unwrap();
        }
        let rows: String = (0..100).map(|n| format!("R{n},Arnica\n")).collect();
        let running = server.import("products", Upload::csv(&format!("SKU,Name\n{rows}"))).await;
        server.until(running, |status| status["status"] == "processing").await;
        let waiting = server.import("products", Upload::csv(SMALL)).await;
        (server, Self { lock, running, waiting })
    }

    /// Unlocks the table.
    pub(crate) async fn release(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.lock).await.unwrap();
    }
}

#[tokio::test]
async fn a_waiting_job_is_cancelled_before_it_begins() {
    let (mut server, blocked) = Blocked::start().await;
    let waiting = blocked.waiting;
    let answer = server.cancel(waiting).await;
    assert_eq!(answer.ok()["status"], "cancelled");
    assert_eq!(answer.data()["startedAt"], serde_json::Value::Null);
    assert_eq!(answer.data()["actions"], json!(["retry", "delete"]));
    blocked.release().await;
    assert_eq!(server.finished(1).await["counts"]["created"], 100);
    assert_eq!(server.status(waiting).await.ok()["status"], "cancelled", "it stays cancelled");
    assert_eq!(server.database.number("select count(*) from products where sku = 'A'").await, 0);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_running_job_is_cancelled_with_at_most_the_chunk_in_flight() {
    let (mut server, blocked) = Blocked::start().await;
    let (running, waiting) = (blocked.running, blocked.waiting);
    let answer = server.cancel(running).await;
    assert_eq!(answer.ok()["status"], "cancelled");
    blocked.release().await;
    server.finished(waiting).await;
    let status = server.status(running).await.ok().clone();
    assert_eq!(status["status"], "cancelled");
    let written = server.database.number("select count(*) from products where sku <> 'A'").await;
    assert!(written <= 4, "two writers, two rows a chunk: {written} rows");
    assert_eq!(status["counts"]["created"], written);
    server.cancel(running).await.assert_problem(409, "invalid_job_state");
    server.check_every_job().await;
}

both!(a_finished_job_cannot_be_cancelled, |server| {
    let job = server.load("products", Upload::csv(SMALL)).await["jobId"].as_i64().unwrap();
    let before = server.status(job).await.bytes;
    let answer = server.cancel(job).await;
    answer.assert_problem(409, "invalid_job_state");
    assert_eq!(answer.json["jobStatus"], "completed");
    assert_eq!(answer.json["actions"], json!(["retry", "delete"]));
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains("completed"), "{detail}");
    assert_eq!(server.status(job).await.bytes, before, "nothing changed");
    server.cancel(99).await.assert_problem(404, "job_not_found");
});
