//! The ways of writing: only new rows, only rows that are there, blank cells that leave values.

use super::tables::*;
use crate::support::*;

const BEFORE: &str = "SKU,Name,Brand,Price\nA,Arnica,X,1\nB,Belladonna,Y,2\n";
const FILE: &str = "SKU,Name,Brand,Price\nA,Arnica 1,,3\nC,China,Z,4\nB,Belladonna,Y,5\n";

async fn loads_and_takes_back(server: &Server, option: (&str, &str), expected: [u64; 4]) {
    server.load("products", Upload::csv(BEFORE)).await;
    let (before, records) = (products(server).await, current(server).await);
    let job = server.load("products", undoable(FILE).option(option.0, option.1)).await;
    let status = take_back(server, job["jobId"].as_i64().unwrap()).await;
    assert_counts(&status, expected);
    assert_eq!(products(server).await, before);
    assert_eq!(current(server).await, records);
}

both!(new_rows_alone, |server| {
    loads_and_takes_back(server, ("mode", "insert"), [1, 0, 0, 0]).await;
});

both!(rows_that_are_there_alone, |server| {
    loads_and_takes_back(server, ("mode", "update"), [0, 2, 0, 0]).await;
});

both!(blank_cells_that_leave_values, |server| {
    loads_and_takes_back(server, ("blank", "keep"), [1, 2, 0, 0]).await;
});

both!(the_last_of_several_rows_with_one_key, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let before = products(server).await;
    let job = load(server, "SKU,Name\nA,x\nC,y\nA,z\nC,Arnica\n").await;
    assert_counts(&take_back(server, job).await, [1, 1, 0, 0]);
    assert_eq!(products(server).await, before);
});

both!(a_file_of_keys_and_names_alone_in_a_workbook_of_its_own, |server| {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    for (row, cells) in [["SKU", "Name"], ["A", "Arnica"], ["B", "Bryonia"]].iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            sheet
                .write(u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), *cell)
                .unwrap();
        }
    }
    let upload = Upload::file("list.xlsx", workbook.save_to_buffer().unwrap());
    let job = server.load("products", upload.option("undo", "true")).await;
    let status = take_back(server, job["jobId"].as_i64().unwrap()).await;
    assert_counts(&status, [2, 0, 0, 0]);
    assert_eq!(status["fileName"], "list.xlsx");
});
