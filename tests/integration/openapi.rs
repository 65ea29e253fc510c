//! `/openapi.json` against the table of calls, and against what the server answers.

use std::collections::{BTreeMap, BTreeSet};

use loadbay::http::ACCESS_RULES;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::*;

async fn document(server: &Server) -> Value {
    let answer = server.get("/openapi.json").await;
    assert_eq!(answer.status, 200);
    answer.json
}

/// The calls of the document, as method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().unwrap();
    let calls = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(|(method, operation)| ((method.to_uppercase(), path.clone()), operation.clone()))
    });
    calls.collect()
}

/// Schemas that are parts of others, which have more members than they.
fn parts(value: &Value, found: &mut BTreeSet<String>) {
    if let Some(all) = value["allOf"].as_array() {
        let names = all.iter().filter_map(|part| part["$ref"].as_str()?.split('/').next_back());
        found.extend(names.map(str::to_owned));
    }
    match value {
        Value::Object(members) => members.values().for_each(|part| parts(part, found)),
        Value::Array(elements) => elements.iter().for_each(|part| parts(part, found)),
        _ => {}
    }
}

/// The components, where no object has a member that its schema does not have.
fn strict(document: &Value) -> Value {
    let mut components = document["components"].clone();
    let mut found = BTreeSet::new();
    parts(&components, &mut found);
    for (name, schema) in components["schemas"].as_object_mut().unwrap() {
        if found.contains(name) {
            continue;
        }
        if schema.get("allOf").is_some() {
            schema["unevaluatedProperties"] = json!(false);
        } else if schema.get("properties").is_some() && schema.get("additionalProperties").is_none()
        {
            schema["additionalProperties"] = json!(false);
        }
    }
    components
}

