//! Where the header is found, and rows that are no data.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

use super::products::{faults, load};
use super::workbooks::upload;
use crate::support::{Kind, Server, Upload, both};

fn book(sheets: &[(&str, &[&[&str]])]) -> Upload {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (place, row) in (0..).zip(*rows) {
            sheet.write_row(place, 0, row.iter().copied()).unwrap();
        }
    }
    upload(book)
}

fn codes(job: &Value) -> Vec<&str> {
    let warnings = job["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_header_of_a_text_is_found_below_titles() {
    for (text, row) in [
        ("SKU,Name,Price\nA,Arnica,2.50\n", 1),
        ("Price list; of all; our; goods\n\nas of today\nSKU,Name,Price\nA,Arnica,2.50\n", 4),
        ("# made by a tool, on Monday\n# 1 row\nSKU;Name;Price\nA;Arnica;2,50\n", 3),
        ("Company,ACME\nStatus,final\nSKU,Name,Price\nA,Arnica,2.50\n", 3),
        ("sep=;\nPrices\nSKU;Name;Price\nA;Arnica;2,50\n", 3),
        ("Brand,Category,Unit,Tags\nx,y,z,t\nSKU,Name,Price\nA,Arnica,2.50\n", 3),
    ] {
        let (job, rows) = load(Upload::csv(text), "sku, selling_price").await;
        assert_eq!(job["detected"]["headerRow"], row, "{text}");
        assert_eq!(rows.len(), 1, "{text}");
        assert!(rows[0][1].starts_with("2.5"), "{rows:?}");
        assert_eq!(codes(&job).contains(&"header_found"), row > 1, "{text}: {job}");
    }
}

#[tokio::test]
async fn a_text_without_any_known_column_is_refused_as_ever() {
    let server = Server::start(Kind::Sqlite).await;
    let answer = server.upload("products", Upload::csv("a,b\nc,d\n")).await;
    answer.assert_problem(422, "no_header");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(detail.contains("Row 1 was taken for the header"), "{detail}");
    assert!(detail.contains("`headerRow`"), "{detail}");
}

#[tokio::test]
async fn the_sheet_with_the_columns_is_taken_and_the_others_are_named() {
    let lists: (&str, &[&[&str]]) =
        ("Lists", &[&["Category", "Brand", "Unit", "Type"], &["a", "b"]]);
    let products: (&str, &[&[&str]]) =
        ("Products", &[&["Our goods"], &["SKU", "Name", "Price"], &["A", "Arnica", "2.50"]]);
    let more: (&str, &[&[&str]]) = ("More", &[&["SKU", "Name", "Price"], &["B", "Bryonia", "3"]]);
    let (job, rows) = load(book(&[lists, products, more]), "sku").await;
    assert_eq!(job["detected"]["sheet"], "Products");
    assert_eq!(job["detected"]["headerRow"], 2);
    assert_eq!(rows, [["A"]]);
    assert_eq!(codes(&job), ["header_found", "other_sheets"]);
    let found = &job["warnings"][0]["examples"][0];
    assert_eq!(found, &json!({"rowNumber": 2, "value": "Products"}));
    assert_eq!(job["warnings"][1]["examples"][0]["value"], "More");
    let (job, rows) = load(book(&[lists, products, more]).option("sheet", "More"), "sku").await;
    assert_eq!((codes(&job), rows), (vec![], vec![vec!["B".to_owned()]]));
}

#[tokio::test]
async fn a_refused_workbook_names_its_sheets() {
    let server = Server::start(Kind::Sqlite).await;
    let sheets: &[(&str, &[&[&str]])] =
        &[("Cover", &[&["Hello"]]), ("Goods", &[&["Nr", "Name", "Price"], &["A", "Arnica", "1"]])];
    let answer = server.upload("products", book(sheets)).await;
    answer.assert_problem(422, "missing_column");
    let detail = answer.json["detail"].as_str().unwrap();
    for word in ["Row 1 of sheet `Goods`", "`sheet`", "`Cover`", "`headerRow`"] {
        assert!(detail.contains(word), "{word}: {detail}");
    }
}

#[tokio::test]
async fn two_header_rows_are_joined() {
    let text = "SKU,Name,Price,,Stock\n,,Cost,Selling,Min\nA,Arnica,1.50,2.50,7\n";
    let columns = "cost_price, selling_price, min_stock";
    let (job, rows) = load(Upload::csv(text), columns).await;
    assert_eq!(codes(&job), ["joined_headers"]);
    assert_eq!(job["detected"]["headerRow"], 2);
    let numbers: Vec<f64> = rows[0].iter().map(|it| it.parse().unwrap()).collect();
    assert_eq!(numbers, [1.5, 2.5, 7.0]);
}

#[tokio::test]
async fn a_header_that_comes_again_and_rows_of_defaults_are_skipped_and_counted() {
    let part = "\u{feff}SKU,Name,Price,Active\nA-1,Arnica,2.50,TRUE\n,,,FALSE\n";
    let text = format!("{part}{}B-1,Bryonia,1.00,FALSE\n,,0.00,FALSE\n", part.to_uppercase());
    let (job, rows) = load(Upload::csv(&text), "sku").await;
    assert_eq!(rows, [["A-1"], ["B-1"]]);
    assert_eq!(codes(&job), ["repeated_header", "default_rows"]);
    assert_eq!(job["warnings"][0]["examples"], json!([{"rowNumber": 4}]));
    assert_eq!(job["warnings"][1]["count"], 3);
    assert_eq!(job["progress"]["total"], 3, "{job}");
    let (job, _) = load(Upload::csv(&text).option("strict", "true"), "sku").await;
    assert_eq!((&job["progress"]["total"], &job["counts"]["failed"]), (&json!(7), &json!(4)));
}

both!(rows_without_data_belong_to_no_chunk_of_data, [("LOADBAY_CHUNK_ROWS", "2")], |server| {
    let rows: String =
        (0..9).map(|row| format!("S-{row},Name,TRUE\n,,FALSE\nSKU,Name,Active\n")).collect();
    let job = server.load("products", Upload::csv(&format!("SKU,Name,Active\n{rows},,0\n"))).await;
    assert_eq!((&job["progress"]["total"], &job["counts"]["created"]), (&json!(9), &json!(9)));
    assert_eq!(codes(&job), ["repeated_header", "default_rows"]);
    assert_eq!(
        (&job["warnings"][0]["count"], &job["warnings"][1]["count"]),
        (&json!(9), &json!(10))
    );
    let job = server.load("products", Upload::csv("SKU,Name,Active\n,,FALSE\n,,FALSE\n")).await;
    assert_eq!((job["status"].as_str(), &job["progress"]["total"]), (Some("completed"), &json!(0)));
    assert_eq!(job["warnings"][0]["count"], 2);
});

#[tokio::test]
async fn a_total_is_a_row_error() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name,Qty\nA,Arnica,1\nGrand total:,2 items,1\n";
    let job = server.load("products", Upload::csv(text)).await;
    let expected = [(3, String::new(), "total_row".to_owned())];
    assert_eq!(faults(&server, &job).await, expected);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_header_in_another_order_is_a_row_error() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name\nA,Arnica\nName,SKU\n";
    let job = server.load("products", Upload::csv(text)).await;
    let expected = [(3, String::new(), "other_header".to_owned())];
    assert_eq!(faults(&server, &job).await, expected);
    server.check_every_job().await;
}

