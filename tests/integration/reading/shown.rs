//! What a sheet shows: number formats, merged cells, hidden rows and columns.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};
use serde_json::Value;

use super::products::{faults, load};
use super::workbooks::upload;
use crate::reader_corpus::binary_sheets::hidden_xlsb;
use crate::reader_corpus::workbooks::archive;
use crate::support::{Kind, Server, Upload};

fn sheet<'a>(book: &'a mut Workbook, header: &[&str]) -> &'a mut Worksheet {
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, header.iter().copied()).unwrap();
    sheet
}

fn shown(code: &str) -> Format {
    Format::new().set_num_format(code)
}

/// Code, column and count of each warning.
fn warnings(job: &Value) -> Vec<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let warnings = job["warnings"].as_array().unwrap().iter();
    warnings
        .map(|it| (text(&it["code"]), text(&it["column"]), it["count"].as_u64().unwrap()))
        .collect()
}

#[tokio::test]
async fn texts_and_keys_are_what_the_cell_shows() {
    let mut book = Workbook::new();
    let sheet = sheet(&mut book, &["SKU", "Name", "Barcode", "Pack Size", "HSN Code", "Qty"]);
    sheet.write_number_with_format(1, 0, 1234.0, &shown("000000")).unwrap();
    sheet.write_number_with_format(2, 0, 12.0, &shown("\"SKU-\"0000")).unwrap();
    for row in 1..=2 {
        sheet.write_string(row, 1, "Arnica").unwrap();
        sheet.write_number_with_format(row, 2, 4_006_381_333_931.0, &shown("0.00E+00")).unwrap();
        sheet.write_number_with_format(row, 3, 12.0, &shown("0\" kg\"")).unwrap();
        sheet.write_number_with_format(row, 4, 3004.9, &shown("0.00")).unwrap();
        sheet.write_number_with_format(row, 5, 12.0, &shown("0\" pcs\"")).unwrap();
    }
    let columns = "sku, barcode, pack_size, hsn_code, current_stock";
    let (_, rows) = load(upload(book), columns).await;
    let rest = ["4006381333931", "12 kg", "3004.90", "12"];
    assert_eq!(rows, [[&["001234"], &rest[..]].concat(), [&["SKU-0012"], &rest[..]].concat()]);
}

#[tokio::test]
async fn numbers_are_rounded_only_as_the_cell_shows_them() {
    let mut book = Workbook::new();
    let sheet = sheet(&mut book, &["SKU", "Name", "MRP", "Tax Percent", "Qty"]);
    let rows = [(23.7881, "#,##0.00", 0.18, "0%", 0.5), (23.7881, "0.000", 0.187_56, "0.0%", 0.5)];
    for (row, (price, price_format, tax, tax_format, percent)) in (1..).zip(rows) {
        sheet.write_string(row, 0, format!("R{row}")).unwrap();
        sheet.write_string(row, 1, "Arnica").unwrap();
        sheet.write_number_with_format(row, 2, price, &shown(price_format)).unwrap();
        sheet.write_number_with_format(row, 3, tax, &shown(tax_format)).unwrap();
        sheet.write_number_with_format(row, 4, percent, &shown("0%")).unwrap();
    }
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book)).await;
    let fault = (3, "mrp".to_owned(), "too_many_decimals".to_owned());
    assert_eq!(faults(&server, &status).await, [fault]);
    let rows = server.rows("select mrp, tax_percent, current_stock from products").await;
    assert_eq!(rows, [["23.79", "18", "0.5"]]);
    assert_eq!(warnings(&status), [("rounded_as_shown".into(), "mrp".into(), 1)]);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_day_that_a_spreadsheet_made_is_told() {
    let mut book = Workbook::new();
    let sheet = sheet(&mut book, &["SKU", "Name", "Category", "Pack Size", "MRP"]);
    let day = ExcelDateTime::from_ymd(2026, 3, 1).unwrap();
    for row in 1..=4 {
        sheet.write_string(row, 0, format!("R{row}")).unwrap();
        sheet.write_string(row, 1, "Arnica").unwrap();
    }
    sheet.write_datetime_with_format(1, 0, &day, &shown("yyyy-mm-dd")).unwrap();
    sheet.write_datetime_with_format(2, 2, &day, &shown("yyyy-mm-dd")).unwrap();
    sheet.write_datetime_with_format(3, 3, &day, &shown("d-mmm")).unwrap();
    sheet.write_datetime_with_format(4, 3, &day, &shown("yyyy-mm-dd")).unwrap();
    sheet.write_number_with_format(4, 4, 0.0625, &shown("h:mm")).unwrap();
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book)).await;
    let fault = |row, column: &str| (row, column.to_owned(), "became_day".to_owned());
    let expected = [fault(2, "sku"), fault(3, "category"), fault(4, "pack_size"), fault(5, "mrp")];
    assert_eq!(faults(&server, &status).await, expected);
    let message = server.errors(1, "").await.ok()["errors"][0]["message"].clone();
    assert!(message.as_str().unwrap().contains("`MAR1`"), "{message}");
    server.check_every_job().await;
}

