//! A JSON array goes through everything that CSV goes through; an element that means harm is an error
//! of its row only, and an array that breaks off writes nothing.

use serde_json::{Value, json};

use super::products::{faults, load};
use crate::support::{Kind, SLOW, Server, Upload, both};
use crate::survival::*;

fn json_file(text: &str) -> Upload {
    Upload::file("products.json", text)
}

/// A CSV without quotes as a JSON array that goes over several lines.
fn as_json(csv: &str) -> String {
    let mut lines = csv.lines().map(|line| line.split(','));
    let keys: Vec<&str> = lines.next().unwrap().collect();
    let object = |line: std::str::Split<'_, char>| {
        keys.iter().copied().zip(line).map(|(key, cell)| (key.to_owned(), json!(cell))).collect()
    };
    let rows: Vec<Value> = lines.map(object).map(Value::Object).collect();
    serde_json::to_string_pretty(&rows).unwrap()
}

both!(
    a_job_of_a_json_array_survives_being_killed_like_one_of_csv,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "5")],
    |server| {
        let (counts, expected) = undisturbed(server).await;
        server.load("products", json_file(&as_json(&before()))).await;
        let wrapped = format!("{{\"page\": 1, \"items\": {}}}", as_json(&file()));
        let job = server.import("products", json_file(&wrapped)).await;
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
        let failed = server.errors_file(job, "csv").await;
        let again = server.load("products", Upload::file("failed.csv", failed.bytes)).await;
        assert_eq!(again["counts"]["failed"], again["progress"]["total"], "{again}");
    }
);

both!(elements_that_mean_harm_are_errors_of_their_rows, [("LOADBAY_CHUNK_ROWS", "3")], |server| {
    let good = |sku: &str| format!("{{\"sku\":\"{sku}\",\"name\":\"Good\"}}");
    let elements = [
        good("A"),
        format!("{{\"sku\":\"B\",\"name\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000)),
        "{\"sku\":\"C\",\"name\":\"one\",\"name\":\"two\"}".to_owned(),
        format!("{{\"sku\":\"D\",\"name\":\"{}\"}}", "x".repeat(5 << 20)),
        "{\"sku\":\"F\" \"name\":\"no comma\"}".to_owned(),
        "[\"G\",\"Array\"]".to_owned(),
        "7".to_owned(),
        "{\"sku\":\"H\",\"name\":\"Hamamelis\",\"colour\":\"red\"}".to_owned(),
        "{\"sku\":\"J\",\"name\":\"nul \\u0000\"}".to_owned(),
        good("Z"),
    ];
    // The first elements make the header alone: what follows is further away.
    let far: Vec<String> = (0..1_000).map(|n| good(&format!("N{n}"))).collect();
    let text = format!("[{},\n{}\n]\n", far.join(","), elements.join(",\n"));
    let status = server.load("products", json_file(&text)).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["detected"]["header"], json!(["sku", "name"]));
    let row = |element: u64, code: &str| (1_000 + element, code.to_owned());
    let found: Vec<_> =
        faults(server, &status).await.into_iter().map(|(row, _, code)| (row, code)).collect();
    let expected = [
        row(2, "too_long"),
        row(3, "malformed_row"),
        row(4, "too_long"),
        row(5, "malformed_row"),
        row(6, "malformed_row"),
        row(7, "malformed_row"),
        row(8, "unknown_key"),
        row(9, "nul_character"),
    ];
    assert_eq!(found, expected);
    let errors = server.errors(status["jobId"].as_i64().unwrap(), "").await.ok().clone();
    assert_eq!(errors["errors"][0]["line"], 3, "{errors}");
});

both!(an_array_that_breaks_off_writes_nothing, [("LOADBAY_CHUNK_ROWS", "10")], |server| {
    let rows: Vec<String> = (0..9_000)
        .map(|n| format!("{{\"sku\":\"N{n}\",\"name\":\"{}\"}}", "x".repeat(30)))
        .collect();
    let rows = rows.join(",\n");
    for (text, code) in [
        (format!("[{rows},\n{{\"sku\":\"cut"), "invalid_json"),
        (format!("[{rows}]\n[]"), "invalid_json"),
        (format!("{{\"a\":[{rows}],\"b\":[{{\"sku\":\"X\"}}]}}"), "no_such_sheet"),
    ] {
        let status = server.load("products", json_file(&text)).await;
        assert_eq!((&status["status"], &status["errorCode"]), (&json!("failed"), &json!(code)));
        assert_eq!(server.rows("select count(*) from products").await, [["0"]], "{status}");
    }
});

