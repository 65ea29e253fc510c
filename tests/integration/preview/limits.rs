//! What the server says that it takes.

use serde_json::json;

use super::seen;
use crate::support::{Kind, Server, Upload};

#[tokio::test]
async fn the_limits_are_those_of_the_settings() {
    let server = Server::start(Kind::Sqlite).await;
    let extensions = [
        ".csv", ".tsv", ".txt", ".ndjson", ".jsonl", ".json", ".xlsx", ".xlsm", ".xlsb", ".xls",
        ".ods", ".dsv6", ".dsv7", ".dsv8", ".dsv", ".gz",
    ];
    assert_eq!(
        server.get("/api/v1/limits").await.ok(),
        &json!({"maxUploadBytes": 1 << 30, "extensions": extensions, "chunkRows": 10_000,
            "stuckAfterSeconds": 60})
    );
    for extension in [".csv", ".tsv", ".txt"] {
        seen(&server, Upload::file(&format!("p{extension}"), "SKU,Name\nA,B\n")).await;
    }
    server.get("/api/v1/limits?x=1").await.assert_problem(400, "unknown_option");

    let settings =
        [("LOADBAY_MAX_UPLOAD", "3MiB"), ("LOADBAY_CHUNK_ROWS", "77"), ("LOADBAY_LEASE", "1500ms")];
    let server = Server::start_with(Kind::Sqlite, &settings).await;
    let limits = server.get("/api/v1/limits").await.ok().clone();
    assert_eq!(limits["maxUploadBytes"], 3 << 20);
    assert_eq!(limits["chunkRows"], 77);
    assert_eq!(limits["stuckAfterSeconds"], 3);
}
