//! `atomic=true`: all rows of a file, or none.

use serde_json::json;

use crate::support::*;

fn atomic(text: &str) -> Upload {
    Upload::csv(text).option("atomic", "true")
}

fn file(rows: u32) -> String {
    let row = |row: u32| format!("S{row:04},Name {row},Brand {},{row}\n", row % 7);
    format!("SKU,Name,Brand,Cost Price\n{}", (0..rows).map(row).collect::<String>())
}

both!(a_failed_row_undoes_all, [("LOADBAY_CHUNK_ROWS", "10")], |server| {
    server.load("products", Upload::csv("SKU,Name,Cost Price\nS0001,Old,9\n")).await;
    let text = format!("{}S0003,Again,,1\nBAD,Bad,New,much\n,No key,,\n", file(35));
    let job = server.load("products", atomic(&text)).await;
    assert_eq!((&job["status"], &job["errorCode"]), (&json!("failed"), &json!("atomic_failed")));
    assert_eq!(job["counts"]["failed"], 2, "{job}");
    assert_eq!((&job["progress"]["current"], &job["progress"]["total"]), (&json!(2), &json!(38)));
    assert_eq!(server.rows("select sku, name from products").await, [["S0001", "Old"]]);
    assert_eq!(server.database.number("select count(*) from brands").await, 0);
    assert_eq!(server.database.number("select count(*) from import_superseded").await, 0);
    let retry = format!("/api/v1/import/jobs/{}/retry", job["jobId"]);
    let request = server.request(reqwest::Method::POST, &retry).body(r#"{"rows":"unprocessed"}"#);
    let retry = server.finished(server.send(request).await.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!(retry["errorCode"], "atomic_failed", "all of its rows are taken again: {retry}");
    assert_eq!(retry["progress"]["total"], 38, "{retry}");

    let whole = server.load("products", atomic(&file(35))).await;
    assert_eq!(whole["counts"]["created"], 34, "{whole}");
    assert_eq!(whole["counts"]["updated"], 1, "{whole}");
    let chunks = "select count(*) from import_chunks where import_log_id = ";
    let of_whole = format!("{chunks}{}", whole["jobId"]);
    assert_eq!(server.database.number(&of_whole).await, 1, "one transaction");
    let dry_run = server.load("products", atomic(&text).option("dryRun", "true")).await;
    assert_eq!(dry_run["errorCode"], "atomic_failed", "{dry_run}");
});

both!(what_is_too_large_is_refused_before_its_first_row, |server| {
    let job = server.load("products", atomic(&file(50_001))).await;
    assert_eq!((&job["status"], &job["errorCode"]), (&json!("failed"), &json!("atomic_too_large")));
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    let upload = atomic("SKU,Name\nA,A\n").option("mode", "mirror");
    server.upload("products", upload).await.assert_problem(400, "invalid_option");
});
