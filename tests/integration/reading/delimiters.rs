//! Delimiters and decimals of text files.

use serde_json::json;

use super::products::load;
use crate::support::{Kind, Server, Upload};

const ROWS: [[&str; 2]; 2] = [["A", "Arnica"], ["B", "Bella, donna; | x"]];

#[tokio::test]
async fn each_delimiter_is_found() {
    for sign in [',', ';', '\t', '|'] {
        let text = format!("SKU{sign}Name\nA{sign}Arnica\nB{sign}\"Bella, donna; | x\"\n");
        let (status, rows) = load(Upload::csv(&text), "sku, name").await;
        assert_eq!(status["detected"]["delimiter"], sign.to_string());
        assert_eq!(rows, ROWS);
    }
}

#[tokio::test]
async fn a_short_header_is_not_fooled_by_its_rows() {
    let text = "SKU;Name\nA;a, b, c\nB;d, e, f\nC;g, h, i\n";
    let (status, rows) = load(Upload::csv(text), "name").await;
    assert_eq!(status["detected"]["delimiter"], ";");
    assert_eq!(rows, [["a, b, c"], ["d, e, f"], ["g, h, i"]]);
}

#[tokio::test]
async fn the_line_that_names_the_delimiter_is_no_header() {
    let text = "sep=;\r\nSKU;Name\r\nA;Arnica\r\nB;\"Bella, donna; | x\"\r\n";
    for text in [text.to_owned(), format!("\u{feff}{text}"), text.replace("sep=;", "\"SEP=;\"")] {
        let (status, rows) = load(Upload::csv(&text), "sku, name").await;
        assert_eq!(status["detected"]["headerRow"], 2);
        assert_eq!(rows, ROWS);
    }
}

#[tokio::test]
async fn a_delimiter_that_is_asked_for_is_taken() {
    let text = "SKU,x|Name\nA|Arnica\n";
    let upload = Upload::csv(text)
        .option("delimiter", "|")
        .option("mapping", &json!({"SKU,x": "sku"}).to_string());
    let (_, rows) = load(upload, "sku, name").await;
    assert_eq!(rows, [["A", "Arnica"]]);
}

#[tokio::test]
async fn a_decimal_comma_is_read_where_the_file_leaves_no_doubt() {
    let text = "SKU;Name;MRP;Qty\nA;Arnica;12,50;1.234\nB;Belladonna;1.234,56;2\n";
    let (status, rows) = load(Upload::csv(text), "mrp, current_stock").await;
    assert_eq!(status["detected"]["decimal"], "comma");
    assert_eq!(rows, [["12.5", "1234"], ["1234.56", "2"]]);
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_not_guessed() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name,MRP\nA,Arnica,\"1,234\"\nB,Belladonna,\"12,50\"\n";
    let status = server.load("products", Upload::csv(text)).await;
    assert_eq!(status["detected"]["decimal"], "undeclared");
    assert_eq!(status["counts"]["failed"], 1);
    let told = server.errors(1, "").await.ok()["errors"][0].clone();
    assert_eq!(told["code"], "ambiguous_number");
    let message = told["message"].as_str().unwrap();
    assert!(["1234", "1.234", "`decimal`"].iter().all(|it| message.contains(it)), "{message}");
    let status = server.load("products", Upload::csv(text).option("decimal", "comma")).await;
    assert_eq!(status["counts"]["failed"], 1, "more decimals than the column holds: {status}");
    let status = server.load("products", Upload::csv(text).option("decimal", "point")).await;
    let code = server.errors(3, "").await.ok()["errors"][0]["code"].clone();
    assert_eq!((&status["counts"]["failed"], code), (&json!(1), json!("not_a_number")));
    assert_eq!(server.database.value("select mrp from products where sku = 'A'").await, "1234");
    server.check_every_job().await;
}
