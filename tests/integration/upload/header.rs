//! Uploads that are refused for their header, their dataset or their options.

use super::forms::{GOOD, assert_nothing_left, assert_refused};
use crate::support::{Kind, Server, Upload};

#[tokio::test]
async fn a_header_that_does_not_fit_is_refused_with_what_was_found() {
    let server = Server::start(Kind::Sqlite).await;
    let wide = format!("SKU,Name{}\n", ",x".repeat(999));
    for (text, code, words) in [
        ("1,2,3\n4,5,6\n", "no_header", &["`1`", "SKU", "Name"][..]),
        ("Name,MRP\nArnica,3\n", "missing_column", &["SKU", "`Name`", "`MRP`"]),
        ("SKU,Nmae\nA,Arnica\n", "missing_column", &["Name", "did you mean `Nmae`?"]),
        ("Prodct Code,Name\nA,Arnica\n", "missing_column", &["SKU", "`Prodct Code`"]),
        ("SKU,Name,sku\nA,B,C\n", "duplicate_column", &["`SKU`", "`sku`", "mapping"]),
        ("Qty,Stock,SKU,Name\n", "duplicate_column", &["`Qty`", "`Stock`", "Current Stock"]),
        (&wide, "too_many_columns", &["1001", "1000"]),
    ] {
        let answer = server.upload("products", Upload::csv(text)).await;
        assert_refused(&answer, 422, code, words);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn every_fault_of_a_header_is_listed() {
    let server = Server::start(Kind::Sqlite).await;
    let answer = server.upload("products", Upload::csv("Nahme,MRP,mrp\nx,1,2\n")).await;
    assert_eq!(answer.status, 422);
    let errors = answer.json["errors"].as_array().unwrap();
    let codes: Vec<_> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["missing_column", "missing_column", "duplicate_column"]);
    assert!(errors.iter().all(|error| error["message"].as_str().is_some_and(|m| m.ends_with('.'))));
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_header_row_that_is_not_there_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let blank = "SKU,Name\n\nA,B\n";
    for (row, code) in [("2", "no_header"), ("9", "no_header"), ("3", "no_header")] {
        let answer = server.upload("products", Upload::csv(blank).option("headerRow", row)).await;
        assert_refused(&answer, 422, code, &[]);
        assert_nothing_left(&server).await;
    }
}

#[tokio::test]
async fn an_unknown_dataset_is_refused_with_the_nearest() {
    let server = Server::start(Kind::Sqlite).await;
    for name in ["product", "Products", "prodcuts"] {
        let answer = server.upload(name, Upload::csv(GOOD)).await;
        assert_refused(&answer, 404, "unknown_dataset", &[name, "did you mean `products`?"]);
    }
    let answer = server.upload("customers", Upload::csv(GOOD)).await;
    assert_refused(&answer, 404, "unknown_dataset", &["`customers`", "products"]);
    assert!(!answer.text().contains("did you mean"));
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn an_option_that_cannot_be_taken_is_refused_by_name() {
    let server = Server::start(Kind::Sqlite).await;
    for (name, value, code, words) in [
        ("colour", "red", "unknown_option", &["`colour`", "mode", "dryRun"][..]),
        ("dryrun", "true", "unknown_option", &["`dryrun`", "dryRun"]),
        ("mode", "replace", "invalid_option", &["`mode`", "`replace`", "upsert"]),
        ("dryRun", "maybe", "invalid_option", &["`dryRun`", "`maybe`", "true or false"]),
        ("maxErrors", "-1", "invalid_option", &["`maxErrors`", "`-1`"]),
        ("delimiter", "#", "invalid_option", &["`delimiter`", "`#`", "tab"]),
        ("headerRow", "0", "invalid_option", &["`headerRow`", "`0`"]),
        ("priority", "101", "invalid_option", &["`priority`", "100"]),
        ("mapping", "SKU=sku", "invalid_option", &["`mapping`", "JSON"]),
        ("mapping", "{\"SKU\":1}", "invalid_option", &["`mapping`", "JSON"]),
        ("decimal", ";", "invalid_option", &["`decimal`", "comma"]),
    ] {
        for upload in [
            Upload::csv(GOOD).option(name, value),
            Upload::csv(GOOD).field(name, value),
            Upload::csv(GOOD).option(name, value).raw(),
        ] {
            let answer = server.upload("products", upload).await;
            assert_refused(&answer, 400, code, words);
            assert_eq!(answer.json["errors"][0]["option"], name);
        }
    }
    let twice = Upload::csv(GOOD).option("blank", "keep").field("blank", "keep");
    let answer = server.upload("products", twice).await;
    assert_refused(&answer, 400, "invalid_option", &["`blank`", "more than once"]);
    assert_nothing_left(&server).await;
}

#[tokio::test]
async fn a_mapping_to_what_is_not_there_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    for (mapping, words) in [
        ("{\"Artikel\":\"sku\"}", &["`Artikel`", "`SKU`"][..]),
        ("{\"SKUU\":\"sku\"}", &["`SKUU`", "did you mean `SKU`?"]),
        ("{\"SKU\":\"article\"}", &["`SKU`", "`article`", "barcode"]),
    ] {
        let upload = Upload::csv(GOOD).option("mapping", mapping);
        assert_refused(&server.upload("products", upload).await, 422, "bad_mapping", words);
    }
    let away = Upload::csv(GOOD).option("mapping", "{\"SKU\":\"\"}");
    let answer = server.upload("products", away).await;
    assert_refused(&answer, 422, "missing_column", &["SKU"]);
    assert_nothing_left(&server).await;
}
