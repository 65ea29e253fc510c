//! Limits of each key.

use reqwest::Method;

use super::key;
use crate::support::{Answer, Kind, RawConnection, SLOW, Server, Upload, both, wait_until};

const CSV: &str = "SKU,Name\nA-1,Arnica\n";
const LIMITS: &str = "/api/v1/limits";

impl Server {
    async fn upload_with(&self, key: &str, csv: &str) -> Answer {
        let upload = Upload::csv(csv).header("authorization", &format!("Bearer {key}"));
        self.upload("products", upload).await
    }
}

fn seconds(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap().parse().unwrap()
}

/// A file of about 2 KiB.
fn two_kibibytes() -> String {
    format!("SKU,Name\n{}", "A-1,Arnica montana\n".repeat(110))
}

both!(requests_of_a_key_are_limited, [("LOADBAY_KEY_REQUESTS", "3")], |server| {
    let [one, other] = ["one", "other"].map(|name| key(server, name, &[]));
    server.until_keys_are_needed().await;
    let first = server.send(server.keyed(Method::GET, LIMITS, &one)).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"requests\";q=3;w=60"));
    assert!(first.header("ratelimit").unwrap().starts_with("\"requests\";r=2;t="));
    // What a key may not do counts, too.
    assert_eq!(server.status_with(Method::GET, "/api/v1/webhooks", &one).await, 403);
    assert_eq!(server.status_with(Method::GET, LIMITS, &one).await, 200);
    let refused = server.send(server.keyed(Method::GET, LIMITS, &one)).await;
    refused.assert_problem(429, "limit_reached");
    assert_eq!(refused.json["limit"], "requests");
    assert!((1..=60).contains(&seconds(&refused)));
    assert!(refused.header("ratelimit").unwrap().starts_with("\"requests\";r=0;t="));
    assert_eq!(server.status_with(Method::GET, LIMITS, &other).await, 200);
});

both!(bytes_of_a_day_are_limited, [("LOADBAY_KEY_BYTES", "5KiB")], |server| {
    let [one, other] = ["one", "other"].map(|name| key(server, name, &[]));
    server.until_keys_are_needed().await;
    for _ in 0..2 {
        assert_eq!(server.upload_with(&one, &two_kibibytes()).await.status, 202);
    }
    // It would end above the limit.
    let refused = server.upload_with(&one, &two_kibibytes()).await;
    refused.assert_problem(429, "limit_reached");
    assert_eq!(refused.json["limit"], "bytes");
    let policy = refused.header("ratelimit-policy").unwrap();
    assert_eq!(policy, "\"bytes\";q=5120;qu=\"content-bytes\";w=86400");
    assert!((1..=86_400).contains(&seconds(&refused)));
    assert_eq!(server.upload_with(&other, &two_kibibytes()).await.status, 202);
    server.forget_keys().await;
    for job in [1, 2, 3] {
        server.finished(job).await;
    }
});

both!(
    unfinished_jobs_are_limited,
    [("LOADBAY_KEY_JOBS", "1"), SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let one = key(server, "one", &[]);
        server.until_keys_are_needed().await;
        let long = crate::streams::files::products("L", 60_000);
        assert_eq!(server.upload_with(&one, &long).await.status, 202);
        let refused = server.upload_with(&one, CSV).await;
        refused.assert_problem(429, "limit_reached");
        assert_eq!((&refused.json["limit"], seconds(&refused)), (&"jobs".into(), 30));
        let cancel = server.keyed(Method::POST, "/api/v1/import/jobs/1/cancel", &one);
        assert_eq!(server.send(cancel).await.status, 200);
        server.forget_keys().await;
        server.finished(1).await;
    }
);

#[tokio::test]
async fn uploads_at_the_same_time_are_limited() {
    let server = Server::start_with(Kind::Sqlite, &[("LOADBAY_KEY_UPLOADS", "1")]).await;
    let [one, other] = ["one", "other"].map(|name| key(&server, name, &[]));
    server.until_keys_are_needed().await;
    // Uploads of which nothing comes after the head. One that came while a question below had the
    // place is refused, and the next one gets it.
    let head = format!(
        "POST /api/v1/import/products HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n\
         Authorization: Bearer {one}\r\nContent-Length: 1000\r\n\r\nSKU,"
    );
    let mut open = Vec::new();
    let mut is_taken = async || {
        let mut connection = RawConnection::open(&server);
        connection.send(&head);
        open.push(connection);
        server.upload_with(&one, CSV).await.status == 429
    };
    wait_until!(is_taken().await, "the place is taken");
    assert_eq!(server.upload_with(&other, CSV).await.status, 202);
    drop(open);
    wait_until!(server.upload_with(&one, CSV).await.status == 202, "the place is free again");
}

#[tokio::test]
async fn bytes_and_jobs_are_counted_for_all_servers() {
    let settings = [("LOADBAY_KEY_BYTES", "3KiB")];
    let [first, second] = Server::start_two(&settings).await;
    let one = key(&first, "one", &[]);
    for server in [&first, &second] {
        server.until_keys_are_needed().await;
    }
    assert_eq!(first.upload_with(&one, &two_kibibytes()).await.status, 202);
    second.upload_with(&one, &two_kibibytes()).await.assert_problem(429, "limit_reached");
}
