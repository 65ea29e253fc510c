//! Documents that the search engine does not take are counted and listed, and nothing waits for them.

use super::*;
use serde_json::json;

both!(a_refused_document_is_counted_and_named, |server| {
    let typesense = Typesense::start().await;
    server.restart_with_search(&typesense, &[]);
    let first = server.load_and_sync("SKU,Name\nA,Arnica\n").await;
    let rolled_back = server.action(first["jobId"].as_i64().unwrap(), "rollback").await;
    server.synced(rolled_back.data()["jobId"].as_i64().unwrap()).await;
    // Somebody asks for a field that no record has.
    let collection = typesense.collections().await.concat();
    let field = json!({ "fields": [{ "name": "margin", "type": "float" }] });
    let path = format!("/collections/{collection}");
    typesense.ask(reqwest::Method::PATCH, &path, Some(field)).await;

    let status = server.load_and_sync("SKU,Name\nB,Bella\nC,Cal\n").await;
    assert_eq!(status["status"], "completed");
    let sync = &status["sync"];
    assert_eq!((&sync["upserted"], &sync["refused"]), (&json!(0), &json!(2)), "{sync}");
    let ids: Vec<_> = sync["errors"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["B", "C"]);
    let message = sync["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("margin"), "{message}");
    assert!(server.log().contains("document_refused"));
    assert_eq!(server.rows("select count(*) from import_outbox").await.concat(), ["0"]);
});
