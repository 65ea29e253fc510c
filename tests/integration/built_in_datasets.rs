//! The built-in datasets beside products: dealers, whose uploads are answered with their results, and
//! transactions, whose key is two columns.

use serde_json::json;

use crate::support::*;

const DEALERS: &str = include_str!("../../samples/dealers.csv");
const TRANSACTIONS: &str = include_str!("../../samples/transactions.csv");

/// A file of so many dealers.
fn dealers(rows: usize) -> String {
    let row = |number| format!("D{number},Dealer {number}\n");
    std::iter::once("Code,Name\n".to_owned()).chain((0..rows).map(row)).collect()
}

both!(dealers_are_answered_with_counts_and_row_errors, |server| {
    let text =
        format!("{DEALERS}D-1004,,x,x,x,x,x,x,x,x,-5,maybe\nD-1001,Nordlicht,,,,,,,,,1,no\n");
    let upload = Upload::file("dealers.csv", text);
    let answer = server.upload("dealers", upload).await.ok().clone();
    assert_eq!(
        (&answer["status"], &answer["fileName"]),
        (&json!("completed"), &json!("dealers.csv"))
    );
    let counts = &answer["counts"];
    assert_eq!(
        (&counts["created"], &counts["superseded"], &counts["failed"]),
        (&3.into(), &1.into(), &1.into())
    );
    assert_eq!(answer["results"]["errorCount"], 1);
    let errors: Vec<_> = answer["errors"].as_array().unwrap().iter().collect();
    let codes: Vec<_> = errors.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["required", "out_of_range", "not_a_boolean"], "{errors:?}");
    assert!(errors.iter().all(|it| it["rowNumber"] == 5 && it["key"] == "D-1004"), "{errors:?}");
    assert_eq!(answer["errorsNextCursor"], json!(null));
    let found = server.rows("select code, city, active from dealers order by code").await;
    assert_eq!(found.len(), 3);
    assert_eq!(found[1][..2], ["D-1002", "Bengaluru"]);
    check_guarantees(server, answer["jobId"].as_i64().unwrap()).await;
});

both!(dealers_do_not_wait_behind_background_jobs, |server| {
    let hold = Hold::new(server.folder());
    server.terminate();
    let once = hold.at("prescan.after").replace("=return", "=1*return");
    server.restart_with(&[("FAILPOINTS", &once), ("LOADBAY_MAX_RUNNING_JOBS", "1")]);
    let job = server.import("products", Upload::csv("SKU,Name\nA,A\n")).await;
    server.until(job, |status| status["status"] == "processing").await;
    let waiting = server.import("products", Upload::csv("SKU,Name\nB,B\n")).await;
    let answer = server.upload("dealers", Upload::csv(DEALERS)).await.ok().clone();
    assert_eq!(answer["counts"]["created"], 3);
    assert_eq!(server.status(waiting).await.ok()["status"], "pending");
    hold.release();
    assert_eq!(server.finished(job).await["status"], "completed");
    assert_eq!(server.finished(waiting).await["status"], "completed");
});

both!(more_dealers_than_are_waited_for_become_a_job, |server| {
    let answer = server.upload("dealers", Upload::csv(&dealers(5_000))).await;
    assert_eq!(answer.ok()["counts"]["created"], 5_000);
    let job = server.import("dealers", Upload::csv(&dealers(5_001))).await;
    let status = server.finished(job).await;
    assert_eq!(
        (&status["counts"]["unchanged"], &status["counts"]["created"]),
        (&5_000.into(), &1.into())
    );
    // Who asks for a wait is given the end of any file.
    let patient = Upload::csv(&dealers(5_001)).header("prefer", "wait=60");
    assert_eq!(server.upload("dealers", patient).await.ok()["counts"]["unchanged"], 5_001);
});

