//! What a receiver gets.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

/// The documentation's own way to verify a message.
pub(super) fn verifies(secret: &str, asked: &Asked) -> bool {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/webhooks.md");
    let page = std::fs::read_to_string(page).unwrap();
    let code = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let ask = "import json, sys\nit = json.load(sys.stdin)\n\
               print(verify(it['secret'], it['headers'], it['body'].encode()))";
    let mut python = Command::new("python3")
        .args(["-c", &format!("{code}\n{ask}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let headers: serde_json::Map<String, Value> =
        asked.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = String::from_utf8(asked.body.clone()).unwrap();
    let given = json!({ "secret": secret, "headers": headers, "body": body });
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let said = python.wait_with_output().unwrap();
    String::from_utf8_lossy(&said.stdout).trim() == "True"
}

both!(the_end_of_a_job_is_announced_and_signed, [OPEN[0], OPEN[1]], |server| {
    let web = Web::start(|_, _| Reply::status(204));
    let (webhook, secret) = server.registered(json!({"url": web.url("/hook?token=t")})).await;
    assert!(secret.starts_with("whsec_"));
    let status = server.load("products", Upload::csv("SKU,Name\nA,Arnica\nB,\n")).await;
    let sent = server.message(&webhook, "delivered").await;
    assert_eq!(web.asked().len(), 1);
    let asked = &web.asked()[0];
    assert_eq!(asked.path, "/hook?token=t");
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("webhook-id"), sent["messageId"].as_str());
    assert!(verifies(&secret, asked));
    assert!(!verifies("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", asked));
    let said = message(asked);
    assert_eq!(said["type"], "job.completed");
    assert_eq!(said["timestamp"], status["completedAt"]);
    let job = &said["data"];
    for member in ["jobId", "dataset", "fileName", "status", "counts", "completedAt"] {
        assert_eq!(job[member], status[member], "{member}");
    }
    assert_eq!((&job["errorCount"], &job["successCount"]), (&json!(1), &json!(1)));
    assert_eq!(job["statusUrl"], status["links"]["self"]);
    assert_eq!((&sent["attempts"], &sent["responseStatus"]), (&json!(1), &json!(204)));
    assert_eq!(sent["payload"], said);
    // The secret was shown once.
    let listed = server.get("/api/v1/webhooks").await;
    assert_eq!(listed.ok()["webhooks"][0]["url"], web.url("/hook?token=t"));
    assert!(!listed.text().contains("whsec_") && !server.log().contains("whsec_"));
    assert!(!server.log().contains("token=t"));
});

both!(a_webhook_gets_what_it_asked_for, [OPEN[0], OPEN[1]], |server| {
    let bad = Web::start(|_, _| Reply::status(200));
    let events = ["job.failed", "job.completed_with_errors", "job.cancelled"];
    server.registered(json!({"url": bad.url("/"), "events": events})).await;
    let other = Web::start(|_, _| Reply::status(200));
    server.registered(json!({"url": other.url("/"), "dataset": "dealers"})).await;
    let bulk = Web::start(|_, _| Reply::status(200));
    server.registered(json!({"url": bulk.url("/"), "events": ["bulk.completed"]})).await;
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.load("products", Upload::csv("SKU,Name\nB,\n")).await;
    let failing = Upload::csv("SKU,Name\nC,\n").option("onError", "abort");
    let failed = server.import("products", failing).await;
    assert_eq!(server.finished(failed).await["status"], "failed");
    let form = reqwest::multipart::Form::new();
    let part = |text: &'static str, name| reqwest::multipart::Part::text(text).file_name(name);
    let form = form
        .part("files", part("SKU,Name\nD,Drosera\n", "one.csv"))
        .part("files", part("SKU,Name\nE,Echinacea\n", "two.csv"))
        .part("files", part("nothing", "three.csv"));
    let answer =
        server.send(server.request(Method::POST, "/api/v1/import/products").multipart(form)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    wait_until!(!bulk.asked().is_empty(), "no bulk is announced: {}", server.log());
    wait_until!(bad.asked().len() == 2, "not two bad ends are announced: {}", server.log());
    assert_eq!(types(&bad), ["job.completed_with_errors", "job.failed"]);
    assert!(other.asked().is_empty());
    let said = message(&bulk.asked()[0]);
    assert_eq!(
        (&said["type"], &said["data"]["status"]),
        (&json!("bulk.completed"), &json!("partial_success"))
    );
    assert_eq!(said["data"]["bulkId"], answer.data()["bulkId"]);
    let files = &said["data"]["files"];
    assert_eq!(
        (&files["total"], &files["done"], &files["refused"]),
        (&json!(3), &json!(2), &json!(1))
    );
    let mut left;
    wait_until!(
        {
            left = server.rows("select count(*) from import_outbox").await.concat();
            left == ["0"]
        },
        "the outbox keeps {left:?}: {}",
        server.log()
    );
    assert_eq!(bulk.asked().len(), 1);
});

both!(a_webhook_is_tried_out_and_a_message_sent_again, [OPEN[0], OPEN[1]], |server| {
    let web = Web::start(|_, _| Reply::status(200));
    let (webhook, secret) = server.registered(json!({"url": web.url("/")})).await;
    let made = server.send(server.request(Method::POST, &format!("{webhook}/test"))).await;
    assert_eq!(made.ok()["event"], "webhook.test");
    let first = server.message(&webhook, "delivered").await;
    let again = format!("{webhook}/deliveries/{}/redeliver", first["id"]);
    server.send(server.request(Method::POST, &again)).await.ok();
    wait_until!(web.asked().len() == 2, "the message is not sent again: {}", server.log());
    let asked = web.asked();
    assert_eq!(asked[0].header("webhook-id"), asked[1].header("webhook-id"));
    assert!(asked.iter().all(|it| verifies(&secret, it)));
    let removed = server.send(server.request(Method::DELETE, &webhook)).await;
    assert_eq!(removed.ok()["id"], server_id(&webhook));
    server.get(&webhook).await.assert_problem(404, "webhook_not_found");
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert_eq!(web.asked().len(), 2);
});

fn server_id(webhook: &str) -> &str {
    webhook.rsplit('/').next().unwrap()
}

both!(a_message_survives_the_server, [OPEN[0], OPEN[1], OPEN[2], OPEN[3]], |server| {
    let web = Web::start(|_, _| Reply::status(200));
    let (webhook, _) = server.registered(json!({"url": web.url("/")})).await;
    server.terminate();
    let mut settings = OPEN.to_vec();
    settings.push(("FAILPOINTS", "webhooks.announce=sleep(60000)"));
    server.restart_with(&settings);
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.kill();
    assert!(web.asked().is_empty());
    server.restart_with(&OPEN);
    server.message(&webhook, "delivered").await;
    assert_eq!(types(&web), ["job.completed"]);
});

#[tokio::test]
async fn two_servers_send_a_message_once() {
    let web = Web::start(|_, _| Reply::status(200));
    let servers = Server::start_two(&OPEN).await;
    let (webhook, _) = servers[0].registered(json!({"url": web.url("/")})).await;
    for round in 0..6 {
        let text = format!("SKU,Name\nA-{round},Arnica\n");
        servers[round % 2].load("products", Upload::csv(&text)).await;
    }
    wait_until!(
        {
            let messages = servers[1].deliveries(&webhook).await;
            messages.len() == 6 && messages.iter().all(|it| it["status"] == "delivered")
        },
        "not all messages are delivered: {}",
        servers[0].log()
    );
    assert_eq!(web.asked().len(), 6);
}