/// Checks a value against a schema of the document.
fn check_against(document: &Value, schema: &Value, value: &Value, what: &str) {
    let mut whole = schema.clone();
    whole["components"] = strict(document);
    let validator = jsonschema::draft202012::new(&whole).expect("a schema");
    let faults: Vec<_> = validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{what}: {faults:#?}\n{value:#}");
}

/// A response of the document, which may be named there.
fn response(document: &Value, described: &Value) -> Value {
    let named = described["$ref"].as_str().and_then(|it| it.split('/').next_back());
    let responses = &document["components"]["responses"];
    named.map_or_else(|| described.clone(), |name| responses[name].clone())
}

/// Checks an answer against what the document says of the call.
fn check_answer(document: &Value, method: &str, path: &str, answer: &Answer) {
    let what = format!("{method} {path} {}", answer.status);
    let operations = operations(document);
    let operation = &operations[&(method.to_owned(), path.to_owned())];
    let status = answer.status.to_string();
    let described = match operation["responses"].get(&status) {
        Some(described) => response(document, described),
        None if answer.status >= 400 => response(document, &operation["responses"]["default"]),
        None => panic!("{what} is not described"),
    };
    let Some(contents) = described["content"].as_object() else { return };
    let media_type = answer.header("content-type").unwrap_or_default();
    let content = contents.get(media_type).unwrap_or_else(|| panic!("{what}: {media_type}"));
    if media_type.contains("json") && !media_type.contains("ndjson") && path != "/openapi.json" {
        check_against(document, &content["schema"], &answer.json, &what);
    }
    let expected = &content["schema"]["allOf"][1]["properties"]["code"]["examples"];
    if let Some(expected) = expected.as_array() {
        assert!(expected.contains(&answer.json["code"]), "{what}: {expected:?}");
    }
}

/// An address of the server for a path of the document.
fn address(path: &str, job: i64, uuids: &BTreeMap<&str, String>) -> String {
    let group = path.split('/').find(|part| uuids.contains_key(part)).unwrap_or_default();
    let id = uuids.get(group).cloned().unwrap_or_else(|| job.to_string());
    let path = path.replace("{id}", &id).replace("{name}", "products");
    let path = path.replace("{dataset}", "products").replace("{mapping}", "supplier");
    path.replace("{delivery}", "1").replace("{file}", "style.css").replace("{session}", "s-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_has_every_call_and_no_other() {
    let server = Server::start(Kind::Sqlite).await;
    let document = document(&server).await;
    let described: BTreeSet<_> = operations(&document).into_keys().collect();
    let rules: BTreeSet<_> =
        ACCESS_RULES.iter().map(|rule| (rule.method.to_owned(), rule.path.to_owned())).collect();
    let missing: Vec<_> = rules.difference(&described).collect();
    let spare: Vec<_> = described.difference(&rules).collect();
    assert!(missing.is_empty(), "a line in src/http/openapi/calls.rs is missing for {missing:?}");
    assert!(spare.is_empty(), "no route is {spare:?}");
    let names: BTreeSet<_> =
        operations(&document).into_values().map(|it| it["operationId"].to_string()).collect();
    assert_eq!(names.len(), described.len(), "two calls have the same name");
    for (call, operation) in operations(&document) {
        let rule = ACCESS_RULES.iter().find(|it| it.method == call.0 && it.path == call.1).unwrap();
        let is_open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(is_open, rule.scope.is_none(), "{call:?}");
    }
}

both!(what_the_server_answers_is_what_the_document_says, |server| {
    let document = document(server).await;
    let file = "SKU,Name,Qty,Extra\nA-1,Arnica,1,x\nA-2,Belladonna,many,x\nA-1,Arnica,2,x\n";
    let preview = server.upload("products/preview", Upload::csv(file)).await;
    check_answer(&document, "POST", "/api/v1/import/{dataset}/preview", &preview);
    let dry = Upload::csv(file).option("dryRun", "true");
    let dry = server.load("products", dry).await["jobId"].as_i64().unwrap();
    let upload = server.upload("products", Upload::csv(file).option("undo", "true")).await;
    check_answer(&document, "POST", "/api/v1/import/{dataset}", &upload);
    let job = upload.data()["jobId"].as_i64().unwrap();
    server.finished(job).await;
    let mapping = json!({"headers": ["Art.-Nr.", "Name"], "mapping": {"Art.-Nr.": "sku"}});
    let mapping_path = "/api/v1/datasets/{name}/mappings/{mapping}";
    let request = server.request(Method::PUT, &address(mapping_path, 1, &BTreeMap::new()));
    check_answer(&document, "PUT", mapping_path, &server.send(request.json(&mapping)).await);
    let webhook = json!({"url": "https://shop.example/hook", "events": ["job.failed"]});
    let request = server.request(Method::POST, "/api/v1/webhooks").json(&webhook);
    let webhook = server.send(request).await;
    check_answer(&document, "POST", "/api/v1/webhooks", &webhook);
    let webhook = webhook.data()["id"].as_str().unwrap().to_owned();
    let uuids = BTreeMap::from([("webhooks", webhook)]);
    for command in ["retry", "rollback", "pause", "priority", "confirm"] {
        let path = format!("/api/v1/import/jobs/{{id}}/{command}");
        let about = if command == "confirm" { dry } else { job };
        let request = server.request(Method::POST, &address(&path, about, &uuids));
        check_answer(&document, "POST", &path, &server.send(request).await);
    }
    for ((method, path), operation) in operations(&document) {
        let is_stream = !operation["responses"]["200"]["content"]["text/event-stream"].is_null();
        if method != "GET" || is_stream || path == "/products/import-export-advanced" {
            continue;
        }
        for about in [job, dry, 99_999] {
            let answer = server.get(&address(&path, about, &uuids)).await;
            if answer.header("content-type").is_some_and(|kind| !kind.starts_with("text/css")) {
                check_answer(&document, &method, &path, &answer);
            }
        }
    }
});

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_what_their_schemas_say() {
    let server = Server::start(Kind::Sqlite).await;
    let document = document(&server).await;
    let mut named = BTreeSet::new();
    let text = document["paths"].to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        named.insert(part.split('"').next().unwrap().to_owned());
    }
    named.insert("ProblemBody".to_owned());
    for name in named {
        let schema = &document["components"]["schemas"][&name];
        let example = schema["examples"].get(0);
        let example = example.unwrap_or_else(|| panic!("{name} has no example"));
        let reference = json!({"$ref": format!("#/components/schemas/{name}")});
        check_against(&document, &reference, example, &name);
    }
}

/// What the messages of a stream are, by the document.
fn check_stream(document: &Value, method: &str, path: &str, messages: &[Value]) {
    let operations = operations(document);
    let described = &operations[&(method.to_owned(), path.to_owned())]["responses"]["200"];
    let schema = &described["content"]["text/event-stream"]["x-data-schema"];
    assert!(!messages.is_empty(), "{path} sent nothing");
    for message in messages {
        check_against(document, schema, message, &format!("{method} {path}"));
    }
}

/// The data of each message of an answer that is a stream.
fn data(answer: &Answer) -> Vec<Value> {
    let lines = answer.text().lines().filter_map(|line| line.strip_prefix("data: "));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

both!(what_streams_send_is_what_the_document_says, |server| {
    let document = document(server).await;
    let file = "SKU,Name,Category,Qty\nA-1,Arnica,Dilutions,1\nA-2,Bella,,many\nA-1,Arnica,,2\n";
    let job = server.load("products", Upload::csv(file).option("undo", "true")).await;
    let job = job["jobId"].as_i64().unwrap();
    let rolled_back = server.action(job, "rollback").await.data()["jobId"].as_i64().unwrap();
    server.finished(rolled_back).await;
    let failed = Upload::csv(file).option("onError", "abort").option("dryRun", "true");
    let failed = server.load("products", failed).await["jobId"].as_i64().unwrap();
    let path = "/api/v1/import/jobs/{id}/events";
    for job in [job, rolled_back, failed] {
        let answer = server.get(&address(path, job, &BTreeMap::new())).await;
        check_stream(&document, "GET", path, &data(&answer));
    }
    let path = "/api/v1/import/events";
    let mut all = server.listen(path).await;
    let first = all.next().await.unwrap().data;
    check_stream(&document, "GET", path, &[first]);
    let path = "/api/erp/products/import/stream";
    let form = reqwest::multipart::Form::new()
        .part("file", reqwest::multipart::Part::text(file).file_name("products.csv"));
    let answer = server.send(server.request(Method::POST, path).multipart(form)).await;
    check_stream(&document, "POST", path, &data(&answer));
    let two = reqwest::multipart::Form::new()
        .part("file", reqwest::multipart::Part::text(file).file_name("one.csv"))
        .part("file", reqwest::multipart::Part::text(file).file_name("two.csv"));
    let bulk = server.request(Method::POST, "/api/v1/import/products").multipart(two);
    let bulk = server.send(bulk.header("accept", "text/event-stream")).await;
    check_stream(&document, "GET", "/api/v1/import/bulks/{id}/events", &data(&bulk));
    let jobs = server.get("/api/jobs").await.json;
    let id = jobs[0]["id"].as_str().unwrap();
    let answer = server.get(&format!("/api/jobs/{id}/events")).await;
    check_stream(&document, "GET", "/api/jobs/{id}/events", &data(&answer));
});

both!(refusals_have_the_codes_of_their_calls, |server| {
    let document = document(server).await;
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let job = job["jobId"].as_i64().unwrap();
    let none = BTreeMap::new();
    let upload = "/api/v1/import/{dataset}";
    for (upload_of, code) in [
        (Upload::csv("SKU,Name\nA,A\n").option("colour", "red"), "unknown_option"),
        (Upload::csv("SKU,Name\nA,A\n").option("mode", "merge"), "invalid_option"),
        (Upload::csv(""), "empty_file"),
        (Upload::csv("Price\n1\n"), "missing_column"),
        (Upload::csv("SKU,Name,Name\nA,A,A\n"), "duplicate_column"),
        (Upload::csv("SKU,Name\nA,A\n").option("savedMapping", "x"), "unknown_mapping"),
        (Upload::csv("SKU,Name\nA,A\n").option("mapping", r#"{"X":"sku"}"#), "bad_mapping"),
        (Upload::csv("SKU,Name\nA,A\n").option("set", r#"{"x":"1"}"#), "bad_constant"),
        (Upload::csv("SKU,Name,X\nA,A,\n").option("strict", "true"), "refused_by_strict"),
        (Upload::file("a.pdf", *b"%PDF-1.7"), "unsupported_format"),
    ] {
        let answer = server.upload("products", upload_of).await;
        assert_eq!(answer.code(), code);
        check_answer(&document, "POST", upload, &answer);
    }
    let answer = server.upload("nothing", Upload::csv("SKU,Name\nA,A\n")).await;
    assert_eq!(answer.code(), "unknown_dataset");
    check_answer(&document, "POST", upload, &answer);
    for (method, path, about, code) in [
        ("POST", "/api/v1/import/jobs/{id}/pause", job, "invalid_job_state"),
        ("POST", "/api/v1/import/jobs/{id}/resume", job, "invalid_job_state"),
        ("POST", "/api/v1/import/jobs/{id}/cancel", job, "invalid_job_state"),
        ("POST", "/api/v1/import/jobs/{id}/force", job, "invalid_job_state"),
        ("POST", "/api/v1/import/jobs/{id}/rollback", job, "nothing_to_undo"),
        ("POST", "/api/v1/import/jobs/{id}/confirm", job, "no_dry_run"),
        ("POST", "/api/v1/import/jobs/{id}/cancel", 999, "job_not_found"),
        ("GET", "/api/v1/import/jobs/{id}/diff", job, "no_dry_run"),
        ("GET", "/api/v1/import/status/{id}", 999, "job_not_found"),
        ("DELETE", "/api/v1/import/jobs/{id}", 999, "job_not_found"),
    ] {
        let method_of = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = server.send(server.request(method_of, &address(path, about, &none))).await;
        assert_eq!(answer.code(), code, "{method} {path}");
        check_answer(&document, method, path, &answer);
    }
    let retry = "/api/v1/import/jobs/{id}/retry";
    let body = json!({"rows": "failed"});
    let request = server.request(Method::POST, &address(retry, job, &none)).json(&body);
    let answer = server.send(request).await;
    assert_eq!(answer.code(), "nothing_to_retry");
    check_answer(&document, "POST", retry, &answer);
    let bad = json!({"url": "http://127.0.0.1/"});
    let answer = server.send(server.request(Method::POST, "/api/v1/webhooks").json(&bad)).await;
    assert_eq!(answer.code(), "url_not_allowed");
    check_answer(&document, "POST", "/api/v1/webhooks", &answer);
});