#[tokio::test]
async fn values_keep_their_digits_and_their_kinds() {
    let text = "[{\"SKU\":\"00123\",\"Name\":\"Arnica\",\"Cost Price\":1.5e1,\
                \"Barcode\":4006381333931,\n\"Tags\":[\"a, b\",\"c\"],\"Is Active\":false},\n\
                {\"SKU\":124,\"Name\":\"caf\\u00e9 \\ud83d\\ude00\",\"Cost Price\":\"12,50\"}]";
    let columns = "sku, name, cost_price, barcode, tags, is_active";
    let (status, rows) = load(json_file(text).option("decimal", "comma"), columns).await;
    assert_eq!(status["counts"]["created"], 2, "{status}");
    assert_eq!(status["detected"]["format"], "json");
    assert_eq!(status["detected"]["headerRow"], 0);
    assert_eq!(rows[0], ["00123", "Arnica", "15", "4006381333931", "[\"a, b\",\"c\"]", "0"]);
    assert_eq!(rows[1][..3], ["124", "café 😀", "12.5"]);
}

#[tokio::test]
async fn an_array_is_known_by_its_content_whatever_its_name_place_and_encoding() {
    let mut server = Server::start(Kind::Sqlite).await;
    let text = "[{\"sku\":\"A\",\"name\":\"Käse\"}]";
    let wide: Vec<u8> =
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let two = "{\"gone\":[{\"x\":1}],\"rows\":[{\"sku\":\"A\",\"name\":\"Käse\"}]}";
    for upload in [
        json_file(text),
        Upload::file("export", text).media_type("application/octet-stream"),
        json_file(text).media_type("application/json").raw(),
        json_file(&format!(" \n\u{feff}{text}").replace(" \n", "")).media_type("text/json").raw(),
        Upload::file("a.json", wide),
        json_file(&format!("{{\"data\":{{\"count\":1,\"rows\":{text}}}}}")),
        json_file(two).option("sheet", "rows"),
        Upload::file("a.ndjson", format!("{text}\n")),
    ] {
        let status = server.load("products", upload).await;
        assert_eq!(status["detected"]["format"], "json", "{status}");
        assert_eq!(status["counts"]["failed"], 0, "{status}");
        assert_eq!(server.rows("select sku, name from products").await, [["A", "Käse"]]);
    }
    for lines in [
        "{\"sku\":\"A\",\"name\":\"Käse\"}",
        "{\"sku\":\"A\"}\n{\"sku\":\"A\",\"name\":\"Käse\"}\n",
    ] {
        let status = server.load("products", json_file(lines)).await;
        assert_eq!(
            status["detected"]["format"], "ndjson",
            "one object a line under the name .json"
        );
    }
    for (name, text, code) in [
        ("a.csv", text, "format_mismatch"),
        ("a.json", "sku,name\nA,Arnica\n", "format_mismatch"),
        ("a.json", "[{\"colour\":\"red\"}]", "no_header"),
        ("a.json", "[1, 2]", "no_header"),
        ("a.json", "[[\"sku\"],[\"A\"]]", "no_header"),
        ("a.json", "[]", "empty_file"),
        ("a.json", "{\"rows\": []}", "empty_file"),
        ("a.json", "{\n\"sku\": \"A\"\n}", "invalid_json"),
        ("a.json", "[{\"sku\":\"A\",\"name\":\"x\"}", "invalid_json"),
        ("a.json", two, "no_such_sheet"),
    ] {
        let answer = server.upload("products", Upload::file(name, text)).await;
        assert_eq!(answer.code(), code, "{text}: {}", answer.text());
    }
    let preview = json_file(text).media_type("application/json").raw();
    let preview = server.upload("products/preview", preview).await;
    assert_eq!(preview.ok()["ready"], true, "{}", preview.text());
    let address =
        json_file("{\"url\":\"https://a.example/x\"}").media_type("application/json").raw();
    server.upload("products/preview", address).await.assert_problem(415, "unsupported_format");
    server.check_every_job().await;
}
