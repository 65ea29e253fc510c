//! How things are asked: in the query or as JSON, strictly.

use reqwest::Method;

use super::steer::*;
use crate::support::{Upload, both};

const SMALL: &str = "SKU,Name\nA,Arnica\nB,\n";

both!(what_a_call_does_not_know_is_refused_by_name, |server| {
    let job = id(&server.load("products", Upload::csv(SMALL)).await);
    for (call, body, code, named) in [
        ("retry?row=all", "", "unknown_option", "`row`"),
        ("retry", r#"{"row": "all"}"#, "unknown_option", "`row`"),
        ("retry", r#"{"rows": "some"}"#, "invalid_option", "`some`"),
        ("retry?rows=some", "", "invalid_option", "all, failed, unprocessed"),
        ("retry?rows=all", r#"{"rows": "all"}"#, "invalid_option", "one value only"),
        ("retry", "rows=all", "malformed_request", "JSON object"),
        ("retry", "[]", "malformed_request", "JSON object"),
        ("pause", r#"{"now": true}"#, "unknown_option", "`now`"),
        ("resume?now=1", "", "unknown_option", "`now`"),
        ("force", r#"{"priority": 1}"#, "unknown_option", "`priority`"),
        ("cancel", r#"{"why": "x"}"#, "unknown_option", "`why`"),
        ("priority", "", "invalid_option", "`priority` is missing; it takes a whole number"),
        ("priority?priority=101", "", "invalid_option", "`101`"),
        ("priority", r#"{"priority": -101}"#, "invalid_option", "`-101`"),
        ("priority", r#"{"priority": 1.5}"#, "invalid_option", "`1.5`"),
        ("priority", r#"{"priority": null}"#, "invalid_option", "-100 to 100"),
    ] {
        let answer = server.ask(Method::POST, job, call, body).await;
        answer.assert_problem(400, code);
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{call} {body}: {detail}");
    }
    let long = format!("{{\"rows\": \"{}\"}}", "x".repeat(300_000));
    server.ask(Method::POST, job, "retry", &long).await.assert_problem(400, "malformed_request");
    server.ask(Method::DELETE, job, "?now=1", "").await.assert_problem(404, "not_found");
    assert_eq!(server.jobs("").await.ok()["jobs"].as_array().unwrap().len(), 1, "nothing came");
});

both!(an_action_takes_an_empty_body_or_an_empty_object, |server| {
    let job = id(&server.load("products", Upload::csv(SMALL)).await);
    for (call, body) in [("retry", ""), ("retry", "{}"), ("retry?rows=failed", " \n")] {
        let answer = server.ask(Method::POST, job, call, body).await;
        server.finished(id(answer.ok())).await;
    }
    server.action(job, "cancel").await.assert_problem(409, "invalid_job_state");
});

both!(the_same_wish_under_the_same_key_is_one_job, |server| {
    let job = id(&server.load("products", Upload::csv(SMALL)).await);
    let ask = |rows: &'static str, key: &'static str| {
        let path = format!("/api/v1/import/jobs/{job}/retry?rows={rows}");
        server.send(server.request(Method::POST, &path).header("idempotency-key", key))
    };
    let first = ask("failed", "one").await;
    let child = id(first.ok());
    assert_eq!(first.header("idempotency-replayed"), None);
    server.finished(child).await;
    let again = ask("failed", "one").await;
    assert_eq!(id(again.ok()), child);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.data()["status"], "completed");
    ask("all", "one").await.assert_problem(422, "idempotency_mismatch");
    let other = ask("failed", "two").await;
    assert_ne!(id(other.ok()), child);
    server.finished(id(other.data())).await;
    let folders = std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count();
    assert_eq!(folders, 3, "one for each job");
    // Nor is an upload of the same bytes the same wish.
    let upload = Upload::csv(SMALL).header("idempotency-key", "one");
    server.upload("products", upload).await.assert_problem(422, "idempotency_mismatch");
});

both!(the_address_of_a_job_takes_get_and_delete, |server| {
    let job = id(&server.load("products", Upload::csv(SMALL)).await);
    let answer = server.ask(Method::PUT, job, "", "").await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, DELETE"));
    assert_eq!(server.ask(Method::GET, job, "pause", "").await.header("allow"), Some("POST"));
    let path = format!("/api/v1/import/jobs/{job}");
    assert_eq!(server.get(&path).await.text(), server.status(job).await.text());

    // Pages of other origins may not delete, those of a listed one are told that they may.
    let foreign = server.request(Method::DELETE, &path).header("origin", "https://evil.example");
    server.send(foreign).await.assert_problem(403, "origin_not_allowed");
    let preflight = server
        .request(Method::OPTIONS, &path)
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "DELETE");
    let allowed = server.send(preflight).await;
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("DELETE"));
});
