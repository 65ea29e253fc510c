//! `atomic=true`: all rows of a file, or none.

use serde_json::{Value, json};

use crate::support::*;

fn atomic(text: &str) -> Upload {
    Upload::csv(text).option("atomic", "true")
}

fn file(rows: u32) -> String {
    let row = |row: u32| format!("S{row:05},Name {row},Brand {},{row}\n", row % 7);
    format!("SKU,Name,Brand,Cost Price\n{}", (0..rows).map(row).collect::<String>())
}

const CHUNKS: (&str, &str) = ("LOADBAY_CHUNK_ROWS", "10");

/// A moment behind each chunk, for so long.
const PAUSES: (&str, &str) = ("FAILPOINTS", "whole_file.rows=sleep(20)");

both!(a_failed_row_undoes_all, [CHUNKS], |server| {
    server.load("products", Upload::csv("SKU,Name,Cost Price\nS00001,Old,9\n")).await;
    let text = format!("{}S00003,Again,,1\nBAD,Bad,New,much\n,No key,,\n", file(35));
    let job = server.load("products", atomic(&text)).await;
    assert_eq!((&job["status"], &job["errorCode"]), (&json!("failed"), &json!("atomic_failed")));
    assert_eq!(job["counts"]["failed"], 2, "{job}");
    assert_eq!((&job["progress"]["current"], &job["progress"]["total"]), (&json!(2), &json!(38)));
    assert_eq!(server.rows("select sku, name from products").await, [["S00001", "Old"]]);
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
    let chunks = |what: &str| {
        format!("select {what} from import_chunks where import_log_id = {}", whole["jobId"])
    };
    assert_eq!(server.database.number(&chunks("count(*)")).await, 4);
    let times = chunks("count(distinct committed_at)");
    assert_eq!(server.database.number(&times).await, 1, "one transaction");
    let dry_run = server.load("products", atomic(&text).option("dryRun", "true")).await;
    assert_eq!(dry_run["errorCode"], "atomic_failed", "{dry_run}");
    assert_eq!(dry_run["counts"]["failed"], 2, "{dry_run}");
});

both!(rows_that_fail_in_several_chunks_are_all_listed, [CHUNKS], |server| {
    // Two chunks have rows that the dataset refuses, one has a row that only the database refuses.
    let rule = match server.database.kind() {
        Kind::Sqlite => "create trigger no_bad before insert on products when new.name = 'Bad' \
                         begin select raise(abort, 'no bad ones'); end"
            .to_owned(),
        Kind::Postgres => "alter table products add check (name <> 'Bad')".to_owned(),
    };
    server.database.execute(&rule).await;
    let mut lines: Vec<String> = file(45).lines().map(str::to_owned).collect();
    "S00007,Name 7,,much".clone_into(&mut lines[8]);
    "S00023,Bad,Brand 1,1".clone_into(&mut lines[24]);
    "S00024,Bad,Brand 1,1".clone_into(&mut lines[25]);
    "S00037,,,1".clone_into(&mut lines[38]);
    let text = lines.join("\n");
    let job = server.load("products", atomic(&text)).await;
    assert_eq!(job["errorCode"], "atomic_failed", "{job}");
    assert_eq!(job["counts"]["failed"], 4, "{job}");
    let errors = "select row_number from import_errors order by row_number";
    assert_eq!(server.rows(errors).await, [["9"], ["25"], ["26"], ["39"]]);
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    let path = format!("/api/v1/import/jobs/{}/errors.csv", job["jobId"]);
    let csv = server.get(&path).await.text().to_string();
    assert!(csv.contains("S00024") && csv.contains("S00037"), "{csv}");
    // With a bound the job ends at the chunk that goes beyond it.
    let early = server.load("products", atomic(&text).option("onError", "abort")).await;
    assert_eq!(
        (&early["errorCode"], &early["counts"]["failed"]),
        (&json!("aborted_on_error"), &json!(1))
    );
    assert_eq!(server.database.number("select count(*) from products").await, 0);
});

