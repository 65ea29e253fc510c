//! A preview leaves nothing behind: no job, no file, no row.

use serde_json::json;

use super::seen;
use crate::support::{Upload, both};
use crate::upload::forms::{assert_left, assert_nothing_left};

const TEXT: &str = "SKU,Name,Category,Selling Price\nA-1,Arnica,Drops,3\nA-2,,Drops,x\n";

both!(a_preview_changes_nothing, |server| {
    let untouched = |query: &str| format!("select count(*) from {query}");
    for upload in [
        Upload::csv(TEXT),
        Upload::csv(TEXT).raw(),
        Upload::csv(TEXT).option("mode", "update").option("onError", "abort"),
        Upload::csv(TEXT).header("idempotency-key", "k1").header("prefer", "wait=5"),
        Upload::csv("nothing,known\n1,2\n"),
    ] {
        seen(server, upload).await;
        assert_nothing_left(server).await;
    }
    for table in ["products", "categories", "product_prices", "import_errors", "import_chunks"] {
        assert_eq!(server.database.number(&untouched(table)).await, 0, "{table}");
    }

    // What is there already stays as it is, and the same file is still new to an upload.
    let job = server.load("products", Upload::csv(TEXT).header("idempotency-key", "k1")).await;
    assert_eq!((&job["counts"]["created"], &job["counts"]["failed"]), (&json!(1), &json!(1)));
    let before = server.rows("select * from products").await;
    seen(server, Upload::csv("SKU,Name\nA-1,Another\n")).await;
    assert_eq!(server.rows("select * from products").await, before);
    assert_eq!(server.database.number("select count(*) from import_log").await, 1);
    assert_left(server, 1).await;
});
