//! Cells of workbooks: what they hold is stored exactly, or refused with a hint.

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};

use super::hostile::{SHEET, forged};
use super::products::{faults, load};
use super::workbooks::upload;
use crate::support::{Kind, Server, Upload};

/// A sheet with this header, whose rows begin with SKU and name.
fn with_header<'a>(book: &'a mut Workbook, header: &[&str], rows: u32) -> &'a mut Worksheet {
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["SKU", "Name"]).unwrap();
    sheet.write_row(0, 2, header.iter().copied()).unwrap();
    for row in 1..=rows {
        sheet.write_string(row, 0, format!("R{row}")).unwrap();
        sheet.write_string(row, 1, "Arnica").unwrap();
    }
    sheet
}

#[tokio::test]
async fn numbers_in_text_columns_are_written_out() {
    let mut book = Workbook::new();
    let sheet = with_header(&mut book, &["Barcode", "HSN Code", "Pack Size"], 4);
    for (row, number) in [(1, 4_006_381_333_931.0), (2, 12.5), (3, 0.1), (4, 999_999_999_999_999.0)]
    {
        sheet.write_number(row, 2, number).unwrap();
    }
    sheet.write_string(1, 3, "0030").unwrap();
    sheet.write_boolean(2, 3, true).unwrap();
    sheet.write_number_with_format(1, 4, 100.0, &Format::new().set_num_format("0.00E+00")).unwrap();
    let (status, rows) = load(upload(book), "barcode, hsn_code, pack_size").await;
    assert_eq!(status["counts"]["created"], 4);
    assert_eq!(
        rows,
        [
            ["4006381333931", "0030", "100"],
            ["12.5", "TRUE", "NULL"],
            ["0.1", "NULL", "NULL"],
            ["999999999999999", "NULL", "NULL"],
        ]
    );
}

#[tokio::test]
async fn a_number_whose_digits_are_lost_is_refused_with_a_hint() {
    let mut book = Workbook::new();
    let sheet = with_header(&mut book, &["Barcode", "MRP"], 4);
    sheet.write_number(1, 2, 1_234_567_890_123_456.0).unwrap();
    sheet.write_number(2, 2, 1e15).unwrap();
    sheet.write_number(3, 2, 1.234_567_890_123_456_7e17).unwrap();
    sheet.write_string(4, 2, "123456789012345678").unwrap();
    sheet.write_number(3, 3, 1e300).unwrap();
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book)).await;
    let fault = |row, column: &str, code: &str| (row, column.to_owned(), code.to_owned());
    assert_eq!(
        faults(&server, &status).await,
        [
            fault(2, "barcode", "precision_lost"),
            fault(3, "barcode", "precision_lost"),
            fault(4, "mrp", "out_of_range"),
            fault(4, "barcode", "precision_lost"),
        ]
    );
    let message = server.errors(1, "").await.ok()["errors"][0]["message"].clone();
    assert!(message.as_str().unwrap().contains("format the column as text"), "{message}");
    assert_eq!(server.database.value("select barcode from products").await, "123456789012345678");
    server.check_every_job().await;
}

#[tokio::test]
async fn numbers_of_a_workbook_are_no_texts_of_a_dialect() {
    let mut book = Workbook::new();
    let sheet = with_header(&mut book, &["MRP", "Qty"], 5);
    for (row, number) in [(1, 19.99), (2, 0.1 + 0.2), (3, 1.234), (4, -1.0), (5, 1234.5)] {
        sheet.write_number(row, 2, number).unwrap();
    }
    sheet.write_string(5, 3, "1.234,5").unwrap();
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book).option("decimal", "comma")).await;
    let rows = server.rows("select mrp, current_stock from products order by sku").await;
    assert_eq!(rows, [["19.99", "NULL"], ["0.3", "NULL"], ["1234.5", "1234.5"]]);
    let codes: Vec<_> = faults(&server, &status).await.into_iter().map(|it| (it.0, it.2)).collect();
    assert_eq!(codes, [(4, "too_many_decimals".to_owned()), (5, "out_of_range".to_owned())]);
    server.check_every_job().await;
}

#[tokio::test]
async fn dates_and_truth_values_are_read_by_the_column() {
    let mut book = Workbook::new();
    let sheet = with_header(&mut book, &["Is Active", "Description", "MRP"], 4);
    sheet.write_boolean(1, 2, true).unwrap();
    sheet.write_boolean(2, 2, false).unwrap();
    sheet.write_number(3, 2, 1.0).unwrap();
    sheet.write_string(4, 2, "nein").unwrap();
    let day = Format::new().set_num_format("dd.mm.yyyy");
    let time = Format::new().set_num_format("dd.mm.yyyy hh:mm");
    let date = ExcelDateTime::from_ymd(2026, 11, 22).unwrap();
    sheet.write_datetime_with_format(1, 3, &date, &day).unwrap();
    let moment = ExcelDateTime::from_ymd(2026, 11, 22).unwrap().and_hms(8, 30, 0).unwrap();
    sheet.write_datetime_with_format(2, 3, &moment, &time).unwrap();
    sheet.write_datetime_with_format(4, 4, &date, &day).unwrap();
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book)).await;
    let rows = server.rows("select is_active, description from products order by sku").await;
    assert_eq!(rows, [["1", "2026-11-22"], ["0", "2026-11-22T08:30:00"], ["1", "NULL"]]);
    let fault = (5, "mrp".to_owned(), "became_day".to_owned());
    assert_eq!(faults(&server, &status).await, [fault], "a date is no price");
    server.check_every_job().await;
}

#[tokio::test]
async fn formulas_count_by_their_stored_value() {
    let mut book = Workbook::new();
    let sheet = with_header(&mut book, &["MRP"], 2);
    sheet.write_formula(1, 2, Formula::new("=1+1").set_result("2")).unwrap();
    sheet.write_formula(2, 2, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book)).await;
    assert_eq!(server.rows("select mrp from products").await, [["2"]]);
    let fault = (3, "mrp".to_owned(), "cell_error".to_owned());
    assert_eq!(faults(&server, &status).await, [fault]);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_formula_without_a_stored_value_is_not_evaluated() {
    let mut server = Server::start(Kind::Sqlite).await;
    let cell =
        |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let text = format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>\
         <row r=\"1\">{}{}{}</row><row r=\"2\">{}{}<c r=\"C2\"><f>1+1</f></c></row></sheetData>\
         </worksheet>",
        cell("A1", "SKU"),
        cell("B1", "Name"),
        cell("C1", "MRP"),
        cell("A2", "A"),
        cell("B2", "Arnica"),
    );
    let book = forged(SHEET, &mut |part| part.write_all(text.as_bytes()).unwrap());
    let status = server.load("products", Upload::file("p.xlsx", book)).await;
    let fault = (2, "mrp".to_owned(), "formula_without_value".to_owned());
    assert_eq!(faults(&server, &status).await, [fault]);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_merged_cell_counts_in_each_of_its_rows() {
    let mut book = Workbook::new();
    let sheet = with_header(&mut book, &["Brand"], 3);
    sheet.merge_range(1, 2, 2, 2, "Alpenkraft", &Format::new()).unwrap();
    let (_, rows) = load(upload(book), "sku, brand_id is null").await;
    assert_eq!(rows, [["R1", "0"], ["R2", "0"], ["R3", "1"]]);
}