#[tokio::test]
async fn exports_of_shops_are_understood() {
    let columns = "sku, name, selling_price, current_stock, barcode";
    for text in [
        "ID,SKU,Name,\"In stock?\",Stock,\"Sale price\",\"Regular price\",\"GTIN, UPC, EAN, or ISBN\"\n\
         7,A,Arnica,1,4,,2.50,4006381333931\n",
        "Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price,Variant Barcode\n\
         arnica,Arnica,A,4,2.50,4006381333931\n",
        "sku,name,price,special_price,qty,ean\nA,Arnica,2.50,,4,4006381333931\n",
        "Internal Reference,Name,Sales Price,Quantity On Hand,Barcode\nA,Arnica,2.50,4,4006381333931\n",
        "Artikelnummer;Bezeichnung;Verkaufspreis;Bestand;Strichcode\nA;Arnica;2,50;4;4006381333931\n",
        "Référence;Désignation;Prix de vente;Quantité;Code-barres\nA;Arnica;2,50;4;4006381333931\n",
        "Código;Nombre;Precio;Existencias;Código de barras\nA;Arnica;2,50;4;4006381333931\n",
        "Codice;Nome;Prezzo;Giacenza;Codice a barre\nA;Arnica;2,50;4;4006381333931\n",
        "Código;Nome;Preço (R$);Estoque;Código de barras\nA;Arnica;2,50;4;4006381333931\n",
        "Artikelcode;Naam;Verkoopprijs;Voorraad;Streepjescode\nA;Arnica;2,50;4;4006381333931\n",
        "Utpad code,Utpad ka naam,Bikri mulya,Matra,Barcode\nA,Arnica,2.50,4,4006381333931\n",
    ] {
        let (_, rows) = load(Upload::csv(text), columns).await;
        assert_eq!(rows.len(), 1, "{text}");
        let [sku, name, price, stock, barcode] = &rows[0][..] else { panic!("{rows:?}") };
        assert_eq!([sku, name, barcode], ["A", "Arnica", "4006381333931"], "{text}");
        assert_eq!(price.parse(), Ok(2.5), "{text}");
        assert_eq!(stock.parse(), Ok(4.0), "{text}");
    }
}

#[tokio::test]
async fn the_answer_to_an_upload_tells_what_is_known_of_the_file() {
    let server = Server::start(Kind::Sqlite).await;
    let text = "SKU,Name,Regular price,Sale price,Colour\nA,Arnica,2.50,,red\n";
    let answer = server.upload("products", Upload::csv(text)).await;
    let warnings = answer.data()["warnings"].as_array().unwrap();
    assert_eq!(warnings[0]["column"], "selling_price", "{warnings:?}");
    assert_eq!(warnings[0]["examples"][0]["value"], "Sale price");
    assert_eq!(warnings[1]["examples"][0]["value"], "Colour");
    server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
}

both!(an_empty_sale_price_clears_no_selling_price, |server| {
    server.load("products", Upload::csv("SKU,Name,Price\nA,Arnica,2.50\nB,Bryonia,3\n")).await;
    let job = server.load("products", Upload::csv("SKU,Sale price,Name\nA,,Arnica\nB,2,x\n")).await;
    assert_eq!((&job["counts"]["unchanged"], &job["counts"]["updated"]), (&1.into(), &1.into()));
    let prices = server.rows("select selling_price from products order by sku").await.concat();
    let prices: Vec<f64> = prices.iter().map(|price| price.parse().unwrap()).collect();
    assert_eq!(prices, [2.5, 2.0]);
});
