//! A product list as a shop really has it: five of the template's columns, under other names, with
//! white space and doubled blanks. Imported twice it changes nothing the second time.

use std::path::PathBuf;

use crate::support::*;
use serde_json::Value;

/// A list of the same shape of our own: see the tests below for what is in it.
const SMALL: &str = "fixtures/medicine_list.csv";

/// The file in the corpora beside the project; where they are missing the test says so and passes.
fn corpus(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora/real").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

fn fixture() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests").join(SMALL);
    std::fs::read(path).expect("the fixture is there")
}

fn counts(job: &Value) -> [u64; 5] {
    ["created", "updated", "unchanged", "superseded", "failed"]
        .map(|name| job["counts"][name].as_u64().expect("a count"))
}

/// Imports the file twice, the second time over prices that somebody set in between.
async fn twice(server: &Server, name: &str, bytes: Vec<u8>, rows: u64) {
    let job = server.load("products", Upload::file(name, bytes.clone())).await;
    assert_eq!(counts(&job), [rows, 0, 0, 0, 0], "{job}");
    assert_eq!(server.database.number("select count(*) from products").await, rows);
    let current = "select count(distinct product_id) from product_stocks where archived_at is null";
    assert_eq!(server.database.number(current).await, rows);
    let missing = "select count(*) from products where potency_id is null or pack_size is null";
    assert_eq!(server.database.number(missing).await, 0);

    server.database.execute("update products set selling_price = 7.5, barcode = sku").await;
    let stamps = "select sku, updated_at from products order by sku";
    let before = server.rows(stamps).await;
    let job = server.load("products", Upload::file(name, bytes)).await;
    assert_eq!(counts(&job), [0, 0, rows, 0, 0], "{job}");
    assert!(server.rows(stamps).await == before, "an unchanged product was written again");
    assert_eq!(server.database.number("select count(*) from product_stocks").await, rows);
    assert_eq!(server.database.number("select count(*) from product_prices").await, 0);
    let kept = "select count(*) from products where selling_price = 7.5 and barcode = sku";
    assert_eq!(server.database.number(kept).await, rows);
}

both!(the_small_list_imports_as_it_is_and_twice_changes_nothing, |server| {
    twice(server, "medicine list.csv", fixture(), 24).await;
    let sql = "select p.sku, p.name, o.code, p.pack_size, cast(p.current_stock as integer) \
               from products p join potencies o on o.id = p.potency_id \
               where p.sku in ('M-001', 'M-013') order by p.sku";
    let expected = [
        ["M-001", "Acid fluor.", "CM", "11ml", "500"],
        ["M-013", "Calc. carb., \"Ostrearum\"", "6X", "1 x 25g", "0"],
    ];
    assert_eq!(server.rows(sql).await, expected);
});

/// The list with all cells as texts of a workbook.
fn as_workbook(list: &[u8]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let rows = csv::ReaderBuilder::new().has_headers(false).from_reader(list).into_records();
    for (place, row) in (0..).zip(rows) {
        sheet.write_row(place, 0, row.unwrap().iter()).unwrap();
    }
    book.save_to_buffer().unwrap()
}

both!(the_small_list_as_csv_changes_nothing_after_the_same_list_as_a_workbook, |server| {
    twice(server, "medicine list.xlsx", as_workbook(&fixture()), 24).await;
    let job = server.load("products", Upload::file("medicine list.csv", fixture())).await;
    assert_eq!(counts(&job), [0, 0, 24, 0, 0], "{job}");
});

both!(the_real_list_imports_as_csv_and_again_without_a_change, |server| {
    let name = "Template_File_Medicine_Product_List.csv";
    if let Some(bytes) = corpus(name) {
        twice(server, name, bytes, 2_288).await;
    }
});

both!(the_real_list_imports_as_xls_and_again_without_a_change, |server| {
    let name = "Template_File_Medicine_Product_List.xls";
    if let Some(bytes) = corpus(name) {
        twice(server, name, bytes, 2_288).await;
    }
});

both!(the_list_as_csv_changes_nothing_after_the_same_list_as_xls, |server| {
    let name = "Template_File_Medicine_Product_List";
    let files = ["xls", "csv"].map(|kind| corpus(&format!("{name}.{kind}")).map(|it| (kind, it)));
    for (place, file) in files.into_iter().flatten().enumerate() {
        let (kind, bytes) = file;
        let job = server.load("products", Upload::file(&format!("{name}.{kind}"), bytes)).await;
        let expected = if place == 0 { [2_288, 0, 0, 0, 0] } else { [0, 0, 2_288, 0, 0] };
        assert_eq!(counts(&job), expected, "{job}");
    }
});
