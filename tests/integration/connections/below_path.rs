//! A server below a path: what it writes leads back to it, and what is not there is told.

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::support::{Answer, Kind, Nginx, Server, Upload, http_client};

const FILE: &str = "SKU,Name\nA,Arnica\n,Bryonia\n";

const BY_SETTING: &[(&str, &str)] = &[("LOADBAY_PATH_PREFIX", "/loadbay/")];

const BY_PROXY: &[(&str, &str)] = &[("LOADBAY_TRUSTED_PROXIES", "10.0.0.1, 127.0.0.0/8")];

/// Every text in a document that is an address of the server.
fn addresses(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::String(text) if text.starts_with('/') => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| addresses(item, found)),
        Value::Object(members) => members.values().for_each(|value| addresses(value, found)),
        _ => {}
    }
}

#[track_caller]
fn assert_below(answer: &Answer, prefix: &str) {
    let mut found = Vec::new();
    addresses(&answer.json, &mut found);
    found.extend(answer.header("location").map(str::to_owned));
    assert!(!found.is_empty(), "{}", answer.text());
    for address in found {
        let rest = address.strip_prefix(prefix);
        let rest = rest.unwrap_or_else(|| panic!("{address}: {}", answer.text()));
        assert!(rest.starts_with("/api/") || rest.starts_with("/docs/"), "{address}");
    }
}

/// Asks for everything that holds addresses; `prefix` is how the request says it, if it does.
async fn check_every_answer(server: &Server, header: Option<&str>, sent: &str, prefix: &str) {
    let ask = async |method: Method, path: &str| {
        let mut request = server.request(method, &format!("{sent}{path}"));
        if let Some(header) = header {
            request = request.header("x-forwarded-prefix", header);
        }
        server.send(request).await
    };
    let mut upload = Upload::csv(FILE);
    if let Some(header) = header {
        upload = upload.header("x-forwarded-prefix", header);
    }
    let accepted = server.upload("products", upload).await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    assert_below(&accepted, prefix);
    let job = accepted.data()["jobId"].as_i64().unwrap();
    server.finished(job).await;
    let jobs = "/api/v1/import/jobs";
    for path in [
        format!("/api/v1/import/status/{job}"),
        jobs.to_owned(),
        format!("{jobs}/{job}"),
        format!("{jobs}/{job}/errors"),
        "/api/v1/datasets".to_owned(),
        "/api/v1/datasets/products".to_owned(),
        "/api/v1/datasets/nothing".to_owned(),
        format!("{jobs}/{job}/nothing"),
    ] {
        assert_below(&ask(Method::GET, &path).await, prefix);
    }
    assert_below(&ask(Method::POST, &format!("{jobs}/{job}/cancel")).await, prefix);
    let child = ask(Method::POST, &format!("{jobs}/{job}/retry?rows=failed")).await;
    assert!(child.header("location").is_some(), "{}", child.text());
    assert_below(&child, prefix);
    server.finished(child.data()["jobId"].as_i64().unwrap()).await;
    let moved = ask(Method::GET, "/products/import-export-advanced").await;
    assert_eq!(moved.status, 200, "the client followed to {prefix}: {}", moved.text());
}

async fn snapshot(server: &Server, path: &str) -> Answer {
    let json = server.listen(path).await.next().await.expect("a snapshot").data;
    Answer { status: 200, headers: HeaderMap::new(), bytes: json.to_string().into(), json }
}

#[tokio::test]
async fn a_setting_says_the_path_whether_the_proxy_takes_it_away_or_not() {
    let mut server = Server::start_with(Kind::Sqlite, BY_SETTING).await;
    for sent in ["", "/loadbay"] {
        check_every_answer(&server, None, sent, "/loadbay").await;
        for path in ["/api/v1/import/events", "/api/v1/import/jobs/1/events"] {
            assert_below(&snapshot(&server, &format!("{sent}{path}")).await, "/loadbay");
        }
    }
    let text = server.get("/loadbay/").await;
    assert!(text.text().contains("http://HOST/loadbay/api/v1/import/products"), "{}", text.text());
    server.get("/loadbay2/api/v1/datasets").await.assert_problem(404, "not_found");
    server.check_every_job().await;
}

/// Relative addresses of the page need the slash at the end of the path.
#[tokio::test]
async fn the_path_itself_leads_to_the_page() {
    let server = Server::start_with(Kind::Sqlite, BY_SETTING).await;
    let client = http_client().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = client.get(format!("{}/loadbay", server.address())).send().await.unwrap();
    assert_eq!(answer.status(), 308);
    assert_eq!(answer.headers()["location"], "/loadbay/");
}

