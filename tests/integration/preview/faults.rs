//! Headers that an upload is refused for: a preview shows them with what is wrong.

use serde_json::{Value, json};

use super::{codes, each, seen};
use crate::support::{Kind, Server, Upload};

fn words(data: &Value) -> String {
    each(&data["faults"], "message").into_iter().map(|text| text.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_missing_required_column_is_a_fault_and_the_others_are_shown() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, Upload::csv("SKU,Nmae,MRP\nA,Arnica,x\n,Belladonna,3\n")).await;
    assert_eq!(data["ready"], false);
    assert_eq!(codes(&data["faults"]), ["missing_column"]);
    assert!(words(&data).contains("did you mean `Nmae`?"));
    assert_eq!(each(&data["columns"], "column"), [&json!("sku"), &json!(null), &json!("mrp")]);
    assert_eq!(data["detected"]["columns"], json!(["sku", null, "mrp"]));
    assert_eq!(data["missing"][0], json!({"column": "name", "title": "Name", "required": true}));
    assert_eq!(each(&data["missing"], "required").iter().filter(|it| ***it == true).count(), 1);
    assert_eq!(data["rows"][0]["cells"], json!(["A", "Arnica", "x"]));
    assert_eq!(codes(&data["rows"][0]["errors"]), ["not_a_number"]);
    assert_eq!(codes(&data["rows"][1]["errors"]), ["required"]);
}

#[tokio::test]
async fn several_cells_for_one_column_are_a_fault() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, Upload::csv("Qty,Stock,SKU,Name\nmany,5,A,Arnica\n")).await;
    assert_eq!(data["ready"], false);
    assert_eq!(codes(&data["faults"]), ["duplicate_column"]);
    let stock = json!("current_stock");
    assert_eq!(each(&data["columns"], "column"), [&stock, &stock, &json!("sku"), &json!("name")]);
    assert!(!each(&data["missing"], "column").contains(&&stock));
    assert_eq!(data["rows"][0]["errors"], json!([]), "nobody knows which of both is meant");
}

#[tokio::test]
async fn a_header_that_says_nothing_is_a_fault() {
    let server = Server::start(Kind::Sqlite).await;
    let data = seen(&server, Upload::csv("1,2,3\n4,5,6\n")).await;
    assert_eq!(data["ready"], false);
    assert_eq!(codes(&data["faults"]), ["no_header"]);
    assert_eq!(each(&data["columns"], "header"), [&json!("1"), &json!("2"), &json!("3")]);
    assert_eq!(data["missing"].as_array().unwrap().len(), 23);
    let required: Vec<_> = each(&data["missing"], "column").into_iter().take(2).collect();
    assert_eq!(required, [&json!("sku"), &json!("name")], "required ones come first");
    assert_eq!(data["rows"][0]["cells"], json!(["4", "5", "6"]));
}

#[tokio::test]
async fn a_mapping_to_what_is_not_there_is_a_fault() {
    let server = Server::start(Kind::Sqlite).await;
    for (mapping, word) in
        [(r#"{"SKUU":"sku"}"#, "did you mean `SKU`?"), (r#"{"MRP":"prise"}"#, "`prise`")]
    {
        let upload = Upload::csv("SKU,Name,MRP\nA,Arnica,3\n").option("mapping", mapping);
        let data = seen(&server, upload).await;
        assert_eq!((&data["ready"], codes(&data["faults"])), (&json!(false), vec!["bad_mapping"]));
        assert!(words(&data).contains(word), "{data}");
        assert_eq!(data["columns"][1]["column"], "name");
    }
}

#[tokio::test]
async fn the_faults_are_those_that_an_upload_is_refused_with() {
    let server = Server::start(Kind::Sqlite).await;
    for text in ["Nahme,MRP,mrp\nx,1,2\n", "1;2\n", "SKU,Name,sku\n", "Prodct Code,Name\nA,B\n"] {
        let data = seen(&server, Upload::csv(text)).await;
        let refused = server.upload("products", Upload::csv(text)).await;
        assert_eq!(refused.status, 422);
        assert_eq!(data["faults"], refused.json["errors"], "{text}");
    }
}
