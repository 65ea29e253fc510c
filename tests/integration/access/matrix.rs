//! Every call × no key, a wrong key, and each scope.

use loadbay::domain::access::Scope;
use loadbay::http::{ACCESS_RULES, About, AccessRule};
use reqwest::Method;

use super::key;
use crate::support::{Kind, Server, wait_until};

const SCOPES: [&str; 3] = ["read", "import", "admin"];

/// An address that the rule is for: of a job and a bulk that there are not, so that nothing happens.
fn address(rule: &AccessRule) -> String {
    rule.path
        .replace("{id}", "999999")
        .replace("{dataset}", "products")
        .replace("{name}", "products")
        .replace("{file}", "style.css")
        .replace("{mapping}", "none")
        .replace("{session}", "not-a-session")
}

/// Streams do not end: of what is only read the head is asked for.
fn method(rule: &AccessRule) -> Method {
    let method = if rule.method == "GET" { "HEAD" } else { rule.method };
    method.parse().unwrap()
}

/// What the guard says: 401, 403, or nothing.
async fn verdict(server: &Server, rule: &AccessRule, key: Option<&str>) -> Option<u16> {
    let mut request = server.request(method(rule), &address(rule));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let status = server.send(request).await.status;
    matches!(status, 401 | 403).then_some(status)
}

#[tokio::test]
async fn every_call_needs_what_its_rule_says() {
    let server = Server::start(Kind::Sqlite).await;
    let keys = SCOPES.map(|scope| (scope, key(&server, scope, &["--scope", scope])));
    server.until_keys_are_needed().await;
    let wrong = keys[2].1.chars().rev().collect::<String>();
    for rule in ACCESS_RULES {
        let call = format!("{} {}", rule.method, rule.path);
        let needed = rule.scope.map(Scope::as_str);
        // Signing in without a key is refused by the call itself.
        if call == "POST /api/v1/session" {
            continue;
        }
        let closed = needed.map(|_| 401);
        assert_eq!(verdict(&server, rule, None).await, closed, "{call} without a key");
        assert_eq!(verdict(&server, rule, Some(&wrong)).await, closed, "{call} with a wrong key");
        for (scope, key) in &keys {
            let may = needed.is_none_or(|needed| needed == *scope || *scope == "admin");
            let expected = if may { None } else { Some(403) };
            let found = verdict(&server, rule, Some(key)).await;
            assert_eq!(found, expected, "{call} with a key for {scope}");
        }
    }
}

#[tokio::test]
async fn what_has_no_rule_is_closed() {
    let server = Server::start(Kind::Sqlite).await;
    let reader = key(&server, "reader", &["--scope", "read"]);
    server.until_keys_are_needed().await;
    let path = "/api/v1/datasets";
    assert_eq!(server.status_with(Method::PUT, path, "none").await, 401);
    assert_eq!(server.status_with(Method::PUT, path, &reader).await, 403);
    assert_eq!(server.get("/api/v1/nothing").await.status, 404);
}

/// The calls about things of this kind that do not need the scope `admin`.
fn rules_about(is_one: impl Fn(About) -> bool) -> impl Iterator<Item = &'static AccessRule> {
    ACCESS_RULES
        .iter()
        .filter(move |rule| is_one(rule.about) && rule.scope.is_some_and(|it| it != Scope::Admin))
}

#[tokio::test]
async fn every_call_about_a_job_or_a_bulk_hides_those_of_others() {
    let mut server = Server::start(Kind::Sqlite).await;
    let [mine, other] = ["mine", "other"].map(|name| key(&server, name, &[]));
    server.until_keys_are_needed().await;
    let files = [("a.csv", "SKU,Name\nA,B\n"), ("b.csv", "SKU,Name\nC,D\n")];
    let form = files.iter().fold(reqwest::multipart::Form::new(), |form, (name, text)| {
        let part = reqwest::multipart::Part::text(*text).file_name(*name);
        form.part("file", part)
    });
    let upload = server.keyed(Method::POST, "/api/v1/import/products", &mine).multipart(form);
    let bulk = server.send(upload).await.data()["bulkId"].as_str().unwrap().to_owned();
    let uuid = server.database.value("select uuid from import_log where id = 1").await;
    let mut seen = 0;
    for (is_bulk, ids) in [(false, vec!["1".to_owned(), uuid]), (true, vec![bulk])] {
        let wanted = if is_bulk { About::Bulk } else { About::Job };
        for rule in rules_about(|about| about == wanted) {
            for id in &ids {
                let path = rule.path.replace("{id}", id);
                let call = format!("{} {path}", rule.method);
                let theirs = server.send(server.keyed(method(rule), &path, &other)).await.status;
                // A call that takes a number only says so of a UUID, whoever asks.
                let is_hidden = theirs == 404 || (theirs == 400 && id.contains('-'));
                assert!(is_hidden, "{call} of another key is answered {theirs}");
                if method(rule) == Method::HEAD && !rule.path.contains("unprocessed") {
                    let own = server.send(server.keyed(method(rule), &path, &mine)).await.status;
                    assert!(!matches!(own, 401 | 403), "{call} of the own key: {own}");
                    seen += usize::from(own == 200);
                }
            }
        }
    }
    assert!(seen > 10, "the own key sees something of {seen} calls only");
    server.database.execute("delete from access_keys").await;
    for job in [1, 2] {
        wait_until!(
            server.get(&format!("/api/v1/import/status/{job}")).await.status == 200,
            "no key is needed"
        );
        server.finished(job).await;
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn every_call_about_a_dataset_refuses_a_key_for_another() {
    let server = Server::start(Kind::Sqlite).await;
    let narrow = key(&server, "narrow", &["--dataset", "nothing"]);
    server.until_keys_are_needed().await;
    let mut calls = 0;
    for rule in rules_about(|about| matches!(about, About::Dataset | About::Fixed(_))) {
        let status = server.send(server.keyed(method(rule), &address(rule), &narrow)).await.status;
        assert_eq!(status, 403, "{} {}", rule.method, rule.path);
        calls += 1;
    }
    assert!(calls > 10, "{calls}");
    let listed = server.send(server.keyed(Method::GET, "/api/v1/datasets", &narrow)).await;
    assert_eq!(listed.ok()["datasets"], serde_json::json!([]));
    let admin = key(&server, "admin", &["--scope", "admin"]);
    wait_until!(
        server.status_with(Method::GET, "/api/v1/datasets", &admin).await == 200,
        "the new key opens"
    );
    let all = server.send(server.keyed(Method::GET, "/api/v1/datasets", &admin)).await;
    assert!(all.ok()["datasets"].as_array().unwrap().len() > 1);
}
