//! The routes of the server against the tables of calls in the documentation: each stands in both.
//! Reads both as text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use loadbay::jobs::Command;

use super::docs::text;
use super::sources::{check, sources};

/// The methods and addresses that the server registers, a parameter as `{}`.
pub(super) static REGISTERED: LazyLock<BTreeSet<String>> = LazyLock::new(registered);

fn registered() -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    for source in sources(&["src/http"]) {
        for call in source.text.split(".service(").skip(1) {
            let (function, arguments) = call.split_once('(').unwrap_or_default();
            for path in paths(arguments.trim_start(), &source.path) {
                for method in methods(function.trim(), &source.path) {
                    routes.insert(format!("{method} {}", plain(&path)));
                }
            }
        }
    }
    routes
}

/// The methods that a function of `src/http/resource.rs` or `routes.rs` registers.
fn methods(function: &str, file: &str) -> &'static [&'static str] {
    match function {
        "get" => &["GET"],
        "post" => &["POST"],
        "job" | "webhooks::one" => &["GET", "DELETE"],
        "webhooks::all" => &["GET", "POST"],
        "dataset" => &["GET", "PUT"],
        "mapping" => &["GET", "PUT", "DELETE"],
        "session" => &["GET", "POST", "DELETE"],
        // Such a route would be seen by no check.
        _ => unreachable!("{file}: this check does not know what `{function}` registers"),
    }
}

/// The addresses that the first argument of a registration stands for.
fn paths(arguments: &str, file: &str) -> Vec<String> {
    let literal = arguments.strip_prefix("&format!(").unwrap_or(arguments).trim_start();
    if let Some(path) = literal.strip_prefix('"').and_then(|rest| rest.split('"').next()) {
        let path = path.replace("{import}", "/api/v1/import");
        return vec![path.replace("{{", "{").replace("}}", "}")];
    }
    if arguments.starts_with("ERROR_DOCS,") {
        return vec!["/docs/errors".to_owned()];
    }
    assert!(arguments.starts_with("&path, control::apply(command)"), "{file}: {arguments:.60}");
    let actions = Command::ALL.into_iter().map(|command| command.action().as_str());
    actions.map(|action| format!("/api/v1/import/jobs/{{id}}/{action}")).collect()
}

/// An address without query, each parameter, example of a number and `…` as `{}`.
pub(super) fn plain(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let is_variable = |segment: &str| {
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        is_number || segment == "…" || segment.starts_with('{')
    };
    let segments = path.split('/').map(|it| if is_variable(it) { "{}" } else { it });
    segments.collect::<Vec<_>>().join("/")
}

/// The calls in the tables of a page: rows that begin with a method and an address, or with an
/// address of the page for browsers.
fn documented(page: &str) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for line in text(page).lines() {
        let Some(row) = line.strip_prefix("| ") else { continue };
        let row = row.trim_start_matches('[');
        let Some(call) = row.strip_prefix('`').and_then(|rest| rest.split('`').next()) else {
            continue;
        };
        let (method, path) = call.split_once(' ').unwrap_or(("GET", call));
        if path.starts_with('/') {
            calls.insert(format!("{method} {}", plain(path)));
        }
    }
    calls
}

#[test]
fn every_route_is_a_documented_call_and_every_documented_call_is_a_route() {
    let routes = &*REGISTERED;
    let mut calls = documented("docs/api.md");
    calls.extend(documented("docs/compat.md"));
    let unknown = routes.difference(&calls).map(|it| format!("no table of calls has {it}"));
    let missing = calls.difference(routes).map(|it| format!("no route answers {it}"));
    check(
        "Every route stands in a table of docs/api.md or docs/compat.md, and every call there is \
         a route.",
        &unknown.chain(missing).collect::<Vec<_>>(),
    );
}

#[test]
fn every_route_has_a_rule_of_access() {
    let rules: BTreeSet<String> = loadbay::http::ACCESS_RULES
        .iter()
        .map(|rule| format!("{} {}", rule.method, plain(rule.path)))
        .collect();
    let missing = REGISTERED.difference(&rules).map(|it| format!("no rule is for {it}"));
    let spare = rules.difference(&REGISTERED).map(|it| format!("no route answers {it}"));
    check(
        "Every route has a rule in src/http/access/rules.rs, and every rule is of a route.",
        &missing.chain(spare).collect::<Vec<_>>(),
    );
}

#[test]
fn both_sides_are_read() {
    for call in ["GET /", "POST /api/v1/import/jobs/{}/force", "DELETE /api/v1/import/jobs/{}"] {
        assert!(REGISTERED.contains(call), "the routes lack {call}");
        assert!(documented("docs/api.md").contains(call), "docs/api.md lacks {call}");
    }
    assert!(documented("docs/compat.md").contains("GET /api/jobs/{}"));
    assert_eq!(plain("/jobs/123?a=b"), "/jobs/{}");
}
