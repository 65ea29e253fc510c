//! Faults of whole rows, and all faults of one row together.

use serde_json::Value;

use crate::support::{Upload, both};

async fn errors(server: &crate::support::Server, job: &Value) -> Vec<Value> {
    let job = job["jobId"].as_i64().unwrap();
    server.errors(job, "").await.ok()["errors"].as_array().unwrap().clone()
}

both!(all_faults_of_a_row_are_told_at_once, |server| {
    let text = "SKU,Name,MRP,Tax Percent,Is Active,Barcode\n\
                A-1,Arnica,3,5,yes,4006381333931\n\
                B-2,,x,101,perhaps,\"a\u{7}b\"\n";
    let job = server.load("products", Upload::csv(text)).await;
    assert_eq!(job["counts"]["created"], 1);
    assert_eq!(job["counts"]["failed"], 1, "a row fails once, however many faults it has");
    let errors = errors(server, &job).await;
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error["column"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("name", "required"),
            ("mrp", "not_a_number"),
            ("tax_percent", "out_of_range"),
            ("barcode", "control_character"),
            ("is_active", "not_a_boolean"),
        ],
        "in the order of the dataset's columns"
    );
    assert!(errors.iter().all(|error| error["rowNumber"] == 3 && error["line"] == 3));
    assert_eq!(errors[1]["message"], "`x` is not a number; write it like 12.50");
    assert_eq!(errors[1]["value"], "x");
    assert_eq!(errors[3]["value"], "a\u{2407}b", "what cannot be seen is shown as a sign");
    assert_eq!(server.database.value("select sku from products").await, "A-1");
});

both!(a_long_value_is_shown_shortened, |server| {
    let text = format!("SKU,Name,MRP\nA,Arnica,{}\n", "ö".repeat(5000));
    let job = server.load("products", Upload::csv(&text)).await;
    let value = errors(server, &job).await[0]["value"].as_str().unwrap().to_owned();
    assert_eq!(value.chars().count(), 100);
    assert!(value.ends_with('…'));
});

both!(a_row_that_is_too_short_or_too_long_fails_alone, |server| {
    let text = "Name,MRP,SKU\nArnica,1,A\nBelladonna\nCalendula,2,C,extra\nDrosera,3,D,,\n\
                Echinacea,4,E\n";
    let job = server.load("products", Upload::csv(text)).await;
    assert_eq!(job["counts"]["created"], 3);
    let errors = errors(server, &job).await;
    let codes: Vec<_> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["missing_columns", "too_many_columns"]);
    assert_eq!(errors[1]["value"], "extra");
    assert_eq!(
        server.rows("select sku from products order by sku").await.concat(),
        ["A", "D", "E"]
    );
});

both!(an_optional_column_may_be_missing_at_the_end_of_a_row, |server| {
    server.load("products", Upload::csv("SKU,Name,MRP\nA,Arnica,9\n")).await;
    let job = server.load("products", Upload::csv("SKU,Name,MRP\nA,Arnica\n")).await;
    assert_eq!(job["counts"]["failed"], 0);
    let stored = server.database.value("select cast(mrp as integer) from products").await;
    assert_eq!(stored, "9", "the row does not say that there is none");
});