const LARGE_CHUNKS: (&str, &str) = ("LOADBAY_CHUNK_ROWS", "2000");

both!(a_large_file_is_one_transaction_and_can_be_rolled_back, [LARGE_CHUNKS], |server| {
    let rows = 12_001;
    let job = server.load("products", atomic(&file(rows)).option("undo", "true")).await;
    assert_eq!((&job["status"], &job["counts"]["created"]), (&json!("completed"), &json!(rows)));
    let times = "select count(distinct committed_at) from import_chunks";
    assert_eq!(server.database.number(times).await, 1);
    let upload = atomic("SKU,Name\nA,A\n").option("mode", "mirror");
    server.upload("products", upload).await.assert_problem(400, "invalid_option");
    let rollback = server.action(job["jobId"].as_i64().unwrap(), "rollback").await;
    let rollback = server.finished(rollback.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!(rollback["counts"]["removed"], rows, "{rollback}");
    assert_eq!(server.database.number("select count(*) from products").await, 0);
});

/// Waits until some chunks of the job are written, and looks that nobody sees them.
async fn in_the_middle(server: &Server, job: i64) {
    let staged = |status: &Value| status["progress"]["staged"].as_u64().unwrap_or(0);
    wait_until!(staged(server.status(job).await.ok()) >= 30, "{}", server.status(job).await.text());
    let status = server.status(job).await.ok().clone();
    assert_eq!(
        (&status["status"], &status["progress"]["current"]),
        (&json!("processing"), &json!(0))
    );
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    assert_eq!(server.database.number("select count(*) from brands").await, 0);
}

both!(a_file_that_is_killed_in_the_middle_begins_again, [CHUNKS, PAUSES], |server| {
    let rows = 1_000;
    let job = server.import("products", atomic(&file(rows))).await;
    in_the_middle(server, job).await;
    server.kill();
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    server.restart_with(&[CHUNKS]);
    let status = server.finished(job).await;
    assert_eq!(
        (&status["status"], &status["counts"]["created"]),
        (&json!("completed"), &json!(rows))
    );
    assert_eq!(status["progress"].get("staged"), None, "{status}");
});

both!(a_file_that_is_cancelled_in_the_middle_has_written_nothing, [CHUNKS, PAUSES], |server| {
    let job = server.import("products", atomic(&file(2_000))).await;
    in_the_middle(server, job).await;
    server.action(job, "cancel").await.ok();
    let status = server.finished(job).await;
    assert_eq!((&status["status"], &status["counts"]["created"]), (&json!("cancelled"), &json!(0)));
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    let next = server.load("products", atomic(&file(20))).await;
    assert_eq!(next["counts"]["created"], 20, "the turn to write is free: {next}");
});

both!(a_file_that_is_paused_in_the_middle_begins_again, [CHUNKS, PAUSES], |server| {
    let rows = 1_000;
    let job = server.import("products", atomic(&file(rows))).await;
    in_the_middle(server, job).await;
    server.action(job, "pause").await.ok();
    wait_until!(
        server.status(job).await.ok()["status"] == "paused",
        "{}",
        server.status(job).await.text()
    );
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    server.action(job, "resume").await.ok();
    let status = server.finished(job).await;
    assert_eq!(
        (&status["status"], &status["counts"]["created"]),
        (&json!("completed"), &json!(rows))
    );
});

both!(
    a_lease_that_is_shorter_than_the_transaction_is_kept,
    [CHUNKS, PAUSES, ("LOADBAY_LEASE", "2s")],
    |server| {
        // Two hundred pauses are twice the lease.
        let job = server.load("products", atomic(&file(2_000))).await;
        assert_eq!(
            (&job["status"], &job["counts"]["created"]),
            (&json!("completed"), &json!(2_000))
        );
    }
);
