//! Workbooks: opened by the child process, as for an upload.

use rust_xlsxwriter::{Formula, Workbook};
use serde_json::{Value, json};

use super::{codes, each, preview, seen};
use crate::support::{Kind, Server, Upload};
use crate::upload::forms::assert_refused;

fn xlsx(mut book: Workbook) -> Upload {
    Upload::file("products.xlsx", book.save_to_buffer().unwrap())
}

/// A hidden sheet, and products of which one has no price, one a bad one and one no name.
fn products() -> Workbook {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Old").unwrap().set_hidden(true);
    let sheet = book.add_worksheet().set_name("Products").unwrap();
    sheet.set_active(true);
    sheet.write_row(1, 0, ["SKU", "Name", "Selling Price", "Is Active", "Note"]).unwrap();
    sheet.write_row(2, 0, ["A-1", "Arnica"]).unwrap();
    sheet.write_row(4, 0, ["A-2", "Belladonna", "free"]).unwrap();
    sheet.write_number(5, 0, 1003).unwrap();
    sheet.write_number(5, 2, 19.9).unwrap();
    sheet.write_boolean(5, 3, true).unwrap();
    sheet.write_row(6, 0, ["A-4", "Calendula"]).unwrap();
    sheet.write_formula(6, 2, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write_string(6, 9, "far out").unwrap();
    book
}

#[tokio::test]
async fn an_xlsx_shows_its_first_rows_with_their_types_in_mind() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, xlsx(products())).await;
    assert_eq!(data["detected"]["format"], "xlsx");
    assert_eq!(data["detected"]["sheet"], "Products");
    assert_eq!(data["detected"]["headerRow"], 2);
    assert_eq!(data["ready"], true);
    assert_eq!(each(&data["rows"], "rowNumber"), [3, 5, 6, 7].map(Value::from).each_ref());
    assert_eq!(data["rows"][0]["cells"], json!(["A-1", "Arnica"]));
    assert_eq!(data["rows"][2]["cells"], json!(["1003", "", "19.9", "true"]));
    let errors: Vec<_> = each(&data["rows"], "errors").into_iter().map(codes).collect();
    assert_eq!(errors[..3], [vec![], vec!["not_a_number"], vec!["required"]]);
    assert!(errors[3].contains(&"too_many_columns"), "{errors:?}");
    assert_eq!(data["columns"][2]["samples"][0], "free");
}

#[tokio::test]
async fn the_errors_of_a_workbook_are_those_of_its_job() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, xlsx(products())).await;
    let job = server.load("products", xlsx(products())).await;
    assert_eq!(data["detected"], job["detected"]);
    let mut page = server.errors(job["jobId"].as_i64().unwrap(), "").await.ok().clone();
    for error in page["errors"].as_array_mut().unwrap() {
        error.as_object_mut().unwrap().remove("key");
    }
    let rows = data["rows"].as_array().unwrap();
    let shown: Vec<Value> = rows
        .iter()
        .flat_map(|row| row["errors"].as_array().unwrap().iter().map(move |error| (row, error)))
        .map(|(row, error)| {
            let mut error = error.clone();
            error["rowNumber"] = row["rowNumber"].clone();
            error["line"] = row["rowNumber"].clone();
            error
        })
        .collect();
    assert_eq!(page["errors"], Value::from(shown));
}

#[tokio::test]
async fn an_xls_shows_its_first_rows() {
    let server = Server::start(Kind::Sqlite).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/products.xls");
    let upload = Upload::file("products.xls", std::fs::read(path).unwrap());
    let data = seen(&server, upload).await;
    assert_eq!(data["detected"]["format"], "xls");
    assert_eq!(each(&data["columns"], "column").last().unwrap(), &&json!(null));
    assert_eq!(data["ready"], true);
    let cells = [
        json!(["X-1", "Arnica", "12", "19.9", "true", "first"]),
        json!(["X-2", "Belladonna", "3.5", "n/a", "false"]),
        json!(["1003", "Calendula", "0", "7", "true", "third"]),
    ];
    assert_eq!(each(&data["rows"], "cells"), cells.each_ref());
    assert_eq!(codes(&data["rows"][1]["errors"]), [""; 0], "`n/a` stands for no value");
    let told = data["warnings"].as_array().unwrap().iter();
    let told: Vec<_> = told.filter(|it| it["code"] == "null_words").collect();
    assert_eq!(told[0]["examples"], json!([{"rowNumber": 3, "value": "n/a"}]));
}

#[tokio::test]
async fn a_sheet_can_be_asked_for_and_a_missing_one_is_refused() {
    let server = Server::start(Kind::Sqlite).await;
    let mut book = products();
    book.add_worksheet().set_name("More").unwrap().write_row(0, 0, ["SKU", "Name"]).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let upload = || Upload::file("p.xlsx", bytes.clone());
    let data = seen(&server, upload().option("sheet", "More")).await;
    assert_eq!((&data["detected"]["sheet"], &data["rows"]), (&json!("More"), &json!([])));
    let answer = preview(&server, upload().option("sheet", "Prices")).await;
    assert_refused(&answer, 422, "no_such_sheet", &["`Prices`", "`More`"]);
}

#[tokio::test]
async fn a_workbook_with_a_faulty_header_is_shown() {
    let server = Server::start(Kind::Sqlite).await;
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["SKU", "MRP"]).unwrap();
    sheet.write_row(1, 0, ["A", "x"]).unwrap();
    let data = seen(&server, xlsx(book)).await;
    assert_eq!((&data["ready"], codes(&data["faults"])), (&json!(false), vec!["missing_column"]));
    assert_eq!(codes(&data["rows"][0]["errors"]), ["not_a_number"]);
}
