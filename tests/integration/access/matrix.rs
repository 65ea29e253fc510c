//! Every call × no key, a wrong key, and each scope.

use loadbay::domain::access::Scope;
use loadbay::http::{ACCESS_RULES, AccessRule};
use reqwest::Method;

use super::key;
use crate::support::{Kind, Server};

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
