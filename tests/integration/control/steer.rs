//! What these tests ask of a server, and jobs that are in the way for as long as they are wanted.

use reqwest::Method;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, Database, Server, Upload};

/// Rows of a job that does not end by itself while a test looks at it, with chunks of one row.
const LONG_ROWS: u32 = 20_000;

/// A file of [`LONG_ROWS`] rows whose keys begin with `prefix`.
pub(crate) fn long(prefix: &str) -> String {
    let mut text = "SKU,Name\n".to_owned();
    for row in 0..LONG_ROWS {
        text.push_str(&format!("{prefix}{row},Long\n"));
    }
    text
}

impl Server {
    /// A call of a job with a body; without one when it is empty.
    pub(crate) async fn ask(&self, method: Method, job: i64, call: &str, body: &str) -> Answer {
        let slash = if call.is_empty() { "" } else { "/" };
        let request = self.request(method, &format!("/api/v1/import/jobs/{job}{slash}{call}"));
        let request = if body.is_empty() { request } else { request.body(body.to_owned()) };
        self.send(request.header("content-type", "application/json")).await
    }

    /// `DELETE /api/v1/import/jobs/{id}`.
    pub(crate) async fn delete(&self, job: i64) -> Answer {
        self.ask(Method::DELETE, job, "", "").await
    }

    /// Imports rows of a job again, and gives the child's number.
    pub(crate) async fn retry(&self, job: i64, rows: &str) -> i64 {
        let body = format!("{{\"rows\": \"{rows}\"}}");
        let answer = self.ask(Method::POST, job, "retry", &body).await;
        let child = answer.ok()["jobId"].as_i64().expect("a job number");
        assert_eq!(answer.data()["retryOf"], job);
        let status_url = format!("/api/v1/import/status/{child}");
        assert_eq!(answer.header("location"), Some(status_url.as_str()));
        child
    }

    /// Starts a job that does not end by itself, and waits until it writes.
    pub(crate) async fn import_long(&self, prefix: &str) -> i64 {
        let job = self.import("products", Upload::csv(&long(prefix))).await;
        self.until(job, |status| status["status"] == "processing").await;
        job
    }

    /// Ends whatever has not ended.
    pub(crate) async fn cancel_all(&self) {
        let unfinished = "select id from import_log where import_status in \
                          ('PENDING', 'PROCESSING', 'PAUSED') order by id desc";
        for row in self.rows(unfinished).await {
            let job = row.concat().parse().expect("a job number");
            let answer = self.cancel(job).await;
            // It may have ended meanwhile.
            assert!([200, 409].contains(&answer.status), "{}", answer.text());
        }
    }
}

/// The number of a job.
pub(crate) fn id(status: &Value) -> i64 {
    status["jobId"].as_i64().expect("a job number")
}

/// The counts of several jobs together.
pub(crate) fn sum(jobs: &[Value]) -> Value {
    let mut sum = jobs[0]["counts"].clone();
    for (name, count) in sum.as_object_mut().expect("counts") {
        let all = jobs.iter().map(|job| job["counts"][name.as_str()].as_u64().expect("a count"));
        *count = all.sum::<u64>().into();
    }
    sum
}

/// Holds the table `products` of a PostgreSQL database, so that no chunk can be written.
#[derive(Debug)]
pub(crate) struct Held(PgConnection);

impl Held {
    pub(crate) async fn take(database: &Database) -> Self {
        let address = database.url().expect("this is for PostgreSQL");
        let mut lock = PgConnection::connect(address).await.expect("a connection");
        for sql in ["begin", "lock table products in access exclusive mode"] {
            sqlx::raw_sql(sql).execute(&mut lock).await.expect("the lock");
        }
        Self(lock)
    }

    pub(crate) async fn release(mut self) {
        sqlx::raw_sql("rollback").execute(&mut self.0).await.expect("the release");
    }
}
