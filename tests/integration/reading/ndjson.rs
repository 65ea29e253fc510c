//! NDJSON goes through everything that CSV goes through, and a line that means harm is an error of
//! its row only.

use serde_json::json;

use super::products::{faults, load};
use crate::support::{Kind, SLOW, Server, Upload, both};
use crate::survival::*;

fn ndjson(text: &str) -> Upload {
    Upload::file("products.ndjson", text)
}

/// A CSV without quotes as NDJSON; what is a number there is one here.
fn as_ndjson(csv: &str) -> String {
    let mut lines = csv.lines().map(|line| line.split(','));
    let keys: Vec<&str> = lines.next().unwrap().collect();
    let mut text = String::new();
    for line in lines {
        let member = |(key, cell): (&&str, &str)| match cell.parse::<f64>() {
            Ok(_) => format!("{}:{cell}", json!(key)),
            Err(_) => format!("{}:{}", json!(key), json!(cell)),
        };
        let members: Vec<String> = keys.iter().zip(line).map(member).collect();
        text.push_str(&format!("{{{}}}\n", members.join(",")));
    }
    text
}

both!(
    a_job_of_json_lines_survives_being_killed_like_one_of_csv,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "5")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", ndjson(&as_ndjson(&before()))).await;
        let job = server.import("products", ndjson(&as_ndjson(&file()))).await;
        let mut seen = 0;
        for rows in [1, 300, 700] {
            seen = reaches(server, job, seen, rows).await;
            server.kill();
            server.restart();
        }
        let status = server.finished(job).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["counts"], counts);
        assert!(contents(server).await == expected, "the tables differ from those of the CSV");
    }
);

both!(
    rows_that_failed_and_rows_that_are_left_come_back_as_csv,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "2")],
    |server| {
        let (_, expected) = undisturbed(server).await;
        server.load("products", ndjson(&as_ndjson(&before()))).await;
        let job = server.import("products", ndjson(&as_ndjson(&file()))).await;
        reaches(server, job, 0, 100).await;
        let cancelled = server.cancel(job).await.ok().clone();
        let rest = server.get(cancelled["links"]["unprocessedCsv"].as_str().unwrap()).await;
        let status = server.load("products", Upload::file("rest.csv", rest.bytes)).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert!(contents(server).await == expected, "the tables differ from an undisturbed run");

        let failed = server.errors_file(job, "csv").await;
        let again = server.load("products", Upload::file("failed.csv", failed.bytes)).await;
        assert_eq!(again["counts"]["failed"], again["progress"]["total"], "{again}");
        let child = server.retry(job, "failed").await;
        let child = server.finished(child).await;
        assert_eq!(child["counts"], again["counts"], "{child}");
    }
);

both!(an_import_of_json_lines_is_rolled_back, |server| {
    server.load("products", ndjson("{\"sku\":\"A\",\"name\":\"Arnica\"}\n")).await;
    let text =
        "{\"sku\":\"A\",\"name\":\"Arnica montana\"}\n{\"sku\":\"B\",\"name\":\"Belladonna\"}\n";
    let job = server.load("products", ndjson(text).option("undo", "true")).await;
    let answer = server.action(job["jobId"].as_i64().unwrap(), "rollback").await;
    let rollback = server.finished(answer.ok()["jobId"].as_i64().unwrap()).await;
    assert_eq!(rollback["status"], "completed", "{rollback}");
    assert_eq!(server.rows("select sku, name from products").await, [["A", "Arnica"]]);
});

both!(lines_that_mean_harm_are_errors_of_their_rows, [("LOADBAY_CHUNK_ROWS", "3")], |server| {
    let good = |sku: &str| format!("{{\"sku\":\"{sku}\",\"name\":\"Good\"}}\n");
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let text = [
        good("A"),
        format!("{{\"sku\":\"B\",\"name\":{deep}}}\n"),
        format!("{}\n", "{\"sku\":".repeat(100_000)),
        "{\"sku\":\"C\",\"name\":\"one\",\"name\":\"two\"}\n".to_owned(),
        format!("{{\"sku\":\"D\",\"name\":\"{}\"}}\n", "x".repeat(5 << 20)),
        format!("{{\"sku\":\"E\",\"name\":\"{}\"}}\n", "x".repeat(2 << 20)),
        "{\"sku\":\"F\",\"name\":\"cut\n".to_owned(),
        "[\"G\",\"Array\"]\n".to_owned(),
        "\n".to_owned(),
        "{\"sku\":\"H\",\"name\":\"Hamamelis\",\"colour\":\"red\"}\n".to_owned(),
        "{\"sku\":\"I\",\"name\":\"Ignatia\",\"colour\":null}\n".to_owned(),
        "{\"sku\":\"J\",\"name\":\"nul \\u0000\"}\n".to_owned(),
        good("Z"),
    ];
    // The first line makes the header alone: what follows is further away.
    let far: String = (0..1_000).map(|n| good(&format!("N{n}"))).collect();
    let status = server.load("products", ndjson(&format!("{far}{}", text.concat()))).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["detected"]["header"], json!(["sku", "name"]));
    let row = |line: u64, code: &str| (1_000 + line, code.to_owned());
    let found: Vec<_> =
        faults(server, &status).await.into_iter().map(|(row, _, code)| (row, code)).collect();
    let expected = [
        row(2, "too_long"),
        row(3, "malformed_row"),
        row(4, "malformed_row"),
        row(5, "too_long"),
        row(6, "too_long"),
        row(7, "malformed_row"),
        row(8, "malformed_row"),
        row(10, "unknown_key"),
        row(12, "nul_character"),
    ];
    assert_eq!(found, expected);
    assert_eq!(status["counts"]["created"], 1_003, "{status}");
    let list = server.errors_file(status["jobId"].as_i64().unwrap(), "csv").await;
    assert!(list.text().contains("G\"\",\"\"Array"), "the line itself is handed back");
    let again = server.load("products", Upload::file("failed.csv", list.bytes)).await;
    assert_eq!(again["counts"]["failed"], again["progress"]["total"], "{again}");
});

