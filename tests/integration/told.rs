//! What a job tells of its rows, as it is stored: the right kind for each row, references with the
//! row that first names them, bounds that are kept.

use crate::support::*;
use serde_json::{Value, json};

const BEFORE: &str = "SKU,Name,Category,Selling Price\nA-1,Arnica,Drops,1\nA-2,Bella,Drops,2\n";

const AFTER: &str = "SKU,Name,Category,Selling Price\n\
                     A-1,Arnica,Drops,1\n\
                     A-2,Bella,Drops,2.50\n\
                     A-3,Calendula,Globules,3\n\
                     ,Nameless,Drops,4\n\
                     A-5,Euphrasia,Tablets,5\n\
                     A-6,Ferrum,Tablets,abc\n\
                     A-5,Euphrasia 30,Tablets,6\n";

/// The notes about rows of a job, in the order of their numbers.
async fn notes(server: &Server, job: &Value) -> Vec<Value> {
    let told = told(server, job["jobId"].as_i64().unwrap()).await;
    let of_rows = told.iter().filter(|it| it.event["type"] == "rows");
    of_rows.flat_map(|it| it.event["notes"].as_array().unwrap().clone()).collect()
}

fn expected() -> Vec<Value> {
    vec![
        json!([2, "=", "A-1", "SKU", "Arnica"]),
        json!([3, "u", "A-2", "SKU", "Bella"]),
        json!([4, "m", "category", "Globules", "categories"]),
        json!([4, "c", "A-3", "SKU", "Calendula"]),
        json!([5, "e", "SKU is required", "required", "sku", null]),
        json!([6, "s", "8"]),
        json!([
            7,
            "e",
            "selling_price: `abc` is not a number; write it like 12.50",
            "not_a_number",
            "selling_price",
            "abc"
        ]),
        json!([8, "m", "category", "Tablets", "categories"]),
        json!([8, "c", "A-5", "SKU", "Euphrasia 30"]),
    ]
}

both!(every_row_of_a_small_file_is_told_in_the_order_of_the_file, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = server.load("products", Upload::csv(AFTER)).await;
    assert_eq!(notes(server, &job).await, expected());
});

both!(who_wants_no_rows_is_told_of_references_and_faults_all_the_same, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = server.load("products", Upload::csv(AFTER).option("rows", "none")).await;
    let mut wanted = expected();
    wanted.retain(|note| !["c", "u", "="].contains(&note[1].as_str().unwrap()));
    assert_eq!(notes(server, &job).await, wanted);
});

both!(modes_and_refused_rows_are_told_right, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = server.load("products", Upload::csv(AFTER).option("mode", "insert")).await;
    let told = notes(server, &job).await;
    assert!(told[0][2].as_str().unwrap().contains("mode=insert"), "{told:?}");
    assert_eq!(told[3], json!([4, "c", "A-3", "SKU", "Calendula"]));
    let text = "SKU,Name\nA-1,Arnica\nA-2,Bella Donna\nA-9,Nobody\n";
    let job = server.load("products", Upload::csv(text).option("mode", "update")).await;
    let told = notes(server, &job).await;
    assert_eq!(told[0], json!([2, "=", "A-1", "SKU", "Arnica"]));
    assert_eq!(told[1], json!([3, "u", "A-2", "SKU", "Bella Donna"]));
    assert!(told[2][2].as_str().unwrap().contains("mode=update"), "{told:?}");
});

both!(rows_beside_one_that_the_database_refuses_are_told_right, |server| {
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger no_bad before insert on products when new.name = 'Bad' \
             begin select raise(abort, 'no'); end"
        }
        Kind::Postgres => "alter table products add constraint no_bad check (name <> 'Bad')",
    };
    server.load("products", Upload::csv(BEFORE)).await;
    server.database.execute(sql).await;
    let text = "SKU,Name\nA-1,Arnica 2\nB-1,Bad\nB-2,Good\nA-2,Bella\n";
    let job = server.load("products", Upload::csv(text)).await;
    let told = notes(server, &job).await;
    assert_eq!(told[0], json!([2, "u", "A-1", "SKU", "Arnica 2"]));
    assert_eq!(told[1][1], "e", "{told:?}");
    assert_eq!(told[2], json!([4, "c", "B-2", "SKU", "Good"]));
    assert_eq!(told[3], json!([5, "=", "A-2", "SKU", "Bella"]));
});

/// A file of `rows` rows, every tenth without a name.
fn file(rows: u32) -> String {
    let mut text = "SKU,Name,Category\n".to_owned();
    for row in 0..rows {
        let name = if row % 10 == 3 { "" } else { "Name" };
        text.push_str(&format!("S{row:06},{name},C{}\n", row % 50));
    }
    text
}

both!(two_writers_number_their_events_as_one, [("LOADBAY_CHUNK_ROWS", "50")], |server| {
    let job = server.load("products", Upload::csv(&file(4_000)).option("rows", "all")).await;
    let notes = notes(server, &job).await;
    let of = |kind: &str| notes.iter().filter(|note| note[1] == kind).count();
    assert_eq!((of("c"), of("e"), of("m")), (3_600, 400, 45));
    let mut rows: Vec<u64> =
        notes.iter().filter(|note| note[1] != "m").map(|note| note[0].as_u64().unwrap()).collect();
    rows.sort_unstable();
    assert_eq!(rows, (2..4_002).collect::<Vec<_>>());
});

both!(
    a_large_job_tells_no_more_than_its_bound_and_says_so,
    [("LOADBAY_MAX_STORED_ERRORS", "20"), ("LOADBAY_CHUNK_ROWS", "100")],
    |server| {
        let upload = Upload::csv(&file(2_000)).option("rows", "none");
        let job = server.load("products", upload).await;
        let notes = notes(server, &job).await;
        let of = |kind: &str| notes.iter().filter(|note| note[1] == kind).count();
        assert_eq!((of("e"), of("m"), of("…")), (20, 20, 1), "{notes:?}");
        let groups = server
            .rows(
                "select code, column_name, error_count, first_row \
                                  from import_error_groups",
            )
            .await;
        assert_eq!(groups, [["required", "name", "200", "5"]]);
    }
);

both!(
    events_are_pruned_and_the_end_stays,
    [("LOADBAY_MAX_EVENTS", "150"), ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        let upload = Upload::csv(&file(600)).option("rows", "all");
        let job = server.load("products", upload).await["jobId"].as_i64().unwrap();
        let sql = format!(
            "select sum(number - first_number + 1) from import_events where import_log_id = {job}"
        );
        // Those who listen are given time; the restart does what is left.
        server.terminate();
        server.restart();
        wait_until!(server.database.number(&sql).await <= 150, "the events are not pruned");
        let told = told(server, job).await;
        let summary = told.iter().find(|it| {
            it.event["message"].as_str().is_some_and(|text| text.contains("60 rows failed"))
        });
        assert!(summary.is_some(), "the summary of the errors is gone");
        let stored: Vec<&Value> = told.iter().map(|it| &it.event).collect();
        let progress = stored.iter().filter(|it| it["type"] == "progress").count();
        assert_eq!(progress, 15, "the newest progress stays");
        let rows: Vec<u64> = stored
            .iter()
            .flat_map(|it| it["notes"].as_array().into_iter().flatten())
            .filter_map(|note| note[0].as_u64())
            .collect();
        assert!(rows.contains(&601) && !rows.contains(&2), "the oldest rows go first: {rows:?}");
        assert_eq!(told.last().unwrap().event["type"], "complete");
    }
);
