//! Uploads that are taken: the 202, the ways to send a file, its options and its name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::forms::{GOOD, PATH, entries, form, raw_head, send_bytes, send_form};
use crate::support::{Kind, Server, Upload, both};

/// The names of the members, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

both!(the_answer_names_the_job_and_where_to_ask, |server| {
    let answer = server.upload("products", Upload::csv(GOOD)).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(keys(&answer.json), ["data", "message", "success"]);
    assert_eq!(answer.json["message"], "Product import started in background");
    assert_eq!(keys(answer.data()), ["jobId", "statusUrl"]);
    let job = answer.data()["jobId"].as_i64().unwrap();
    let url = format!("/api/v1/import/status/{job}");
    assert_eq!(answer.data()["statusUrl"], url.as_str());
    assert_eq!(answer.header("location"), Some(url.as_str()));
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));

    let status = server.finished(job).await;
    assert_eq!(status["fileName"], "products.csv");
    assert_eq!(status["fileSize"], GOOD.len());
    let sha256: String = Sha256::digest(GOOD).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(status["sha256"], sha256.as_str());
    assert_eq!(entries(server, "uploads").len(), 1, "the file is kept under its own name");
});

#[tokio::test]
async fn options_may_stand_before_the_file_after_it_and_in_the_query() {
    let mut server = Server::start(Kind::Sqlite).await;
    let file = ("name=\"file\"; filename=\"p.csv\"", &b"SKU;Name;MRP\nA;Arnica;1.234\n"[..]);
    let decimal = ("name=\"decimal\"", &b"comma"[..]);
    let priority = ("name=\"priority\"", &b"7"[..]);
    for parts in [[decimal, priority, file], [file, decimal, priority], [decimal, file, priority]] {
        let answer = send_form(&server, form(&parts)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let status = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
        assert_eq!(status["options"]["decimal"], "comma");
        assert_eq!(status["options"]["priority"], 7);
        assert_eq!(server.database.value("select mrp from products").await, "1234");
    }
    let upload = Upload::csv("SKU|Name\nB|Belladonna\n").option("delimiter", "|");
    let status = server.load("products", upload.field("priority", "-3")).await;
    assert_eq!(status["options"]["delimiter"], "|");
    assert_eq!(status["options"]["priority"], -3);
    server.check_every_job().await;
}

#[tokio::test]
async fn the_body_may_be_the_file_itself() {
    let mut server = Server::start(Kind::Sqlite).await;
    let named = Upload::file("list.csv", GOOD).raw().media_type("text/csv");
    assert_eq!(server.load("products", named).await["fileName"], "list.csv");

    let post = || server.request(Method::POST, PATH).body(GOOD);
    let path = format!("{PATH}?fileName=gr%C3%B6%C3%9Fe.csv");
    let by_query = server.request(Method::POST, &path).body(GOOD);
    let nameless = post().header("content-type", "text/csv; charset=utf-8");
    let untyped = post();
    for (request, name) in
        [(by_query, "größe.csv"), (nameless, "products.csv"), (untyped, "products.upload")]
    {
        let answer = server.send(request).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let status = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
        assert_eq!(status["fileName"], name);
        assert_eq!(status["counts"]["unchanged"], 1);
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn a_client_may_wait_for_the_end_in_the_upload_itself() {
    let mut server = Server::start(Kind::Sqlite).await;
    let upload = Upload::csv(GOOD).header("prefer", "respond-async, wait=30");
    let answer = server.upload("products", upload).await;
    assert_eq!(answer.ok()["status"], "completed");
    assert_eq!(answer.data()["results"]["successCount"], 1);
    assert_eq!(answer.header("preference-applied"), Some("wait=30"));
    let unread = Upload::csv(GOOD).header("prefer", "wait=soon");
    server.import("products", unread).await;
    server.finished(2).await;
    server.check_every_job().await;
}

#[tokio::test]
async fn a_body_that_fits_its_digest_is_taken() {
    let mut server = Server::start(Kind::Sqlite).await;
    let digest = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(GOOD)));
    let upload = Upload::csv(GOOD).raw().header("content-digest", &digest);
    assert_eq!(server.load("products", upload).await["counts"]["created"], 1);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_file_name_is_shown_without_what_could_do_harm() {
    let mut server = Server::start(Kind::Sqlite).await;
    let long = format!("filename=\"{}.csv\"", "x".repeat(5000));
    for (sent, shown) in [
        ("filename=\"../../etc/x.csv\"", "x.csv"),
        ("filename*=UTF-8''C%3A%5Cfakepath%5Cy.csv", "y.csv"),
        ("filename=\"x.csv\"; filename*=UTF-8''a%00b%0Ac.csv", "abc.csv"),
        ("filename*=UTF-8''gpj%E2%80%AEvsc.csv", "gpjvsc.csv"),
        ("filename=\"..\"", "products.upload"),
        ("filename=\"\"", "products.upload"),
        ("filename=\"CON\"", "CON"),
        (&long, &format!("{}.csv", "x".repeat(196))),
    ] {
        let part = format!("name=\"file\"; {sent}");
        let answer = send_form(&server, form(&[(&part, GOOD.as_bytes())])).await;
        assert_eq!(answer.status, 202, "{sent}: {}", answer.text());
        let status = server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
        assert_eq!(status["fileName"], shown, "{sent}");
    }
    let inside: Vec<_> = entries(&server, "uploads");
    assert!(inside.iter().all(|name| uuid::Uuid::parse_str(name).is_ok()), "{inside:?}");
    server.check_every_job().await;
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_told_to_go_on() {
    let mut server = Server::start(Kind::Sqlite).await;
    let expects =
        format!("Expect: 100-continue\r\nConnection: close\r\nContent-Length: {}", GOOD.len());
    let answer = send_bytes(&server, format!("{}{GOOD}", raw_head(&expects)).as_bytes());
    assert!(answer.contains("HTTP/1.1 202"), "{answer}");
    server.finished(1).await;
    server.check_every_job().await;
}
