//! Addresses and methods that are not there, health, and the way a server ends.

use reqwest::Method;

use crate::support::{Kind, Server, Upload, both};

#[tokio::test]
async fn what_is_not_there_is_a_problem_document() {
    let server = Server::start(Kind::Sqlite).await;
    for path in
        ["/nothing", "/api", "/api/v1/import", "/api/v2/datasets", "/api/v1/import/jobs/1/x"]
    {
        server.get(path).await.assert_problem(404, "not_found");
    }
    for (method, path, allow) in [
        (Method::DELETE, "/api/v1/import/status/1", "GET, HEAD"),
        (Method::POST, "/api/v1/import/status/1", "GET, HEAD"),
        (Method::PUT, "/api/v1/import/jobs", "GET, HEAD"),
        (Method::GET, "/api/v1/import/products", "POST"),
        (Method::GET, "/api/v1/import/jobs/1/cancel", "POST"),
        (Method::POST, "/healthz", "GET, HEAD"),
    ] {
        let answer = server.send(server.request(method.clone(), path)).await;
        answer.assert_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    let head = server.send(server.request(Method::HEAD, "/healthz")).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
}

both!(a_server_says_that_it_lives_and_is_ready, |server| {
    assert_eq!(server.get("/healthz").await.ok()["status"], "alive");
    assert_eq!(server.get("/readyz").await.ok()["status"], "ready");
    let start = server.get("/").await;
    assert!(start.status == 200 && start.text().contains("/api/v1/import/products"));
});

both!(a_server_that_is_asked_to_stop_ends_well, [("LOADBAY_CHUNK_ROWS", "50")], |server| {
    let rows: String = (0..3000).map(|n| format!("R{n},Arnica {n}\n")).collect();
    let job = server.import("products", Upload::csv(&format!("SKU,Name\n{rows}"))).await;
    let status = server.terminate();
    assert_eq!(status.code(), Some(0), "{}", server.log());
    server.restart();
    let finished = server.finished(job).await;
    assert_eq!(finished["counts"]["created"], 3000, "the job went on where it was: {finished}");
    assert_eq!(server.database.number("select count(*) from products").await, 3000);
});

#[tokio::test]
async fn the_type_of_a_refusal_leads_to_its_meaning() {
    let server = Server::start(Kind::Sqlite).await;
    let refusals = [
        server.get("/nothing").await,
        server.get("/api/v1/import/status/7").await,
        server.get("/api/v1/import/jobs?colour=red").await,
        server.get("/api/v1/import/jobs?limit=x").await,
        server.send(server.request(Method::PUT, "/api/v1/import/jobs")).await,
        server.upload("products", Upload::csv("")).await,
        server.upload("products", Upload::csv("Colour\nred\n")).await,
    ];
    for refusal in &refusals {
        let kind = refusal.json["type"].as_str().expect("a type");
        let (path, anchor) = kind.split_once('#').expect("an anchor");
        assert_eq!(anchor, refusal.code());
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{kind}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let row = page.text().lines().find(|line| line.contains(&format!("id=\"{anchor}\"")));
        let row = row.expect("a row with the anchor");
        assert!(row.contains(&format!("<td>{}</td>", refusal.status)), "{row}");
    }
}

#[tokio::test]
async fn answers_end_with_a_line_break_and_say_their_length() {
    let server = Server::start(Kind::Sqlite).await;
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let status = format!("/api/v1/import/status/{}", job["jobId"]);
    for path in [status.as_str(), "/healthz", "/api/v1/limits", "/api/jobs", "/nothing"] {
        let answer = server.get(path).await;
        assert!(answer.text().ends_with("}\n") || answer.text().ends_with("]\n"), "{path}");
        let length = answer.bytes.len().to_string();
        assert_eq!(answer.header("content-length"), Some(length.as_str()), "{path}");
    }
    let first = server.get(&status).await;
    let tag = first.header("etag").expect("a tag");
    let again = server.send(server.request(Method::GET, &status).header("if-none-match", tag));
    assert_eq!(again.await.status, 304);
}
