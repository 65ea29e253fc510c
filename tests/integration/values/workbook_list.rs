//! `errors.xlsx`: the same list as a workbook.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use rust_xlsxwriter::Workbook;

use super::failed_rows::{NAMES, dangerous};
use crate::support::{Kind, Server, Upload};

/// The cells of the first sheet; every one of them must be a text.
fn texts(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut book = Xlsx::new(Cursor::new(bytes)).unwrap();
    let range = book.worksheet_range_at(0).unwrap().unwrap();
    let text = |cell: &Data| {
        if let Data::String(text) = cell {
            return text.clone();
        }
        assert_eq!(cell, &Data::Empty, "a cell is no text");
        String::new()
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

fn written(rows: &[Vec<String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (place, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(place, column, cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn the_workbook_holds_texts_and_no_formulas() {
    let mut server = Server::start(Kind::Sqlite).await;
    let job = server.load("products", Upload::csv(&dangerous())).await;
    let answer = server.errors_file(job["jobId"].as_i64().unwrap(), "xlsx").await;
    assert_eq!(answer.status, 200);
    let name = answer.header("content-disposition").unwrap();
    assert!(name.contains("products-errors.xlsx"), "{name}");
    let list = texts(&answer.bytes);
    assert_eq!(list[0], ["SKU", "Name", "MRP", "_row", "_error"]);
    assert_eq!(list[1][..4], ["S00", "=SUM(1)", "oops", "2"]);
    assert_eq!(list.len(), NAMES.len() + 1);
    server.check_every_job().await;
}

#[tokio::test]
async fn a_mended_workbook_is_imported_as_it_is() {
    let mut server = Server::start(Kind::Sqlite).await;
    let job = server.load("products", Upload::csv(&dangerous())).await;
    let sent = server.errors_file(job["jobId"].as_i64().unwrap(), "xlsx").await.bytes;
    let same = server.load("products", Upload::file("errors.xlsx", sent.clone())).await;
    assert_eq!(same["counts"]["failed"], NAMES.len());
    let mut list = texts(&sent);
    for row in list.iter_mut().skip(1) {
        row[2] = "12.50".into();
    }
    let again = server.load("products", Upload::file("mended.xlsx", written(&list))).await;
    assert_eq!(again["counts"]["created"], NAMES.len(), "{again}");
    let names = server.rows("select name from products order by sku").await.concat();
    assert_eq!(names, NAMES);
    server.check_every_job().await;
}

#[tokio::test]
async fn the_list_of_a_workbook_keeps_what_the_spreadsheet_refused() {
    let mut server = Server::start(Kind::Sqlite).await;
    let rows = [["SKU", "Name", "Barcode"], ["A", "Arnica", ""], ["B", "Belladonna", ""]];
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (place, row) in (0..).zip(rows) {
        sheet.write_row(place, 0, row).unwrap();
    }
    let failed = rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A");
    sheet.write_formula(1, 1, failed).unwrap();
    let upload = Upload::file("p.xlsx", book.save_to_buffer().unwrap());
    let job = server.load("products", upload).await;
    assert_eq!(job["counts"]["failed"], 1, "{job}");
    for extension in ["csv", "xlsx"] {
        let list = server.errors_file(job["jobId"].as_i64().unwrap(), extension).await;
        let upload = Upload::file(&format!("errors.{extension}"), list.bytes);
        let again = server.load("products", upload).await;
        assert_eq!(again["counts"]["failed"], 1, "`#N/A` is no name: {again}");
    }
    server.check_every_job().await;
}
