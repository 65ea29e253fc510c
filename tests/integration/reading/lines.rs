//! Lines and rows of text files: breaks, blanks, ragged rows, and where the header stands.

use super::products::{faults, load};
use crate::support::{Kind, Server, Upload};

#[tokio::test]
async fn every_kind_of_line_end_ends_a_row() {
    let text = "SKU,Name\nA,Arnica\n\nB,Belladonna";
    for text in [
        text.to_owned(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\r"),
        "SKU,Name\r\nA,Arnica\r\rB,Belladonna\n".to_owned(),
    ] {
        let (status, rows) = load(Upload::csv(&text), "sku, name").await;
        assert_eq!(status["progress"]["total"], 2);
        assert_eq!(rows, [["A", "Arnica"], ["B", "Belladonna"]], "{text:?}");
    }
}

#[tokio::test]
async fn a_quoted_cell_may_hold_line_breaks_quotes_and_delimiters() {
    let text = "SKU,Name,Description\r\nA,\"Say \"\"hi\"\", twice\",\"one\r\ntwo\n\nfour\"\r\n";
    let (_, rows) = load(Upload::csv(text), "name, description").await;
    assert_eq!(rows, [["Say \"hi\", twice", "one\r\ntwo\n\nfour"]]);
}

#[tokio::test]
async fn errors_name_the_row_of_the_spreadsheet_and_the_line_of_the_file() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "\nSKU,Name,Description\n\nA,,\"two\nlines\"\n , ,\nB,,\n";
    let status = server.load("products", Upload::csv(text)).await;
    assert_eq!(status["detected"]["headerRow"], 2);
    assert_eq!(status["progress"]["total"], 2, "blank rows are not counted");
    let errors = server.errors(1, "").await.ok()["errors"].clone();
    let places: Vec<_> = errors
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["rowNumber"].as_u64().unwrap(), it["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [(4, 4), (6, 7)]);
    server.check_every_job().await;
}

#[tokio::test]
async fn ragged_rows_fail_only_where_something_is_lost() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name,MRP\nA,Arnica\nB\nC,Calendula,1,,,\nD,Drosera,1,x\nE,Echinacea,2\n";
    let status = server.load("products", Upload::csv(text)).await;
    assert_eq!(status["counts"]["created"], 3);
    let fault = |row, code: &str| (row, String::new(), code.to_owned());
    let expected = [fault(3, "missing_columns"), fault(5, "too_many_columns")];
    assert_eq!(faults(&server, &status).await, expected);
    server.check_every_job().await;
}

#[tokio::test]
async fn the_header_may_be_further_down() {
    let text = "Price list; of all; our; goods\n\nas of today\nSKU,Name\nA,Arnica\n";
    let (status, rows) = load(Upload::csv(text).option("headerRow", "4"), "sku, name").await;
    assert_eq!(status["detected"]["headerRow"], 4);
    assert_eq!(rows, [["A", "Arnica"]]);
}

#[tokio::test]
async fn a_file_of_a_header_only_is_done_at_once() {
    for text in ["SKU,Name", "SKU,Name\n", "SKU,Name\r\n\r\n , \r\n"] {
        let (status, rows) = load(Upload::csv(text), "sku").await;
        assert_eq!(status["status"], "completed");
        assert_eq!(status["results"]["totalRows"], 0);
        assert_eq!(status["progress"]["percentage"], 100);
        assert!(rows.is_empty());
    }
}

#[tokio::test]
async fn headers_are_known_by_many_names() {
    let text = " item CODE ,Product_Name,qty,\u{a0}Purchase-Rate,unknown\nA,Arnica,5,2.50,x\n";
    let (status, rows) = load(Upload::csv(text), "sku, name, current_stock, cost_price").await;
    let expected = serde_json::json!(["sku", "name", "current_stock", "cost_price", null]);
    assert_eq!(status["detected"]["columns"], expected);
    assert_eq!(rows, [["A", "Arnica", "5", "2.5"]]);
}

#[tokio::test]
async fn a_mapping_names_what_cannot_be_known() {
    let text = "Artikel,Bezeichnung,SKU\nA,Arnica,ignored\n";
    let mapping = "{\"Artikel\":\"sku\",\"Bezeichnung\":\"name\"}";
    let (status, rows) = load(Upload::csv(text).option("mapping", mapping), "sku, name").await;
    assert_eq!(status["detected"]["columns"], serde_json::json!(["sku", "name", null]));
    assert_eq!(rows, [["A", "Arnica"]]);
}

#[tokio::test]
async fn very_wide_rows_are_committed_a_few_at_a_time() {
    let wide = "w".repeat(100_000);
    let rows = |row: &dyn Fn(u32) -> String| -> String { (0..200).map(row).collect() };
    // Cells of a column that feeds nothing, cells of rows that fail: all of them are kept until the
    // chunk is committed.
    let unused = rows(&|row| format!("A{row},Arnica,{wide}\n"));
    let failing = rows(&|row| format!("B{row}{wide},Belladonna,\n"));
    for (job, text) in [(1, unused), (2, failing)] {
        let mut server = Server::start(Kind::Sqlite).await;
        let status = server.load("products", Upload::csv(&format!("SKU,Name,X\n{text}"))).await;
        assert_eq!(status["progress"]["total"], 200);
        let failed = if job == 2 { 200 } else { 0 };
        assert_eq!(status["counts"]["failed"], failed, "{status}");
        let chunks = server.database.number("select count(*) from import_chunks").await;
        assert!((3..=10).contains(&chunks), "{chunks} chunks of 20 MB");
        server.check_every_job().await;
    }
}
