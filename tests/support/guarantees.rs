//! The guarantees that every test ends with: each row of a job in exactly one count, the API and
//! the tables of one mind, every chunk committed once, every failed row listed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::server::Server;
use super::told::check_told;

/// The columns of `import_log` and the members of the status that must agree.
const COUNTS: [(&str, &str); 6] = [
    ("created_count", "created"),
    ("updated_count", "updated"),
    ("unchanged_count", "unchanged"),
    ("superseded_count", "superseded"),
    ("removed_count", "removed"),
    ("error_count", "failed"),
];

/// Row errors that the table keeps for one job, unless the test's settings say otherwise.
const STORED_ERRORS: u64 = 10_000;

/// Checks what must be true of every finished job, whatever happened to it on the way.
pub(crate) async fn check_guarantees(server: &Server, job: i64) {
    // A server may hear of a job's end a moment after the table knows it.
    let status = server.finished(job).await;
    let word = status["status"].as_str().unwrap_or_default();
    assert!(
        matches!(word, "completed" | "failed" | "cancelled"),
        "job {job} is left unfinished: {status}"
    );
    let counts = COUNTS.map(|(_, member)| count(&status["counts"], member));
    // What an import removes is no row of its file.
    let is_import = status["rollbackOf"].is_null();
    let removed = if is_import { count(&status["counts"], "removed") } else { 0 };
    let processed = counts.iter().sum::<u64>() - removed;
    let failed = count(&status["counts"], "failed");

    check_total(&status, word, processed);
    check_log(server, job, word, counts, processed).await;
    check_chunks(server, job, counts).await;
    check_errors(server, job, failed).await;
    check_told(server, job).await;
}

#[track_caller]
fn count(counts: &Value, member: &str) -> u64 {
    // Only jobs that take others back and mirrors remove rows, and only those show it.
    if member == "removed" && counts[member].is_null() {
        return 0;
    }
    counts[member].as_u64().unwrap_or_else(|| panic!("`{member}` is no count in {counts}"))
}

/// The counts add up to the rows read; a job that ended early may have rows left.
#[track_caller]
fn check_total(status: &Value, word: &str, processed: u64) {
    let progress = &status["progress"];
    assert_eq!(count(progress, "current"), processed, "{status}");
    match progress["total"].as_u64() {
        Some(total) if word == "completed" => assert_eq!(processed, total, "{status}"),
        Some(total) => assert!(processed <= total, "{status}"),
        None => assert_ne!(word, "completed", "a completed job knows its rows: {status}"),
    }
    if word == "completed" {
        let results = &status["results"];
        let failed = count(&status["counts"], "failed");
        assert_eq!(count(results, "totalRows"), processed, "{status}");
        assert_eq!(count(results, "errorCount"), failed, "{status}");
        assert_eq!(count(results, "successCount"), processed - failed, "{status}");
        assert_eq!(status["error"], Value::Null, "{status}");
    }
    if word == "failed" {
        assert!(status["error"].as_str().is_some_and(|text| !text.is_empty()), "{status}");
        assert!(status["errorCode"].as_str().is_some_and(|text| !text.is_empty()), "{status}");
    }
}

/// `import_log` says the same as the API.
async fn check_log(server: &Server, job: i64, word: &str, counts: [u64; 6], processed: u64) {
    let columns = COUNTS.map(|(column, _)| column).join(", ");
    let sql = format!(
        "select import_status, processed_rows, success_count, {columns} \
         from import_log where id = {job}"
    );
    let failed = counts.last().copied().unwrap_or_default();
    let mut expected =
        vec![word.to_uppercase(), processed.to_string(), (processed - failed).to_string()];
    expected.extend(counts.map(|count| count.to_string()));
    assert_eq!(server.rows(&sql).await, [expected], "import_log of job {job}");
    let ended =
        format!("select count(*) from import_log where id = {job} and completed_at is null");
    assert_eq!(server.database.number(&ended).await, 0, "job {job} has no completed_at");
}

/// The chunks are there once each, do not overlap within their lane, and add up to the counts.
async fn check_chunks(server: &Server, job: i64, counts: [u64; 6]) {
    let sql = format!(
        "select number, lane, first_row, last_row, created_count, updated_count, \
         unchanged_count, superseded_count, removed_count, failed_count \
         from import_chunks where import_log_id = {job} order by lane, first_row"
    );
    let (mut numbers, mut sums) = (BTreeSet::new(), [0_u64; 6]);
    let mut before: Option<(u64, u64)> = None;
    for row in server.rows(&sql).await {
        let values: Vec<u64> =
            row.iter().map(|text| text.parse().expect("chunks hold numbers")).collect();
        let [number, lane, first_row, last_row, outcome @ ..] = values.as_slice() else {
            panic!("a chunk without its columns: {row:?}")
        };
        assert!(numbers.insert(*number), "chunk {number} of job {job} was committed twice");
        assert!(first_row <= last_row, "chunk {number} of job {job} ends before it begins");
        if let Some((lane_before, last_before)) = before {
            assert!(
                lane_before != *lane || last_before < *first_row,
                "chunk {number} of job {job} begins inside the one before it"
            );
        }
        before = Some((*lane, *last_row));
        for (sum, value) in sums.iter_mut().zip(outcome) {
            *sum += value;
        }
    }
    assert_eq!(sums, counts, "the chunks of job {job} do not add up to its counts");
}

/// Every failed row is listed: in the table up to its limit, in the file all of them.
async fn check_errors(server: &Server, job: i64, failed: u64) {
    let listed = server
        .database
        .number(&format!("select count(*) from import_errors where import_log_id = {job}"))
        .await;
    let rows = server
        .database
        .number(&format!(
            "select count(distinct row_number) from import_errors where import_log_id = {job}"
        ))
        .await;
    assert!(rows <= failed, "job {job} lists {rows} failed rows and counts {failed}");
    if listed < STORED_ERRORS && !server.has_setting("LOADBAY_MAX_STORED_ERRORS") {
        assert_eq!(rows, failed, "job {job} does not list each of its failed rows");
    }
    if failed > 0 {
        let file = server.errors_file(job, "csv").await;
        assert_eq!(file.status, 200, "{}", file.text());
        let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(&*file.bytes);
        let in_file = records.records().flatten().count();
        assert_eq!(in_file as u64, failed, "errors.csv of job {job} has other rows");
    }
}