#[tokio::test]
async fn merged_cells_have_their_value_in_each_row() {
    let mut book = Workbook::new();
    let sheet = sheet(&mut book, &["Category", "SKU", "Name", "Brand", "Description"]);
    let plain = Format::new();
    sheet.merge_range(1, 0, 3, 0, "Tools", &plain).unwrap();
    sheet.merge_range(2, 3, 2, 4, "Acme", &plain).unwrap();
    // It covers rows that nobody wrote.
    sheet.merge_range(4, 0, 5_000, 0, "Paint", &plain).unwrap();
    for row in 1..=5 {
        sheet.write_string(row, 1, format!("R{row}")).unwrap();
        sheet.write_string(row, 2, "Arnica").unwrap();
    }
    let mut server = Server::start(Kind::Sqlite).await;
    let seed = "sku,name,description\nR2,Arnica,stays\nR5,Arnica,goes\n";
    server.load("products", Upload::file("seed.csv", seed)).await;
    let preview = server.upload("products/preview", upload_again(&mut book)).await.ok().clone();
    let status = server.load("products", upload(book)).await;
    let rows = server
        .rows(
            "select sku, categories.name, description from products \
             left join categories on categories.id = category_id order by sku",
        )
        .await;
    let expected = [
        ["R1", "Tools", "NULL"],
        ["R2", "Tools", "stays"],
        ["R3", "Tools", "NULL"],
        ["R4", "Paint", "NULL"],
        ["R5", "Paint", "NULL"],
    ];
    assert_eq!(rows, expected);
    assert_eq!(warnings(&status), [("merged_cells".into(), "category".into(), 3)]);
    assert_eq!(warnings(&preview), warnings(&status));
    server.check_every_job().await;
}

fn upload_again(book: &mut Workbook) -> Upload {
    Upload::file("products.xlsx", book.save_to_buffer().unwrap())
}

#[tokio::test]
async fn hidden_rows_and_columns_are_imported_and_counted_or_left_out() {
    let book = || {
        let mut book = Workbook::new();
        let sheet = sheet(&mut book, &["SKU", "Name", "MRP"]);
        for row in 1..=3 {
            sheet.write_string(row, 0, format!("R{row}")).unwrap();
            sheet.write_string(row, 1, "Arnica").unwrap();
            sheet.write_number(row, 2, row).unwrap();
        }
        sheet.set_row_hidden(2).unwrap();
        sheet.set_column_hidden(2).unwrap();
        upload(book)
    };
    let told = [
        ("hidden_rows".to_owned(), String::new(), 1),
        ("hidden_columns".to_owned(), String::new(), 1),
    ];
    let (status, rows) = load(book(), "sku, mrp").await;
    assert_eq!(rows, [["R1", "1"], ["R2", "2"], ["R3", "3"]]);
    assert_eq!(warnings(&status), told);
    let (status, rows) = load(book().option("hidden", "skip"), "sku, mrp").await;
    assert_eq!(rows, [["R1", "NULL"], ["R3", "NULL"]]);
    assert_eq!((&status["counts"]["created"], &status["counts"]["failed"]), (&2.into(), &0.into()));
    assert_eq!(warnings(&status), told);
}

#[tokio::test]
async fn hidden_rows_and_columns_of_a_spreadsheet_are_told_or_left_out() {
    let cell = |text: &str| {
        format!(
            "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let row = |hidden: &str, sku: &str, name: &str, mrp: &str| {
        let cells = [sku, name, mrp].map(cell).concat();
        format!("<table:table-row {hidden}>{cells}</table:table-row>")
    };
    let content = [
        "<office:document-content><office:body><office:spreadsheet><table:table table:name=\"a\">",
        "<table:table-column table:number-columns-repeated=\"2\"/>",
        "<table:table-column table:visibility=\"collapse\"/>",
        &row("", "SKU", "Name", "MRP"),
        &row("", "R1", "Arnica", "1"),
        &row("table:visibility=\"filter\"", "R2", "Arnica", "2"),
        &row("table:visibility=\"visible\"", "R3", "Arnica", "3"),
        "</table:table></office:spreadsheet></office:body></office:document-content>",
    ]
    .concat();
    let file = || Upload::file("products.ods", archive(&[("content.xml", content.as_bytes())]));
    let told = [
        ("hidden_rows".to_owned(), String::new(), 1),
        ("hidden_columns".to_owned(), String::new(), 1),
    ];
    let (status, rows) = load(file(), "sku, mrp").await;
    assert_eq!(rows, [["R1", "1"], ["R2", "2"], ["R3", "3"]]);
    assert_eq!(warnings(&status), told);
    let (status, rows) = load(file().option("hidden", "skip"), "sku, mrp").await;
    assert_eq!(rows, [["R1", "NULL"], ["R3", "NULL"]]);
    assert_eq!(warnings(&status), told);
}

#[tokio::test]
async fn hidden_rows_and_columns_of_binary_workbooks_are_told_or_left_out() {
    let told = [
        ("hidden_rows".to_owned(), String::new(), 1),
        ("hidden_columns".to_owned(), String::new(), 1),
    ];
    let file = || Upload::file("products.xlsb", hidden_xlsb());
    let (status, rows) = load(file(), "sku, current_stock").await;
    assert_eq!(rows, [["R1", "5"], ["R2", "5"], ["R3", "5"]]);
    assert_eq!(warnings(&status), told);
    let (status, rows) = load(file().option("hidden", "skip"), "sku, current_stock").await;
    assert_eq!(rows, [["R1", "NULL"], ["R3", "NULL"]]);
    assert_eq!(warnings(&status), told);

    let bytes = std::fs::read("tests/fixtures/workbooks/shown.xls").unwrap();
    let file = || Upload::file("products.xls", bytes.clone());
    let (status, rows) = load(file(), "sku, description").await;
    assert_eq!(rows, [["001234", "a"], ["R4", "d"]]);
    assert_eq!(warnings(&status)[1..], told);
    let (_, rows) = load(file().option("hidden", "skip"), "sku, description").await;
    assert_eq!(rows, [["001234", "NULL"]]);
}
