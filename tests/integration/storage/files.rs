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

/// Makes a file or folder, and all that is in it, two days old.
pub(crate) fn age(path: &std::path::Path) {
    for inside in if path.is_dir() { folders(path) } else { Vec::new() } {
        age(&inside);
    }
    let then = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
    let times = std::fs::FileTimes::new().set_modified(then);
    std::fs::File::open(path).unwrap().set_times(times).unwrap();
}

/// Puts files there that no job knows, eight bytes in two files.
pub(crate) fn plant(uploads: &std::path::Path) -> std::path::PathBuf {
    let home = uploads.join(uuid::Uuid::new_v4().to_string());
    std::fs::create_dir_all(home.join("failed")).unwrap();
    std::fs::write(home.join("source"), "a,b\n1").unwrap();
    std::fs::write(home.join("failed/0-1.jsonl"), "{}\n").unwrap();
    home
}

/// Waits until something is true that is looked for again and again.
pub(crate) async fn until(server: &Server, is_true: impl Fn() -> bool) {
    wait_until!(is_true(), "it never comes to that; {}", server.log());
}