both!(many_row_errors_are_answered_page_by_page, |server| {
    let mut text = "Code,Name\n".to_owned();
    for number in 0..1_200 {
        text.push_str(&format!("D{number},\n"));
    }
    let answer = server.upload("dealers", Upload::csv(&text)).await.ok().clone();
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1_000);
    let job = answer["jobId"].as_i64().unwrap();
    let cursor = answer["errorsNextCursor"].as_str().unwrap();
    let rest = server.errors(job, &format!("?limit=500&cursor={cursor}")).await.ok().clone();
    assert_eq!(rest["errors"].as_array().unwrap().len(), 200);
    assert_eq!(rest["errors"][0]["rowNumber"], 1_002);
});

both!(transactions_have_a_key_of_two_columns, |server| {
    let first = server.load("transactions", Upload::csv(TRANSACTIONS)).await;
    assert_eq!(first["counts"]["created"], 3, "{first}");
    assert_eq!(first["detected"]["columns"][0], json!(null), "`No` feeds nothing");
    let found = server
        .rows("select order_code, sku, qty, shop from transactions order by order_code, sku")
        .await;
    assert_eq!(found[0], ["PS-2024-000123", "SKU-001", "2", "MyStore"]);
    assert_eq!(found[1], ["PS-2024-000123", "SKU-002", "1", "MyStore"]);
    let times = match server.database.kind() {
        Kind::Sqlite => {
            "select count(*) from transactions where ordered_at like '2024-01-15%10:30:00%'"
        }
        Kind::Postgres => {
            "select count(*) from transactions where ordered_at = '2024-01-15T10:30:00Z'"
        }
    };
    assert_eq!(server.database.number(times).await, 2);

    // English headers; the same key twice in the file; a row error in the words of its column.
    let text = "Order code,SKU,Qty,Potential profit\n\
                PS-2024-000123,SKU-001,5,-1.50\nPS-2024-000123,SKU-002,many,1\n\
                PS-2024-000123,SKU-001,6,\nPS-9,SKU-001,1,1\n";
    let job = server.load("transactions", Upload::csv(text).option("undo", "true")).await;
    let counts = &job["counts"];
    assert_eq!(
        json!([counts["created"], counts["updated"], counts["superseded"], counts["failed"]]),
        json!([1, 1, 1, 1])
    );
    let number = job["jobId"].as_i64().unwrap();
    let error = server.errors(number, "").await.ok()["errors"][0].clone();
    assert_eq!((&error["column"], &error["rowNumber"]), (&json!("qty"), &json!(3)));
    assert_eq!(error["key"], "PS-2024-000123, SKU-002");
    let failed = server.errors_file(number, "csv").await;
    assert!(failed.text().contains("PS-2024-000123,SKU-002,many,1"), "{}", failed.text());

    let rolled = server.action(number, "rollback").await.ok()["jobId"].as_i64().unwrap();
    assert_eq!(server.finished(rolled).await["status"], "completed");
    let found = server.rows("select sku, qty from transactions order by order_code, sku").await;
    assert_eq!(found, [["SKU-001", "2"], ["SKU-002", "1"], ["SKU-001", "1"]]);
});

both!(a_foreign_table_of_the_name_keeps_no_server_from_starting, |server| {
    let own = match server.database.kind() {
        Kind::Sqlite => "transactions",
        Kind::Postgres => "loadbay.transactions",
    };
    let kept = format!("drop table {own}; create table {own} (iban varchar(34) not null)");
    server.database.execute(&kept).await;
    server.terminate();
    server.restart_with(&[]);
    let names = server.datasets().await.ok()["datasets"].clone();
    let names: Vec<_> = names.as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["dealers", "products", "swim_events"]);
    let refused = server.upload("transactions", Upload::csv(TRANSACTIONS)).await;
    refused.assert_problem(404, "unknown_dataset");
    assert!(server.log().contains("dataset_left_out"), "{}", server.log());
});

both!(every_template_can_be_uploaded_as_it_is, |server| {
    for (dataset, status) in [("dealers", 200), ("transactions", 202)] {
        let template = server.template(dataset, "xlsx").await;
        let answer = server.upload(dataset, Upload::file("t.xlsx", template.bytes)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let job = answer.data()["jobId"].as_i64().unwrap();
        assert_eq!(server.finished(job).await["counts"]["created"], 1, "{dataset}");
    }
});
