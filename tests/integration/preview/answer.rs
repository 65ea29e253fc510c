//! The answer to a file that could be imported.

use serde_json::json;

use super::{each, preview, seen};
use crate::support::{Kind, Server, Upload};
use crate::upload::forms::{form, send_as};

const TEXT: &str = "Product Code;Name;Colour;Qty;MRP\n\
                    A-1;Arnica;red;5;12,50\n\
                    A-2;Belladonna;;7;3,00\n\
                    A-3;Calendula;red;5;\n\
                    A-4;Drosera;blue;9;1,25\n\
                    A-5;Echinacea;green;5;8,00\n\
                    A-6;Ferrum;black;5;8,00\n";

#[tokio::test]
async fn the_answer_says_what_was_found_in_this_shape() {
    let server = Server::start(Kind::Sqlite).await;
    let answer = preview(&server, Upload::file("list.csv", TEXT)).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let data = answer.ok();
    let members = [
        "columns", "dataset", "detected", "faults", "fileName", "fileSize", "missing", "ready",
        "rows", "warnings",
    ];
    let mut found: Vec<_> = data.as_object().unwrap().keys().collect();
    found.sort_unstable();
    assert_eq!(found, members);
    assert_eq!(data["dataset"], "products");
    assert_eq!(data["fileName"], "list.csv");
    assert_eq!(data["fileSize"], TEXT.len());
    assert_eq!((&data["ready"], &data["faults"]), (&json!(true), &json!([])));
    assert_eq!(
        data["columns"],
        json!([
            {"header": "Product Code", "index": 0, "column": "sku", "title": "SKU",
             "required": true, "samples": ["A-1", "A-2", "A-3"]},
            {"header": "Name", "index": 1, "column": "name", "title": "Name",
             "required": true, "samples": ["Arnica", "Belladonna", "Calendula"]},
            {"header": "Colour", "index": 2, "column": null, "title": null,
             "required": false, "samples": ["red", "blue", "green"]},
            {"header": "Qty", "index": 3, "column": "current_stock", "title": "Current Stock",
             "required": false, "samples": ["5", "7", "9"]},
            {"header": "MRP", "index": 4, "column": "mrp", "title": "MRP",
             "required": false, "samples": ["12,50", "3,00", "1,25"]},
        ])
    );
    assert_eq!(data["rows"].as_array().unwrap().len(), 6);
    assert_eq!(
        data["rows"][2],
        json!({"rowNumber": 4, "cells": ["A-3", "Calendula", "red", "5", ""], "errors": []})
    );
    let missing = data["missing"].as_array().unwrap();
    assert_eq!(missing.len(), 23 - 4, "every column that the file does not have");
    assert!(
        missing.contains(&json!({"column": "hsn_code", "title": "HSN Code", "required": false}))
    );
    assert!(each(&data["missing"], "required").iter().all(|required| **required == false));
}

#[tokio::test]
async fn what_was_detected_is_what_the_job_goes_by() {
    let server = Server::start(Kind::Sqlite).await;
    let windows = b"SKU;Name;MRP\nA;Gr\xfc\xdfe;1.234,5\n";
    let tabs = "Title\nof the list\n\nSKU\tName\tMRP\nA\tArnica\t3\n";
    for (upload, at) in [
        (Upload::file("list.csv", TEXT), "list.csv"),
        (Upload::file("list.csv", windows), "list.csv"),
        (Upload::file("t.tsv", tabs).option("headerRow", "4").raw(), "t.tsv"),
        (Upload::csv("sku|name|x\nA|B|3\n").field("mapping", r#"{"x":"mrp"}"#), "products.csv"),
    ] {
        let data = seen(&server, upload.clone()).await;
        let job = server.load("products", upload).await;
        assert_eq!(data["detected"], job["detected"]);
        assert_eq!((&data["fileName"], &data["fileSize"]), (&at.into(), &job["fileSize"]));
        assert_eq!(each(&data["columns"], "column"), each_of(&job["detected"]["columns"]));
    }
}

fn each_of(list: &serde_json::Value) -> Vec<&serde_json::Value> {
    list.as_array().unwrap().iter().collect()
}

#[tokio::test]
async fn a_mapping_decides_as_in_an_upload() {
    let server = Server::start(Kind::Sqlite).await;
    let mapping = r#"{"Artikel":"sku","Name":"","Bezeichnung":"name"}"#;
    let upload = Upload::csv("Artikel,Name,Bezeichnung\nA,x,Arnica\n").option("mapping", mapping);
    let data = seen(&server, upload).await;
    assert_eq!(each(&data["columns"], "column"), [&json!("sku"), &json!(null), &json!("name")]);
    assert_eq!(data["ready"], true);
}

#[tokio::test]
async fn the_file_comes_as_a_form_or_as_the_body_with_options_anywhere() {
    let server = Server::start(Kind::Sqlite).await;
    let path = "/api/v1/import/products/preview";
    let text = "SKU|Name\nA|Arnica\n";
    let file = ("name=\"file\"; filename=\"lists/p.csv\"", text.as_bytes());
    let sign = ("name=\"delimiter\"", &b"|"[..]);
    for parts in [[file, sign], [sign, file]] {
        let request = server.request(reqwest::Method::POST, path);
        let request = request.header("content-type", "multipart/form-data; boundary=a-boundary");
        let answer = server.send(request.body(form(&parts))).await;
        assert_eq!(answer.ok()["fileName"], "p.csv");
        assert_eq!(answer.ok()["rows"][0]["cells"], json!(["A", "Arnica"]));
    }
    let named = format!("{path}?delimiter=%7C&fileName=q.csv");
    let request = server.request(reqwest::Method::POST, &named).body(text);
    let answer = server.send(request).await;
    assert_eq!(answer.ok()["fileName"], "q.csv");
    // The upload's own address still takes what it took.
    assert_eq!(send_as(&server, "text/csv", text.into()).await.status, 202);
    server.finished(1).await;
}

#[tokio::test]
async fn a_header_without_rows_is_ready_and_empty() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, Upload::csv("SKU,Name\n\n")).await;
    assert_eq!((&data["ready"], &data["rows"]), (&json!(true), &json!([])));
    assert_eq!(each(&data["columns"], "samples"), [&json!([]), &json!([])]);
}

#[tokio::test]
async fn the_address_takes_only_post() {
    let server = Server::start(Kind::Sqlite).await;
    let answer = server.get("/api/v1/import/products/preview").await;
    answer.assert_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
}