#[tokio::test]
async fn a_path_like_one_of_the_servers_own_is_no_trouble() {
    let server = Server::start_with(Kind::Sqlite, &[("LOADBAY_PATH_PREFIX", "/api")]).await;
    for path in ["/api/v1/datasets", "/api/api/v1/datasets"] {
        let answer = server.get(path).await;
        let link = answer.ok()["datasets"][0]["links"]["self"].as_str().unwrap().to_owned();
        assert!(link.starts_with("/api/api/v1/datasets/"), "{path}: {link}");
    }
}

#[tokio::test]
async fn a_named_proxy_says_the_path() {
    let mut server = Server::start_with(Kind::Sqlite, BY_PROXY).await;
    for (header, prefix) in
        [("/loadbay", "/loadbay"), ("/outer/, /inner", "/outer/inner"), ("/", ""), ("", "")]
    {
        check_every_answer(&server, Some(header), "", prefix).await;
    }
    check_every_answer(&server, None, "", "").await;
    for header in ["//evil.example", "https://evil.example", "/a b", "/..", "loadbay"] {
        let request = server.request(Method::GET, "/api/v1/datasets");
        let refused = server.send(request.header("x-forwarded-prefix", header)).await;
        refused.assert_problem(400, "malformed_request");
        assert!(refused.text().contains("X-Forwarded-Prefix"), "{}", refused.text());
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn nobody_else_says_the_path() {
    for settings in [&[][..], &[("LOADBAY_TRUSTED_PROXIES", "10.0.0.0/8,::1")]] {
        let mut server = Server::start_with(Kind::Sqlite, settings).await;
        check_every_answer(&server, Some("/evil"), "", "").await;
        check_every_answer(&server, Some("//evil.example"), "", "").await;
        server.check_every_job().await;
    }
}

#[tokio::test]
async fn a_slash_too_many_is_told_with_the_right_address() {
    let server = Server::start_with(Kind::Sqlite, BY_SETTING).await;
    for (path, address) in [
        ("/api/v1/import/jobs/", "/loadbay/api/v1/import/jobs"),
        ("//api/v1/datasets", "/loadbay/api/v1/datasets"),
        ("/loadbay//api/v1//datasets/", "/loadbay/api/v1/datasets"),
        ("/api/v1/import/status/1/", "/loadbay/api/v1/import/status/1"),
        ("/readyz/", "/loadbay/readyz"),
    ] {
        let answer = server.get(path).await;
        answer.assert_problem(404, "not_found");
        assert_eq!(answer.json["address"], address, "{path}");
        let detail = answer.json["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("`{address}`")), "{detail}");
    }
    let post =
        server.send(server.request(Method::POST, "/api/v1/import/products/").body("x")).await;
    post.assert_problem(404, "not_found");
    assert_eq!(post.json["address"], "/loadbay/api/v1/import/products");
    for path in ["/nothing/", "//nothing", "/api/v1/import/"] {
        assert_eq!(server.get(path).await.json.get("address"), None, "{path}");
    }
}

#[tokio::test]
async fn a_path_of_which_nobody_told_the_server_is_told() {
    let server = Server::start(Kind::Sqlite).await;
    let answer = server.get("/loadbay/api/v1/datasets").await;
    answer.assert_problem(404, "not_found");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains("LOADBAY_PATH_PREFIX=/loadbay"), "{detail}");
}

#[tokio::test]
async fn the_documented_nginx_passes_uploads_and_events_on() {
    let mut server = Server::start_with(Kind::Sqlite, BY_PROXY).await;
    for (nginx, prefix) in [(Nginx::start(&server), ""), (Nginx::below_path(&server), "/loadbay")] {
        let client = http_client().build().unwrap();
        let form = reqwest::multipart::Part::bytes(FILE.as_bytes()).file_name("p.csv");
        let form = reqwest::multipart::Form::new().part("file", form);
        let address = format!("{}{prefix}/api/v1/import/products", nginx.address());
        let answer = client.post(address).multipart(form).send().await.unwrap();
        assert_eq!(answer.status(), 202, "{}", nginx.log());
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let json: Value = answer.json().await.unwrap();
        assert_eq!(json["data"]["statusUrl"], location.as_str());
        let job = json["data"]["jobId"].as_i64().unwrap();
        server.finished(job).await;
        let status = client.get(format!("{}{location}", nginx.address())).send().await.unwrap();
        let status: Value = status.json().await.unwrap();
        let errors = status["data"]["links"]["errorsCsv"].as_str().unwrap();
        let errors = client.get(format!("{}{errors}", nginx.address())).send().await.unwrap();
        assert_eq!(errors.status(), 200);
        let events = format!("{}{prefix}/api/v1/import/jobs/{job}/events", nginx.address());
        let told = client.get(events).send().await.unwrap().text().await.unwrap();
        assert!(told.contains(r#""type":"complete""#), "{told}");
    }
    server.check_every_job().await;
}
