//! All rows of a file with their outcomes, as they stand in the table at the end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Kind, SLOW, Server, Upload, both};
use crate::survival::*;

/// The outcome of each row, by row number, and what the list is otherwise.
async fn outcomes(server: &Server, job: i64) -> Vec<(u64, String, String)> {
    let answer = server.get(&format!("/api/v1/import/jobs/{job}/rows.csv")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&answer.bytes[..]);
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|cell| cell == name).unwrap();
    let (row, outcome, error) = (place("_row"), place("_outcome"), place("_error"));
    let rows = reader.records().map(Result::unwrap);
    rows.map(|it| (it[row].parse().unwrap(), it[outcome].to_owned(), it[error].to_owned()))
        .collect()
}

/// Rows by outcome, as the counts of a job have them.
fn counted(rows: &[(u64, String, String)]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (_, outcome, _) in rows {
        *counts.entry(outcome.clone()).or_default() += 1;
    }
    counts
}

#[track_caller]
fn assert_counts(rows: &[(u64, String, String)], status: &Value) {
    let found = counted(rows);
    for (outcome, count) in status["counts"].as_object().unwrap() {
        let of_list = found.get(outcome).copied().unwrap_or(0);
        assert_eq!(json!(of_list), *count, "{outcome}: {found:?} {status}");
    }
    assert_eq!(json!(rows.len()), status["progress"]["total"], "{status}");
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "in the order of the file");
}

both!(every_row_is_listed_with_its_outcome, [("LOADBAY_WRITERS", "2")], |server| {
    server
        .load("products", Upload::csv("SKU,Name,MRP\nA,Arnica,1\nB,Bryonia,2\nC,China,3\n"))
        .await;
    let text = "SKU,Name,MRP\nA,Arnica,1\nB,Bryonia alba,2\nN,New,4\nC,first,9\n\nX,Bad,twelve\nC,China,3\n";
    let status = server.load("products", Upload::csv(text)).await;
    let job = status["jobId"].as_i64().unwrap();
    let rows = outcomes(server, job).await;
    let of: Vec<(u64, &str)> = rows.iter().map(|it| (it.0, it.1.as_str())).collect();
    let expected = [
        (2, "unchanged"),
        (3, "updated"),
        (4, "created"),
        (5, "superseded"),
        (7, "failed"),
        (8, "unchanged"),
    ];
    assert_eq!(of, expected);
    assert!(rows[4].2.contains("twelve"), "{rows:?}");
    assert!(rows.iter().all(|row| row.1 == "failed" || row.2.is_empty()), "{rows:?}");
    assert_counts(&rows, &status);
    let link = status["links"]["rowsXlsx"].as_str().unwrap();
    let workbook = server.get(link).await;
    assert_eq!(workbook.status, 200);
    let again = server.load("products", Upload::file("rows.xlsx", workbook.bytes)).await;
    assert_eq!(again["counts"]["failed"], 1, "the list comes in again: {again}");
    let dry = server
        .load("products", Upload::csv("SKU,Name\nQ,Quassia\nA,Arnica\n").option("dryRun", "true"))
        .await;
    let rows = outcomes(server, dry["jobId"].as_i64().unwrap()).await;
    assert_counts(&rows, &dry);
    // An update only takes rows that are there, an insert only others.
    for mode in ["update", "insert"] {
        let text = "SKU,Name\nA,Arnica\nB,Other\nZ,Zincum\n";
        let status = server.load("products", Upload::csv(text).option("mode", mode)).await;
        let rows = outcomes(server, status["jobId"].as_i64().unwrap()).await;
        assert_counts(&rows, &status);
    }
});

both!(chunks_of_one_outcome_and_of_several_are_listed_alike, |server| {
    let row = |n: u32, name: &str| format!("S{n},{name}\n");
    let first: String = (0..6_000).map(|n| row(n, "one")).collect();
    let status = server.load("products", Upload::csv(&format!("SKU,Name\n{first}"))).await;
    assert_counts(&outcomes(server, status["jobId"].as_i64().unwrap()).await, &status);
    let second: String =
        (0..9_000).map(|n| row(n, if n % 3 == 0 { "two" } else { "one" })).collect();
    let status = server.load("products", Upload::csv(&format!("SKU,Name\n{second}"))).await;
    let rows = outcomes(server, status["jobId"].as_i64().unwrap()).await;
    assert_counts(&rows, &status);
    for (row_number, outcome, _) in rows {
        let expected = match row_number - 2 {
            n if n >= 6_000 => "created",
            n if n % 3 == 0 => "updated",
            _ => "unchanged",
        };
        assert_eq!(outcome, expected, "row {row_number}");
    }
});

both!(
    outcomes_survive_kills_and_a_cancelled_job_has_rows_without_one,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "5"), ("LOADBAY_WRITERS", "2")],
    |server| {
        server.load("products", Upload::csv(&before())).await;
        let job = server.import("products", Upload::csv(&file())).await;
        let mut seen = 0;
        for rows in [1, 300] {
            seen = reaches(server, job, seen, rows).await;
            server.kill();
            server.restart();
        }
        let refused = server.get(&format!("/api/v1/import/jobs/{job}/rows.csv")).await;
        if refused.status != 200 {
            refused.assert_problem(409, "invalid_job_state");
        }
        server.cancel(job).await.ok();
        let status = server.finished(job).await;
        let rows = outcomes(server, job).await;
        assert_counts(&rows, &status);
        let left = counted(&rows).get("unprocessed").copied().unwrap_or(0);
        assert_eq!(json!(left), status["results"]["unprocessed"], "{status}");
        let child = server.retry(job, "unprocessed").await;
        let child = server.finished(child).await;
        let of_child = outcomes(server, child["jobId"].as_i64().unwrap()).await;
        assert_counts(&of_child, &child);
    }
);

#[tokio::test]
async fn a_job_without_rows_of_a_file_has_no_list() {
    let mut server = Server::start(Kind::Sqlite).await;
    let job = server.load("products", Upload::csv("SKU,Name\nA,A\n").option("undo", "true")).await;
    let answer = server.action(job["jobId"].as_i64().unwrap(), "rollback").await;
    let rollback = server.finished(answer.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!(rollback["links"]["rowsCsv"], Value::Null, "{rollback}");
    let path = format!("/api/v1/import/jobs/{}/rows.csv", rollback["jobId"]);
    server.get(&path).await.assert_problem(404, "not_found");
    server.get("/api/v1/import/jobs/999/rows.csv").await.assert_problem(404, "job_not_found");
    server.check_every_job().await;
}
