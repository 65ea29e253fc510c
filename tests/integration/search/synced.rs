//! What is in the search engine after imports and rollbacks.

use super::*;
use serde_json::json;

both!(records_are_found_and_a_rollback_removes_them, |server| {
    let typesense = Typesense::start().await;
    server.restart_with_search(&typesense, &[]);
    let status = server
        .load_and_sync(
            "SKU,Name,Category,Potency,Selling Price,Is Active,Tags\n\
             A 1/ö,Arnica,Drops,30C,1.50,yes,\"a;b\"\nB,Bella,Drops,,2,no,\n",
        )
        .await;
    assert_eq!(status["sync"]["upserted"], 2, "{}", status["sync"]);
    let first = json!({
        "id": "A%201%2F%C3%B6", "sku": "A 1/ö", "name": "Arnica", "category": "Drops",
        "potency": "30C", "selling_price": 1.5, "is_active": true, "tags": ["a", "b"]
    });
    let documents = typesense.documents("products").await;
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0], first);
    let found = "/collections/products/documents/search?q=arnca&query_by=name&facet_by=category";
    let found = typesense.get(found).await;
    assert_eq!(found["hits"][0]["document"]["sku"], "A 1/ö", "{found}");

    // One is new, one changes, one stays.
    let second = server.load_and_sync("SKU,Name\nA 1/ö,Arnica\nB,Belladonna\nC,Cal\n").await;
    assert_eq!(second["sync"]["upserted"], 2, "{}", second["sync"]);
    let expected = ["\"A 1/ö\" \"Arnica\"", "\"B\" \"Belladonna\"", "\"C\" \"Cal\""];
    assert_eq!(lines(&typesense).await, expected);
    assert_eq!(typesense.documents("products").await[0], first, "what the file lacks stays");

    let rolled_back = server.action(second["jobId"].as_i64().unwrap(), "rollback").await;
    let rollback = server.synced(rolled_back.data()["jobId"].as_i64().unwrap()).await;
    assert_eq!(rollback["status"], "completed", "{rollback}");
    let sync = &rollback["sync"];
    assert_eq!((&sync["removed"], &sync["upserted"]), (&json!(1), &json!(1)), "{sync}");
    assert_eq!(lines(&typesense).await, ["\"A 1/ö\" \"Arnica\"", "\"B\" \"Bella\""]);
    assert_eq!(server.rows("select count(*) from import_outbox").await.concat(), ["0"]);
    let key = &typesense.settings()[1].1;
    assert!(!server.log().contains(key.as_str()), "the key is logged");
});

both!(nothing_is_noted_where_nobody_passes_it_on, |server| {
    let status = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert_eq!(status["sync"], Value::Null);
    let typesense = Typesense::stopped();
    server.restart_with_search(&typesense, &[("TYPESENSE_DATASETS", "transactions")]);
    let other = server.load("products", Upload::csv("SKU,Name\nB,Bella\n")).await;
    assert_eq!(other["sync"], Value::Null);
    server.restart_with_search(&typesense, &[]);
    let dry = Upload::csv("SKU,Name\nC,Cal\n").option("dryRun", "true");
    assert_eq!(server.load("products", dry).await["sync"], Value::Null);
    assert_eq!(server.rows("select count(*) from import_outbox").await.concat(), ["0"]);
});

both!(a_paused_job_is_passed_on_and_a_cancelled_one_too, |server| {
    let typesense = Typesense::start().await;
    let slow = [("LOADBAY_CHUNK_ROWS", "10"), ("FAILPOINTS", "partition.after=sleep(50)")];
    server.restart_with_search(&typesense, &slow);
    let job = server.import("products", Upload::csv(&products(2_000))).await;
    server.until(job, |it| it["counts"]["created"].as_u64() > Some(20)).await;
    server.action(job, "pause").await.ok();
    let created = "select count(*) from products";
    wait_until!(
        typesense.count("products").await.to_string()
            == server.rows(created).await.concat().concat(),
        "the records of a paused job are not passed on: {}",
        server.log()
    );
    server.cancel(job).await.ok();
    let status = server.synced(job).await;
    assert_eq!(status["status"], "cancelled");
    assert_eq!(status["sync"]["upserted"], status["counts"]["created"], "{}", status["sync"]);
});
