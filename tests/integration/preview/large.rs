//! A preview reads the first rows, whatever comes after them.

use serde_json::json;

use super::seen;
use crate::support::{Kind, Server, Upload};
use crate::upload::forms::assert_nothing_left;

const ROWS: usize = 200_000;

/// Good rows; the last one is longer than a row may be, so that only who reads to the end of the file
/// meets it.
fn text() -> String {
    let mut text = String::with_capacity(ROWS * 60);
    text.push_str("SKU,Name,Category,Selling Price,Current Stock\n");
    for row in 0..ROWS {
        text.push_str(&format!("S-{row:07},Product {row},Drops,{row}.25,{}\n", row % 100));
    }
    text.push_str("S-end,");
    text.push_str(&"x".repeat((1 << 20) + 1));
    text
}

#[tokio::test]
async fn only_the_start_of_a_large_file_is_read() {
    let server = Server::start(Kind::Sqlite).await;
    let text = text();
    for upload in [Upload::csv(&text), Upload::csv(&text).raw()] {
        let data = seen(&server, upload).await;
        assert_eq!((&data["ready"], &data["fileSize"]), (&json!(true), &json!(text.len())));
        let rows = data["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 10);
        assert_eq!(rows[9]["rowNumber"], 11);
        assert!(rows.iter().all(|row| row["errors"] == json!([])));
        assert_nothing_left(&server).await;
    }
}
