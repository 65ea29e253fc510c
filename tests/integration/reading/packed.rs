//! A file of any format that is packed with gzip is what is inside: kept, compared, retried and
//! handed back as that.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::products::corpus;
use crate::support::{Kind, SLOW, Server, Upload, both};
use crate::survival::*;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

both!(
    a_packed_file_survives_being_killed_and_hands_its_rows_back,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "5")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", Upload::csv(&before())).await;
        let packed = gzip(file().as_bytes());
        let upload =
            || Upload::file("products.csv.gz", packed.clone()).header("Idempotency-Key", "k");
        let job = server.import("products", upload()).await;
        reaches(server, job, 0, 300).await;
        server.kill();
        server.restart();
        let status = server.finished(job).await;
        assert_eq!(status["counts"], counts, "{status}");
        assert_eq!(status["fileName"], "products.csv");
        assert_eq!(status["fileSize"], file().len());
        let hash: String =
            Sha256::digest(file().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(status["sha256"], json!(hash));
        assert!(contents(server).await == expected, "the tables differ from those of the CSV");
        let again = server.upload("products", upload()).await;
        assert_eq!(again.data()["jobId"], job, "the key has its job: {}", again.text());
        let failed = server.errors_file(job, "csv").await;
        let again = Upload::file("failed.csv.gz", gzip(&failed.bytes));
        let again = server.load("products", again).await;
        assert_eq!(again["counts"]["failed"], again["progress"]["total"], "{again}");
        let child = server.retry(job, "failed").await;
        let child = server.finished(child).await;
        assert_eq!(child["counts"], again["counts"], "{child}");
    }
);

#[tokio::test]
async fn every_format_may_be_packed_and_a_bomb_is_refused() {
    let mut server = Server::start(Kind::Sqlite).await;
    let csv = b"SKU,Name\nA,Arnica\n";
    for (name, inside, format) in [
        ("a.csv.gz", &csv[..], "csv"),
        (
            "export",
            b"{\"SKU\":\"A\",\"Name\":\"B\"}\n{\"SKU\":\"A\",\"Name\":\"Arnica\"}\n",
            "ndjson",
        ),
        ("a.JSON.GZ", b"[{\"SKU\":\"A\",\"Name\":\"Arnica\"}]", "json"),
    ] {
        for raw in [false, true] {
            let upload = Upload::file(name, gzip(inside)).media_type("application/gzip");
            let upload = if raw { upload.raw() } else { upload };
            let status = server.load("products", upload).await;
            assert_eq!(status["detected"]["format"], format, "{status}");
            assert_eq!(server.rows("select sku, name from products").await, [["A", "Arnica"]]);
        }
    }
    let workbook = server.template("products", "xlsx").await.bytes;
    let status = server.load("products", Upload::file("t.xlsx.gz", gzip(&workbook))).await;
    assert_eq!(status["detected"]["format"], "xlsx", "{status}");
    let preview = server.upload("products/preview", Upload::file("a.csv.gz", gzip(csv))).await;
    assert_eq!(preview.ok()["ready"], true, "{}", preview.text());

    let whole = gzip(csv);
    let bomb = gzip(&vec![0; 17 << 20]);
    for (name, bytes, status, code) in [
        ("a.csv.gz", whole[..whole.len() - 9].to_vec(), 422, "corrupt_archive"),
        ("a.csv.gz", bomb.clone(), 422, "expands_too_large"),
        ("a.csv.gz", gzip(&whole), 415, "unsupported_format"),
        ("a.xlsx.gz", whole.clone(), 415, "format_mismatch"),
        ("a.csv.gz", gzip(b""), 422, "empty_file"),
    ] {
        server.upload("products", Upload::file(name, bytes)).await.assert_problem(status, code);
    }
    server.nothing_temporary_is_left().await;
    server.check_every_job().await;

    let server = Server::start_with(Kind::Sqlite, &[("LOADBAY_MAX_UPLOAD", "1MiB")]).await;
    let large = Upload::file("a.csv.gz", gzip(&vec![b'a'; 2 << 20]));
    server.upload("products", large).await.assert_problem(413, "too_large");
}

#[tokio::test]
async fn a_packed_real_file_is_what_it_is_unpacked() {
    let Some(workbook) = corpus("../real/Template_File_Medicine_Product_List.xls") else { return };
    let mut server = Server::start(Kind::Sqlite).await;
    let status = server.load("products", Upload::file("list.xls.gz", gzip(&workbook))).await;
    assert_eq!(status["counts"]["created"], 2_288, "{status}");
    server.check_every_job().await;
}
