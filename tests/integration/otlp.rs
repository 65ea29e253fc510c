//! Spans at a collector: request, job, step and chunk in one trace. Only a server with the feature `otlp`
//! sends them; `scripts/test` builds one.

use crate::far::web::{Reply, Web};
use crate::support::*;
use serde_json::{Map, Value, json};

const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Every span that arrived.
fn spans(collector: &Web) -> Vec<Value> {
    let mut spans = Vec::new();
    for asked in collector.asked() {
        assert_eq!(asked.path, "/v1/traces");
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        for resource in body["resourceSpans"].as_array().unwrap() {
            let service = json!({"key": "service.name", "value": {"stringValue": "loadbay"}});
            assert!(resource["resource"]["attributes"].as_array().unwrap().contains(&service));
            for scope in resource["scopeSpans"].as_array().unwrap() {
                spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
            }
        }
    }
    spans
}

/// What a span says of itself.
fn said(span: &Value) -> Map<String, Value> {
    let attributes = span["attributes"].as_array().unwrap().iter();
    let pair = |it: &Value| (it["key"].as_str().unwrap().to_owned(), it["value"].clone());
    attributes.map(pair).collect()
}

#[tokio::test]
async fn otlp_has_request_job_steps_and_chunks_in_one_trace() {
    let collector =
        Web::start(|_, _| Reply::file(b"{}".as_slice()).header("Content-Type", "application/json"));
    let address = collector.url("");
    let settings = [
        ("LOADBAY_CHUNK_ROWS", "2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", address.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ];
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let file = Upload::csv("SKU,Name\nA,Arnica\nB,Bella\nC,Cal\n").header("traceparent", GIVEN);
    let job = server.import("products", file).await;
    server.finished(job).await;
    server.check_every_job().await;
    // The last spans are sent at the end.
    assert!(server.terminate().success());

    let all = spans(&collector);
    let (trace, client) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let mut of_trace = all.iter().filter(|span| span["traceId"] == trace);
    let named = |name: &str| -> Vec<&Value> {
        all.iter().filter(|it| it["traceId"] == trace && it["name"] == name).collect()
    };
    assert!(of_trace.all(|span| span["spanId"].as_str().unwrap().len() == 16));
    let [request] = named("request")[..] else { panic!("one request: {all:#?}") };
    assert_eq!(request["parentSpanId"], client);
    assert_eq!(said(request)["job_id"], json!({ "intValue": job.to_string() }));
    let [run] = named("job")[..] else { panic!("one run: {all:#?}") };
    assert_eq!(run["parentSpanId"], request["spanId"]);
    assert_eq!(said(run)["job_id"], json!({ "intValue": job.to_string() }));
    for step in ["open", "prescan", "write"] {
        let [step] = named(step)[..] else { panic!("one {step}: {all:#?}") };
        assert_eq!(step["parentSpanId"], run["spanId"]);
    }
    let write = named("write")[0];
    let chunks = named("chunk");
    assert_eq!(chunks.len(), 2);
    assert!(chunks.iter().all(|chunk| chunk["parentSpanId"] == write["spanId"]));
    // What has no trace of a client begins one.
    let polled = all.iter().filter(|it| it["name"] == "request" && it["traceId"] != trace);
    assert!(polled.clone().count() > 0);
    assert!(polled.clone().all(|it| it["parentSpanId"].as_str().unwrap_or_default().is_empty()));
}
