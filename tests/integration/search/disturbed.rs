//! The search engine is away, or killed in the middle; the server is killed in the middle.

use super::*;

/// Records of several batches.
const RECORDS: usize = 12_000;

/// Each batch takes its time, so that a test can act in the middle.
const SLOW_BATCHES: (&str, &str) = ("FAILPOINTS", "search.page=sleep(500);search.sent=sleep(200)");

/// Waits until a part of a new collection is there.
async fn in_the_middle(server: &Server) {
    let build = "select build from import_search where build is not null";
    wait_until!(
        server.rows(build).await.concat().concat().contains("A-"),
        "no part of the collection is there: {}",
        server.log()
    );
}

both!(an_import_does_not_wait_for_a_search_engine_that_is_away, |server| {
    let mut typesense = Typesense::stopped();
    server.restart_with_search(&typesense, &[]);
    let status = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert_eq!(status["status"], "completed");
    assert_eq!(status["sync"]["status"], "waiting");
    let job = status["jobId"].as_i64().unwrap();
    let mut sync;
    wait_until!(
        {
            sync = server.status(job).await.ok()["sync"].clone();
            sync["attempts"].as_u64() >= Some(2)
        },
        "no attempt is reported"
    );
    let error = sync["lastError"].as_str().unwrap();
    assert!(error.contains("does not answer"), "{error}");
    typesense.restart().await;
    let sync = server.synced(job).await["sync"].clone();
    assert_eq!((sync["attempts"].as_u64(), &sync["lastError"]), (Some(0), &Value::Null));
    assert_eq!(lines(&typesense).await, ["\"A\" \"Arnica\""]);
});

both!(a_search_engine_that_is_killed_in_the_middle_gets_everything, |server| {
    let mut typesense = Typesense::start().await;
    server.restart_with_search(&typesense, &[SLOW_BATCHES]);
    let job = server.import("products", Upload::csv(&products(RECORDS))).await;
    server.finished(job).await;
    in_the_middle(server).await;
    typesense.kill();
    // What the outbox holds meanwhile is passed on after it.
    let later = server.load("products", Upload::csv("SKU,Name\nA-1,Changed\nNew,New\n")).await;
    typesense.restart().await;
    let status = server.synced(job).await;
    assert_eq!(status["sync"]["upserted"], RECORDS, "{}", status["sync"]);
    server.synced(later["jobId"].as_i64().unwrap()).await;
    assert_eq!(typesense.count("products").await, RECORDS as u64 + 1);
    let changed = typesense.get("/collections/products/documents/A-1").await;
    assert_eq!(changed["name"], "Changed");
});

both!(a_server_that_is_killed_in_the_middle_goes_on, |server| {
    let typesense = Typesense::start().await;
    server.restart_with_search(&typesense, &[SLOW_BATCHES]);
    let job = server.import("products", Upload::csv(&products(RECORDS))).await;
    server.finished(job).await;
    in_the_middle(server).await;
    server.kill();
    // The lease of the killed process runs out by itself; here time is short.
    server.restart_with_search(&typesense, &[]);
    let free = "update import_search set lease_expires_at = null";
    server.database.execute(free).await;
    let status = server.synced(job).await;
    assert_eq!(status["sync"]["upserted"], RECORDS, "{}", status["sync"]);
    assert_eq!(typesense.count("products").await, RECORDS as u64);
    assert_eq!(typesense.collections().await.len(), 1);

    // In the middle of a change: it is sent, but not noted yet.
    let table = server.rows("select count(*) from products").await.concat().concat();
    server.restart_with_search(&typesense, &[("FAILPOINTS", "search.sent=1*pause")]);
    let job = server.import("products", Upload::csv("SKU,Name\nNew,New\n")).await;
    wait_until!(typesense.count("products").await.to_string() != table, "nothing is sent");
    server.kill();
    server.restart_with_search(&typesense, &[]);
    server.database.execute(free).await;
    let status = server.synced(job).await;
    assert_eq!(status["sync"]["upserted"], 1, "what is sent twice counts once");
    assert_eq!(typesense.count("products").await, RECORDS as u64 + 1);
});

both!(a_collection_that_somebody_removed_is_built_anew, |server| {
    let typesense = Typesense::start().await;
    server.restart_with_search(&typesense, &[]);
    server.load_and_sync("SKU,Name\nA,Arnica\n").await;
    let old = typesense.collections().await.concat();
    typesense.ask(reqwest::Method::DELETE, &format!("/collections/{old}"), None).await;
    server.load_and_sync("SKU,Name\nB,Bella\n").await;
    assert_eq!(lines(&typesense).await, ["\"A\" \"Arnica\"", "\"B\" \"Bella\""]);
});
