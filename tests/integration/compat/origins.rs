//! Pages of other origins: listed ones use the API, others read and change nothing.

use reqwest::Method;

use crate::support::{Answer, Kind, Server, Settings};

const FORM: &str = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
                    SKU,Name\nA-1,Arnica\n\r\n--B--\r\n";

/// The addresses that an upload is sent to.
const UPLOADS: [&str; 3] =
    ["/api/v1/import/products", "/api/upload-csv", "/api/erp/products/import/stream"];

async fn send(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = server.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if method == "POST" {
        let media_type = "multipart/form-data; boundary=B";
        request = request.header("content-type", media_type).body(FORM);
    }
    server.send(request).await
}

async fn preflight(server: &Server, path: &str, origin: &str) -> Answer {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type,idempotency-key"),
    ];
    send(server, "OPTIONS", path, &asked).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

async fn server_with(settings: Settings<'_>) -> Server {
    Server::start_with(Kind::Sqlite, settings).await
}

async fn jobs(server: &Server) -> u64 {
    server.database.number("select count(*) from import_log").await
}

#[tokio::test]
async fn the_two_development_servers_may_use_the_api_from_the_start() {
    let mut server = server_with(&[]).await;
    for origin in ["http://localhost:3000", "http://localhost:5173"] {
        for path in UPLOADS {
            let answer = preflight(&server, path, origin).await;
            assert_eq!((answer.status, allowed(&answer)), (200, Some(origin)), "{path}");
            let methods = answer.header("access-control-allow-methods").unwrap();
            assert!(methods.contains("POST") && methods.contains("GET"), "{methods}");
            let headers = answer.header("access-control-allow-headers").unwrap();
            assert_eq!(headers, "content-type,idempotency-key");
            assert!(answer.header("access-control-max-age").is_some());
        }
        let sent = send(&server, "POST", "/api/v1/import/products", &[("origin", origin)]).await;
        assert_eq!((sent.status, allowed(&sent)), (202, Some(origin)));
        let exposed = sent.header("access-control-expose-headers").unwrap().to_lowercase();
        for header in ["location", "etag", "retry-after", "x-total-count"] {
            assert!(exposed.split(", ").any(|it| it == header), "{header} in {exposed}");
        }
        assert_eq!(sent.header("vary"), Some("Origin"));
        assert_eq!(sent.header("access-control-allow-credentials"), None);
        server.finished(sent.data()["jobId"].as_i64().unwrap()).await;
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn a_refusal_can_be_read_like_every_answer() {
    let server = server_with(&[]).await;
    let origin = [("origin", "http://localhost:3000")];
    for path in ["/api/v1/import/status/7", "/api/jobs/7", "/api/nothing"] {
        let answer = send(&server, "GET", path, &origin).await;
        assert_eq!((answer.status, allowed(&answer)), (404, Some(origin[0].1)), "{path}");
        assert!(answer.header("x-request-id").is_some());
    }
}

#[tokio::test]
async fn pages_of_other_origins_read_nothing_and_change_nothing() {
    let server = server_with(&[]).await;
    let evil = "https://evil.example";
    for path in UPLOADS {
        let asked = preflight(&server, path, evil).await;
        assert_eq!((asked.status, allowed(&asked)), (400, None), "{path}");
        // A form needs no preflight.
        for origin in [evil, "null", "http://localhost:3001"] {
            let sent = send(&server, "POST", path, &[("origin", origin)]).await;
            sent.assert_problem(403, "origin_not_allowed");
            assert_eq!(allowed(&sent), None);
        }
        let sent = send(&server, "POST", path, &[("sec-fetch-site", "cross-site")]).await;
        sent.assert_problem(403, "origin_not_allowed");
    }
    assert_eq!(jobs(&server).await, 0);
    let read = send(&server, "GET", "/api/jobs", &[("origin", evil)]).await;
    assert_eq!((read.status, allowed(&read)), (200, None), "the browser keeps it from the page");
    let own = [("origin", "http://localhost:3000")];
    let read = send(&server, "GET", "/healthz", &own).await;
    assert_eq!((read.status, allowed(&read)), (200, None), "only what is under /api");
    assert_eq!(read.header("vary"), None);
}

#[tokio::test]
async fn our_own_page_needs_no_permission() {
    let mut server = server_with(&[("LOADBAY_CORS_ORIGINS", "")]).await;
    let own = server.address().to_owned();
    let by_address = send(&server, "POST", UPLOADS[0], &[("origin", &own)]).await;
    assert_eq!(by_address.status, 202, "{}", by_address.text());
    let proxied = [("origin", "https://imports.example"), ("sec-fetch-site", "same-origin")];
    assert_eq!(send(&server, "POST", UPLOADS[0], &proxied).await.status, 202);
    for job in [1, 2] {
        server.finished(job).await;
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn the_list_of_origins_is_a_setting() {
    let mut server = server_with(&[("LOADBAY_CORS_ORIGINS", "https://Shop.example:443/")]).await;
    let shop = [("origin", "https://shop.example")];
    assert_eq!(allowed(&send(&server, "GET", "/api/jobs", &shop).await), Some(shop[0].1));
    let asked = preflight(&server, UPLOADS[0], "http://localhost:3000").await;
    assert_eq!((asked.status, allowed(&asked)), (400, None), "the default is gone");

    server.kill();
    server.restart_with(&[("LOADBAY_CORS_ORIGINS", "")]);
    let off = send(&server, "GET", "/api/jobs", &[("origin", "http://localhost:3000")]).await;
    assert_eq!((off.status, allowed(&off), off.header("vary")), (200, None, None));
    let asked = preflight(&server, UPLOADS[0], "http://localhost:3000").await;
    asked.assert_problem(405, "method_not_allowed");

    server.kill();
    server.restart_with(&[("LOADBAY_CORS_ORIGINS", "*")]);
    let any = send(&server, "POST", UPLOADS[0], &[("origin", "https://any.example")]).await;
    assert_eq!((any.status, allowed(&any)), (202, Some("https://any.example")));
    server.finished(1).await;
    server.check_every_job().await;
}
