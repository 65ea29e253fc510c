//! What the tables hold, and the way there: imports that can be taken back, and taking them back.

use serde_json::Value;

use crate::support::*;

/// An upload that can be taken back.
pub(crate) fn undoable(text: &str) -> Upload {
    Upload::csv(text).option("undo", "true")
}

/// Loads a file that can be taken back and gives the job's number.
pub(crate) async fn load(server: &Server, text: &str) -> i64 {
    let job = server.load("products", undoable(text)).await;
    assert_eq!(job["status"], "completed", "{job}");
    job["jobId"].as_i64().expect("a number")
}

/// Asks to take a job back and gives the number of the job that does it.
pub(crate) async fn ask(server: &Server, job: i64) -> i64 {
    let answer = server.action(job, "rollback").await;
    assert_eq!(answer.ok()["rollbackOf"], job, "{}", answer.text());
    let rollback = answer.data()["jobId"].as_i64().expect("a number");
    let location = format!("/api/v1/import/status/{rollback}");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    rollback
}

/// Takes a job back, waits for the end and gives the status.
pub(crate) async fn take_back(server: &Server, job: i64) -> Value {
    let rollback = ask(server, job).await;
    let status = server.finished(rollback).await;
    check_guarantees(server, rollback).await;
    status
}

/// Removed, updated, unchanged, failed.
#[track_caller]
pub(crate) fn assert_counts(status: &Value, expected: [u64; 4]) {
    let counts = &status["counts"];
    let found = ["removed", "updated", "unchanged", "failed"]
        .map(|name| counts[name].as_u64().unwrap_or(0));
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(found, expected, "{status}");
    assert_eq!((&counts["created"], &counts["superseded"]), (&0.into(), &0.into()), "{status}");
}

/// All of the products but their own times, in the order of their keys.
pub(crate) async fn products(server: &Server) -> Vec<Vec<String>> {
    let sql = "select id, sku, name, category_id, type, brand_id, potency_id, form_id, pack_size, \
               uom, cost_price, selling_price, mrp, tax_percent, hsn_code, manufacturer, \
               description, barcode, reorder_level, min_stock, max_stock, current_stock, \
               is_active, tags, created_at from products order by sku";
    server.rows(sql).await
}

/// The products with their times as well.
pub(crate) async fn products_with_times(server: &Server) -> Vec<Vec<String>> {
    server.rows("select * from products order by sku").await
}

/// The current records of both histories: key, values.
pub(crate) async fn current(server: &Server) -> Vec<Vec<String>> {
    let sql = "select p.sku, 'price', h.cost_price, h.selling_price, h.mrp from product_prices h \
               join products p on p.id = h.product_id where h.archived_at is null \
               union all select p.sku, 'stock', h.current_stock, null, null from product_stocks h \
               join products p on p.id = h.product_id where h.archived_at is null order by 1, 2";
    server.rows(sql).await
}

/// History records, of products that are there and of others.
pub(crate) async fn history_records(server: &Server) -> u64 {
    let sql =
        "select (select count(*) from product_prices) + (select count(*) from product_stocks)";
    server.database.number(sql).await
}

/// Code, row number and value of each row error of a job.
pub(crate) async fn errors(server: &Server, job: &Value) -> Vec<Vec<String>> {
    let sql = format!(
        "select code, row_number, value from import_errors where import_log_id = {} \
         order by row_number",
        job["jobId"]
    );
    server.rows(&sql).await
}
