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
async fn a_number_with_one_reading_decides_about_those_with_two() {
    for (numbers, decimal, expected) in [
        (["\"1,234.50\"", "\"2,000\"", "\"12,5\""], "undeclared", ["1234.5", "NULL", "12.5"]),
        (["\"1,234.50\"", "\"2,000\"", "\"0,5\""], "undeclared", ["1234.5", "NULL", "0.5"]),
        (["\"1,234.50\"", "\"2,000\"", "1.250"], "point", ["1234.5", "2000", "1.25"]),
        (["4.20", "1.250", "\"1,100\""], "point", ["4.2", "1.25", "1100"]),
        (["\"4,20\"", "1.250", "\"1,100\""], "comma", ["4.2", "1250", "1.1"]),
    ] {
        let [a, b, c] = numbers;
        let text = format!("SKU,Name,MRP\nA,Arnica,{a}\nB,Bryonia,{b}\nC,Calendula,{c}\n");
        let (status, rows) = load(Upload::csv(&text), "mrp").await;
        assert_eq!(status["detected"]["decimal"], decimal, "{text}");
        let found: Vec<&str> = expected.iter().copied().filter(|it| *it != "NULL").collect();
        assert_eq!(rows.concat(), found, "{text}");
        let warnings = status["warnings"].as_array().unwrap();
        let told = warnings.iter().find(|it| it["code"] == "decimals_derived");
        assert_eq!(told.map(|it| it["count"].clone()), (decimal != "undeclared").then(|| json!(2)));
    }
}

#[tokio::test]
async fn a_proof_may_stand_far_behind_the_first_rows() {
    let rows: String = (0..300).map(|row| format!("R{row};Rhus;{row}\n")).collect();
    let text = format!("SKU;Name;MRP\n{rows}P;Pulsatilla;1,50\nQ;Quarz;1.250\n");
    let (status, _) = load(Upload::csv(&text), "mrp").await;
    assert_eq!(status["detected"]["decimal"], "comma", "{status}");
    assert_eq!(status["counts"]["created"], 302, "{status}");
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_not_guessed() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name,MRP,Tags\nA,Arnica,\"1,234\",\"1,2\"\nB,Belladonna,\"1,230\",0.5\n";
    let status = server.load("products", Upload::csv(text)).await;
    assert_eq!(status["detected"]["decimal"], "undeclared");
    assert_eq!(status["counts"]["failed"], 2);
    let told = server.errors(1, "").await.ok()["errors"][0].clone();
    assert_eq!(told["code"], "ambiguous_number");
    let message = told["message"].as_str().unwrap();
    assert!(["1234", "1.234", "`decimal`"].iter().all(|it| message.contains(it)), "{message}");
    let status = server.load("products", Upload::csv(text).option("decimal", "comma")).await;
    assert_eq!(status["counts"]["failed"], 1, "more decimals than the column holds: {status}");
    assert_eq!(server.database.value("select mrp from products where sku = 'B'").await, "1.23");
    let status = server.load("products", Upload::csv(text).option("decimal", "point")).await;
    assert_eq!(status["counts"]["failed"], 0);
    assert_eq!(server.database.value("select mrp from products where sku = 'A'").await, "1234");
    server.check_every_job().await;
}
