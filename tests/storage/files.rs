//! The files of these tests.

use crate::support::*;

/// A list of `rows` products of which every fifth has a price that is none.
pub(crate) fn list(prefix: &str, rows: u32) -> String {
    let mut text = "SKU,Name,Selling Price\n".to_owned();
    for row in 0..rows {
        let price = if row % 5 == 0 { "free".to_owned() } else { format!("{row}.50") };
        text.push_str(&format!("{prefix}{row:05},Row {row},{price}\n"));
    }
    text
}

/// The keys of the failed rows as `errors.csv` has them.
pub(crate) async fn failed_keys(server: &Server, job: i64) -> Vec<String> {
    let file = server.errors_file(job, "csv").await;
    assert_eq!(file.status, 200, "{}", file.text());
    let mut records = csv::ReaderBuilder::new().flexible(true).from_reader(&*file.bytes);
    records.records().map(|record| record.unwrap()[0].to_owned()).collect()
}

/// The folders of uploads in a folder.
pub(crate) fn folders(uploads: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(uploads) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}