#[tokio::test]
async fn values_keep_their_digits_and_their_kinds() {
    let text = "{\"SKU\":\"00123\",\"Name\":\"Arnica\",\"Cost Price\":1.5e1,\"Barcode\":4006381333931,\
                \"Tags\":[\"a, b\",\"c\"],\"Is Active\":false,\"Qty\":null}\n\
                {\"SKU\":124,\"Name\":\"caf\\u00e9 \\ud83d\\ude00\",\"Cost Price\":\"12,50\",\
                \"Extra\":{\"x\":[1]}}\n";
    let columns = "sku, name, cost_price, barcode, tags, is_active, current_stock";
    let (status, rows) = load(ndjson(text).option("decimal", "comma"), columns).await;
    assert_eq!(status["counts"]["created"], 2, "{status}");
    assert_eq!(status["detected"]["format"], "ndjson");
    assert_eq!(status["detected"]["headerRow"], 0);
    let header = ["SKU", "Name", "Cost Price", "Barcode", "Tags", "Is Active", "Qty", "Extra"];
    assert_eq!(status["detected"]["header"], json!(header));
    assert_eq!(rows[0][..6], ["00123", "Arnica", "15", "4006381333931", "[\"a, b\",\"c\"]", "0"]);
    assert_eq!(rows[1][..3], ["124", "café 😀", "12.5"]);
}

#[tokio::test]
async fn json_lines_are_known_by_their_content_whatever_their_name_and_encoding() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "{\"sku\":\"A\",\"name\":\"Käse\"}\n";
    let marked = format!("\u{feff}{text}");
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for upload in [
        Upload::file("a.jsonl", text),
        Upload::file("a.NDJSON", marked.as_bytes()),
        Upload::file("a", text).media_type("application/x-ndjson"),
        Upload::file("export", text).media_type("application/octet-stream"),
        Upload::file("a.ndjson", wide),
        Upload::file("a.ndjson", text.trim()).raw(),
        Upload::file("a.ndjson", text.replace('\n', "\r\n")),
    ] {
        let status = server.load("products", upload).await;
        assert_eq!(status["detected"]["format"], "ndjson", "{status}");
        assert_eq!(status["counts"]["failed"], 0, "{status}");
        assert_eq!(server.rows("select sku, name from products").await, [["A", "Käse"]]);
    }
    for (name, text, code) in [
        ("a.csv", text, "format_mismatch"),
        ("a.ndjson", "sku,name\nA,Arnica\n", "format_mismatch"),
        ("a.ndjson", "{\"colour\":\"red\"}\n", "no_header"),
        ("a.ndjson", "{\n\"sku\":\"A\"\n}\n", "no_header"),
        ("a.ndjson", "", "empty_file"),
    ] {
        let answer = server.upload("products", Upload::file(name, text)).await;
        assert_eq!(answer.code(), code, "{text}: {}", answer.text());
    }
    server.check_every_job().await;
}

#[tokio::test]
async fn the_preview_the_limits_and_the_template_know_json_lines() {
    let mut server = Server::start(Kind::Sqlite).await;
    let limits = server.get("/api/v1/limits").await.ok().clone();
    for ending in [".ndjson", ".jsonl"] {
        assert!(limits["extensions"].as_array().unwrap().contains(&json!(ending)), "{limits}");
    }
    let text = "{\"Artikel\":\"A\",\"Titel\":\"Arnica\"}\n{\"Artikel\":\"B\"\n";
    let mapping = "{\"Artikel\":\"sku\",\"Titel\":\"name\"}";
    let upload = || ndjson(text).option("mapping", mapping);
    let preview = server.upload("products/preview", upload()).await;
    let preview = preview.ok();
    assert_eq!(preview["ready"], true, "{preview}");
    assert_eq!(preview["columns"][1]["samples"], json!(["Arnica"]));
    assert_eq!(preview["rows"][1]["errors"][0]["code"], "malformed_row", "{preview}");
    let status = server.load("products", upload()).await;
    assert_eq!(status["counts"]["created"], 1, "{status}");

    let template = server.template("products", "ndjson").await;
    assert_eq!(template.header("content-type"), Some("application/x-ndjson"));
    let status = server.load("products", Upload::file("t.ndjson", template.bytes)).await;
    assert_eq!((&status["counts"]["created"], &status["counts"]["failed"]), (&json!(1), &json!(0)));
    server.check_every_job().await;
}
