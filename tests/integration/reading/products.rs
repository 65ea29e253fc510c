//! What a file came to: its status, and the products that are stored of it.

use std::path::Path;

use serde_json::Value;

use crate::support::{Kind, Server, Upload};

/// Uploads a file to a server of its own, checks the guarantees, and gives the status and the
/// stored values of the columns `columns`, by SKU.
pub(crate) async fn load(upload: Upload, columns: &str) -> (Value, Vec<Vec<String>>) {
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", upload).await;
    let rows = server.rows(&format!("select {columns} from products order by sku")).await;
    server.check_every_job().await;
    (status, rows)
}

/// Codes and columns of a job's row errors, by row.
pub(crate) async fn faults(server: &Server, job: &Value) -> Vec<(u64, String, String)> {
    let job = job["jobId"].as_i64().unwrap();
    let errors = server.errors(job, "?limit=500").await.ok()["errors"].clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = errors.as_array().unwrap();
    errors
        .iter()
        .map(|it| (it["rowNumber"].as_u64().unwrap(), text(&it["column"]), text(&it["code"])))
        .collect()
}

/// A file of our own.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    std::fs::read(Path::new(folder).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A file of the collected spreadsheets; none where that folder is missing.
pub(crate) fn corpus(name: &str) -> Option<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora/spreadsheets");
    let found = std::fs::read(Path::new(folder).join(name)).ok();
    if found.is_none() {
        eprintln!("skipped: {folder}/{name} is not there");
    }
    found
}
