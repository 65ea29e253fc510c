//! Workbooks: which sheet is read, and files that other programs wrote.

use rust_xlsxwriter::{Workbook, Worksheet};

use super::products::{corpus, fixture, load};
use crate::support::{Kind, Server, Upload};

pub(crate) const HEADER: [&str; 2] = ["SKU", "Name"];

pub(crate) fn sheet<'a>(
    book: &'a mut Workbook,
    name: &str,
    rows: &[[&str; 2]],
) -> &'a mut Worksheet {
    let sheet = book.add_worksheet().set_name(name).unwrap();
    for (place, row) in (0..).zip(rows) {
        sheet.write_row(place, 0, *row).unwrap();
    }
    sheet
}

pub(crate) fn upload(mut book: Workbook) -> Upload {
    Upload::file("products.xlsx", book.save_to_buffer().unwrap())
}

/// A hidden sheet, an empty one, one of products and one more.
fn several() -> Workbook {
    let mut book = Workbook::new();
    sheet(&mut book, "Old", &[HEADER, ["O", "Old"]]).set_hidden(true);
    sheet(&mut book, "Cover", &[]);
    sheet(&mut book, "Products", &[HEADER, ["A", "Arnica"]]).set_active(true);
    sheet(&mut book, "More", &[HEADER, ["B", "Belladonna"]]);
    book
}

#[tokio::test]
async fn the_first_visible_sheet_with_data_is_read() {
    let (status, rows) = load(upload(several()), "sku").await;
    assert_eq!(status["detected"]["sheet"], "Products");
    assert_eq!(status["detected"]["format"], "xlsx");
    assert_eq!(rows, [["A"]]);
}

#[tokio::test]
async fn any_sheet_can_be_asked_for() {
    for (asked, name, sku) in [("More", "More", "B"), ("more", "More", "B"), ("Old", "Old", "O")] {
        let (status, rows) = load(upload(several()).option("sheet", asked), "sku").await;
        assert_eq!(status["detected"]["sheet"], name);
        assert_eq!(rows, [[sku]]);
    }
    let mut server = Server::start(Kind::Sqlite).await;
    let answer = server.upload("products", upload(several()).option("sheet", "None")).await;
    answer.assert_problem(422, "no_such_sheet");
    let detail = answer.json["detail"].as_str().unwrap();
    assert!(["`None`", "`Products`", "`More`"].iter().all(|it| detail.contains(it)), "{detail}");
    server.check_every_job().await;
}

#[tokio::test]
async fn the_header_may_stand_below_a_title_and_rows_may_be_blank() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "Price list").unwrap();
    sheet.write_row(3, 1, HEADER).unwrap();
    sheet.write_row(4, 1, ["A", "Arnica"]).unwrap();
    sheet.write_row(7, 1, ["B", ""]).unwrap();
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload(book).option("headerRow", "4")).await;
    assert_eq!(status["progress"]["total"], 2);
    assert_eq!(server.rows("select sku from products").await, [["A"]]);
    let error = server.errors(1, "").await.ok()["errors"][0].clone();
    assert_eq!(error["rowNumber"], 8, "as the spreadsheet shows it");
    server.check_every_job().await;
}

#[tokio::test]
async fn files_of_many_programs_give_an_answer_and_no_fault_of_the_server() {
    let mut server = Server::start(Kind::Sqlite).await;
    let names = [
        "any_sheets.ods",
        "any_sheets.xls",
        "any_sheets.xlsb",
        "any_sheets.xlsx",
        "date.ods",
        "date_1904.xlsb",
        "errors.xlsx",
        "header-row.xlsx",
        "inventory-table.xlsx",
        "issue_666_panic.xlsb",
        "merged_range.xlsx",
        "number_rows_repeated.ods",
        "ptgexp-truncated-operand.xls",
        "temperature.xlsx",
        "too_small.xls",
        "vba.xlsm",
        "xls_wrong_decimals.xls",
    ];
    let own = ["products.xls", "reports/41-error-cells.xlsx", "reports/41-error-cells.xlsb"];
    let own = own.map(|name| (name.rsplit('/').next().unwrap(), fixture(name)));
    let shared = names.into_iter().filter_map(|name| Some((name, corpus(name)?)));
    for (name, bytes) in own.into_iter().chain(shared) {
        let answer = server.upload("products", Upload::file(name, bytes)).await;
        assert!([202, 415, 422].contains(&answer.status), "{name}: {}", answer.text());
        if answer.status == 202 {
            server.finished(answer.data()["jobId"].as_i64().unwrap()).await;
        } else {
            assert!(!answer.code().is_empty(), "{name}");
            assert_ne!(answer.code(), "parser_crashed", "{name}: {}", answer.text());
        }
    }
    server.check_every_job().await;
}
