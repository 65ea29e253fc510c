//! What is told of a job, from the snapshot to the end.

use serde_json::{Value, json};

use super::files::products;
use crate::support::{DeliveredEvent, Upload, both};

const BEFORE: &str = "SKU,Name,Selling Price\nA-1,Arnica,1\nA-2,Bella,2\n";

const FILE: &str = "SKU,Name,Category,Selling Price\n\
                    A-1,Arnica,,1\n\
                    A-2,Bella,,2.50\n\
                    A-3,Calendula,Globules,3\n\
                    ,Nameless,Drops,4\n\
                    A-5,Euphrasia,Tablets,5\n\
                    A-5,Euphrasia 30,Tablets,6\n";

/// Type, level, row and message of an event: `log success 4 Row 4: …`.
fn line(heard: &DeliveredEvent) -> String {
    let parts = [&heard.data["type"], &heard.data["level"], &heard.data["row_number"]];
    let part = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    format!("{} {}", parts.map(part).join(" "), heard.message())
}

fn percentages(told: &[DeliveredEvent]) -> Vec<f64> {
    told.iter().filter_map(|heard| heard.data["percentage"].as_f64()).collect()
}

both!(a_small_file_is_told_row_by_row, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = server.load("products", Upload::csv(FILE)).await["jobId"].as_i64().unwrap();
    let told = server.all_events(job, "").await;
    let lines: Vec<String> = told.iter().map(line).collect();
    let size = FILE.len();
    assert_eq!(
        lines,
        [
            "snapshot - - Import completed: 6 rows".to_owned(),
            format!("log info - File received: products.csv ({size} bytes)"),
            "log info - Read as CSV: delimiter `,`, encoding utf-8, header in row 1, 4 of 4 \
             columns used"
                .to_owned(),
            "log info - Import started".to_owned(),
            "log info - Parsing file: looking through all rows".to_owned(),
            "log success - Found 6 rows to import".to_owned(),
            "log info 2 Row 2: Unchanged 'Arnica' (SKU: A-1)".to_owned(),
            "log info 3 Row 3: Updated 'Bella' (SKU: A-2)".to_owned(),
            "master - 4 Created category: Globules".to_owned(),
            "log success 4 Row 4: Created 'Calendula' (SKU: A-3)".to_owned(),
            "error - 5 Row 5: SKU is required".to_owned(),
            "log warning 6 Row 6: Overtaken by row 7 with the same key".to_owned(),
            "master - 7 Created category: Tablets".to_owned(),
            "log success 7 Row 7: Created 'Euphrasia 30' (SKU: A-5)".to_owned(),
            "progress - - Rows 2 to 7 are in the table".to_owned(),
            "log info - All rows have their outcome; checking that the counts add up".to_owned(),
            "log warning - 1 row failed: 1 × required in sku (first in row 5)".to_owned(),
            "complete - - Import completed: 2 created, 1 updated, 1 unchanged, 1 superseded, \
             1 failed"
                .to_owned(),
        ]
    );
    let numbers: Vec<u64> = told.iter().filter_map(|heard| heard.id).collect();
    assert_eq!(numbers, (1..told.len() as u64).collect::<Vec<_>>(), "only the snapshot has none");
    let expected =
        [100.0, 5.0, 5.0, 5.0, 10.0, 15.0, 27.5, 40.0, 52.5, 77.5, 90.0, 90.0, 90.0, 100.0, 100.0];
    assert_eq!(percentages(&told), expected);
});

both!(the_last_event_has_the_figures, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let status = server.load("products", Upload::csv(FILE)).await;
    let told = server.all_events(status["jobId"].as_i64().unwrap(), "").await;
    let snapshot = &told[0].data;
    assert_eq!(snapshot["job"], status);
    for (member, value) in [("progress", 100), ("percentage", 100), ("current", 6), ("total", 6)] {
        let is_same = snapshot[member].as_f64().unwrap().total_cmp(&f64::from(value)).is_eq();
        assert!(is_same, "{member}: {}", snapshot[member]);
    }
    let complete = &told.last().unwrap().data;
    assert_eq!(complete["status"], "completed");
    let mut data = complete["data"].clone();
    let took = data.as_object_mut().unwrap().remove("process_time").unwrap();
    assert!(took.as_str().unwrap().ends_with('s'), "{took}");
    assert_eq!(
        data,
        json!({
            "total_rows": 6, "inserted": 2, "updated": 3, "skipped": 1,
            "errors": ["Row 5: SKU is required"], "success_rate": 83.3,
            "counts": {"created": 2, "updated": 1, "unchanged": 1, "superseded": 1, "failed": 1}
        })
    );
    for heard in &told {
        let time = heard.data["timestamp"].as_str().unwrap();
        assert!(time.ends_with('Z') && time.len() == 24, "{time}");
        let mut members: Vec<&str> =
            heard.data.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let expected: &[&str] = match heard.kind() {
            "snapshot" => &[
                "current",
                "job",
                "message",
                "percentage",
                "progress",
                "timestamp",
                "total",
                "type",
            ],
            "progress" => {
                &["current", "message", "percentage", "progress", "timestamp", "total", "type"]
            }
            "log" if heard.data["row_number"].is_null() => {
                &["level", "message", "percentage", "timestamp", "type"]
            }
            "log" => &["level", "message", "percentage", "row_number", "timestamp", "type"],
            "complete" => &["data", "message", "percentage", "status", "timestamp", "type"],
            _ => &["message", "row_number", "timestamp", "type"],
        };
        assert_eq!(members, expected, "{}", heard.data);
    }
});

both!(percentages_never_go_back_while_a_job_runs, [("LOADBAY_CHUNK_ROWS", "20")], |server| {
    let job = server.import("products", Upload::csv(&products("P", 1_000))).await;
    let mut listener = server.events(job, "?rows=all").await;
    let first = listener.next().await.unwrap();
    assert_eq!((first.kind(), first.id), ("snapshot", None));
    assert_eq!(listener.retry(), Some(3_000));
    let told = listener.rest().await;
    let percentages = percentages(&told);
    assert!(percentages.is_sorted(), "{percentages:?}");
    assert_eq!([&percentages[..1], &percentages[percentages.len() - 1..]].concat(), [5.0, 100.0]);
    let numbers: Vec<u64> = told.iter().map(|heard| heard.id.unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let rows =
        told.iter().filter(|heard| heard.kind() == "log" && !heard.data["row_number"].is_null());
    assert_eq!(rows.count(), 1_000);
    assert_eq!(told.last().unwrap().kind(), "complete");
    server.finished(job).await;
});

both!(a_failed_job_says_why_and_then_ends, |server| {
    let text = format!("{}Z,\"never closed,1\n", products("F", 12_000));
    let job = server.load("products", Upload::csv(&text)).await;
    assert_eq!(job["status"], "failed");
    let told = server.all_events(job["jobId"].as_i64().unwrap(), "").await;
    let [.., why, end] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((why.kind(), &why.data["message"]), ("error", &job["error"]));
    assert_eq!(why.data["row_number"], Value::Null);
    assert_eq!((end.kind(), &end.data["status"]), ("complete", &json!("failed")));
    assert!(end.data["percentage"].as_f64().unwrap() < 100.0, "{}", end.data);
});
