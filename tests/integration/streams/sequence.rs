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
            "log info - Parsing file: scanning all rows".to_owned(),
            "log success - Found 6 rows to import".to_owned(),
            "log info 2 Row 2: Unchanged 'Arnica' (SKU: A-1)".to_owned(),
            "log info 3 Row 3: Updated 'Bella' (SKU: A-2)".to_owned(),
            "master - 4 Created category: Globules".to_owned(),
            "log success 4 Row 4: Created 'Calendula' (SKU: A-3)".to_owned(),
            "error - 5 Row 5: SKU is required".to_owned(),
            "log warning 6 Row 6: Superseded by row 7 with the same key".to_owned(),
            "master - 7 Created category: Tablets".to_owned(),
            "log success 7 Row 7: Created 'Euphrasia 30' (SKU: A-5)".to_owned(),
            "progress - - 6 of 6 rows written".to_owned(),
            "log info - All rows processed; checking the counts".to_owned(),
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
        members.retain(|name| *name != "type" && *name != "message" && *name != "timestamp");
        members.sort_unstable();
        assert_eq!(members.join(" "), members_of(heard), "{}", heard.data);
    }
});

/// The members that an event has beside its type, message and timestamp.
fn members_of(heard: &DeliveredEvent) -> &'static str {
    let name = ["step", "outcome"].iter().find_map(|name| heard.data[*name].as_str());
    match (heard.kind(), name.unwrap_or_default()) {
        ("snapshot", _) => "current job percentage progress total",
        ("progress", _) => "current first_row last_row percentage progress total",
        ("complete", _) => "data percentage status",
        ("log", "received") => "file_name file_size level percentage step",
        ("log", "detected") => {
            "decimal delimiter encoding format header_row level percentage step total_columns \
             used_columns"
        }
        ("log", "started" | "parsing" | "rows_done") => "level percentage step",
        ("log", "counted") => "level percentage step total",
        ("log", "row_errors") => "groups level others percentage rows step",
        ("log", "superseded") => "level outcome percentage row_number superseded_by",
        ("log", "created" | "updated" | "unchanged") => {
            "level outcome percentage record row_number"
        }
        ("master", _) => "reference row_number",
        ("error", "failed") => "code column outcome row_number",
        other => panic!("{other:?} is not expected: {}", heard.data),
    }
}

both!(what_an_event_says_stands_in_its_members, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = server.load("products", Upload::csv(FILE)).await["jobId"].as_i64().unwrap();
    let told = server.all_events(job, "").await;
    let with = |member: &str, value: Value| {
        let found = told.iter().find(|heard| heard.data[member] == value);
        found.unwrap_or_else(|| panic!("no event has {member} {value}")).data.clone()
    };
    let received = with("step", "received".into());
    assert_eq!(
        (&received["file_name"], &received["file_size"]),
        (&"products.csv".into(), &FILE.len().into())
    );
    let detected = with("step", "detected".into());
    assert_eq!((&detected["delimiter"], &detected["used_columns"]), (&",".into(), &4.into()));
    assert_eq!(with("step", "counted".into())["total"], 6);
    let record = json!({"key": "A-3", "key_title": "SKU", "name": "Calendula"});
    assert_eq!(with("row_number", 4.into())["reference"]["table"], "categories");
    assert_eq!(with("record", record)["outcome"], "created");
    assert_eq!(with("outcome", "superseded".into())["superseded_by"], 7);
    let failed = with("outcome", "failed".into());
    assert_eq!((&failed["code"], &failed["column"]), (&"required".into(), &"sku".into()));
    let summary = with("step", "row_errors".into());
    let groups = json!([{"code": "required", "column": "sku", "count": 1, "first_row": 5}]);
    assert_eq!((&summary["rows"], &summary["groups"]), (&1.into(), &groups));
    let progress = with("type", "progress".into());
    assert_eq!((&progress["first_row"], &progress["last_row"]), (&2.into(), &7.into()));
});

both!(a_job_that_is_controlled_says_so_in_steps, [("LOADBAY_CHUNK_ROWS", "20")], |server| {
    let job = server.import("products", Upload::csv(&products("S", 20_000))).await;
    server.until(job, |job| job["status"] == "processing").await;
    server.action(job, "pause").await.ok();
    server.action(job, "resume").await.ok();
    server.cancel(job).await.ok();
    let told = server.all_events(job, "").await;
    let steps: Vec<&str> = told.iter().filter_map(|heard| heard.data["step"].as_str()).collect();
    let at = |step: &str| steps.iter().position(|it| *it == step);
    assert!(at("paused").is_some() && at("paused") < at("resumed"), "{steps:?}");
    assert_eq!(told.last().unwrap().data["status"], "cancelled");
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
    let text = products("F", 12_000).replacen("F-000009,Product 9,", "F-000009,,", 1);
    let job = server.load("products", Upload::csv(&text).option("onError", "abort")).await;
    assert_eq!(job["status"], "failed");
    let told = server.all_events(job["jobId"].as_i64().unwrap(), "").await;
    let why = told.iter().rfind(|event| event.kind() == "error").unwrap();
    assert_eq!((&why.data["message"], &why.data["row_number"]), (&job["error"], &Value::Null));
    let end = told.last().unwrap();
    assert_eq!((end.kind(), &end.data["status"]), ("complete", &json!("failed")));
    assert!(end.data["percentage"].as_f64().unwrap() < 100.0, "{}", end.data);
});
