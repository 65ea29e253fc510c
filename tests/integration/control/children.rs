//! The jobs that came of another one: who asked for them, and how they are found.

use reqwest::Method;
use serde_json::Value;

use super::steer::*;
use crate::support::{Server, Upload, both};

const SMALL: &str = "SKU,Name\nA,Arnica\nB,\n";

fn undoable(text: &str) -> Upload {
    Upload::csv(text).option("undo", "true")
}

async fn roll_back(server: &Server, job: i64, client: &str) -> crate::support::Answer {
    let path = format!("/api/v1/import/jobs/{job}/rollback");
    server.send(server.request(Method::POST, &path).header("x-loadbay-client", client)).await
}

both!(a_job_knows_its_retries_and_its_undo_newest_first, |server| {
    let job = server.load("products", undoable(SMALL)).await;
    let children = job["links"]["children"].as_str().unwrap().to_owned();
    let listed = async |path: &str| -> Vec<i64> {
        server.get(path).await.ok()["jobs"].as_array().unwrap().iter().map(id).collect()
    };
    assert!(listed(&children).await.is_empty());
    server.load("products", Upload::csv(SMALL)).await;
    let retry = server.retry(id(&job), "failed").await;
    server.finished(retry).await;
    let undo = id(roll_back(server, id(&job), "me").await.ok());
    server.finished(undo).await;
    let grandchild = server.retry(retry, "failed").await;
    server.finished(grandchild).await;

    assert_eq!(listed(&children).await, [undo, retry]);
    assert_eq!(listed(&format!("/api/v1/import/jobs?of={retry}")).await, [grandchild]);
    assert_eq!(listed(&format!("{children}&status=failed")).await, [0_i64; 0]);
    let page = server.get(&format!("{children}&limit=1")).await;
    assert_eq!(id(&page.ok()["jobs"][0]), undo);
    let cursor = page.data()["nextCursor"].as_str().unwrap();
    assert_eq!(listed(&format!("{children}&cursor={cursor}")).await, [retry]);
    for of in ["x", "0", "-1", ""] {
        let answer = server.jobs(&format!("?of={of}")).await;
        answer.assert_problem(400, "invalid_option");
    }
});

both!(who_asks_for_a_rollback_is_its_client_and_asks_strictly, |server| {
    let job = id(&server.load("products", undoable(SMALL)).await);
    let body = server.ask(Method::POST, job, "rollback", r#"{"rows": "all"}"#).await;
    body.assert_problem(400, "unknown_option");
    let long = "x".repeat(101);
    roll_back(server, job, &long).await.assert_problem(400, "malformed_request");
    let asked = roll_back(server, job, "someone-else").await;
    assert_eq!(asked.ok()["createdBy"], "someone-else");
    assert_eq!(asked.data()["rollbackOf"], job);
    let status_url = format!("/api/v1/import/status/{}", id(asked.data()));
    assert_eq!(asked.header("location"), Some(status_url.as_str()));
    server.finished(id(asked.data())).await;
});

both!(a_rollback_that_waits_is_given_back_and_says_so, [("LOADBAY_CHUNK_ROWS", "1")], |server| {
    let job = id(&server.load("products", undoable(SMALL)).await);
    let long = server.import_long("L").await;
    let first = roll_back(server, job, "one").await;
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = roll_back(server, job, "two").await;
    assert_eq!(id(again.ok()), id(first.ok()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.data()["createdBy"], Value::from("one"));
    server.cancel(long).await.ok();
    server.finished(id(first.data())).await;
});
