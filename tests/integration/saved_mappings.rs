//! Saved mappings: what the headers of a supplier's file mean is said once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::*;

/// A header of which the dataset knows nothing.
const FOREIGN: &str = "Kennung,Was,Wieviel\nA1,Arnica,3.50\n";

const MAPPING: &str = r#"{"Kennung": "sku", "Was": "name", "Wieviel": "selling_price"}"#;

const MAPPINGS: &str = "/api/v1/datasets/products/mappings";

async fn put(server: &Server, name: &str, body: Value) -> Answer {
    let path = format!("{MAPPINGS}/{name}");
    server.send(server.request(Method::PUT, &path).body(body.to_string())).await
}

both!(a_mapping_is_remembered_and_taken_for_the_same_headers, |server| {
    server.upload("products", Upload::csv(FOREIGN)).await.assert_problem(422, "no_header");
    let first = Upload::csv(FOREIGN).option("mapping", MAPPING).option("saveMapping", "Acme");
    server.load("products", first).await;

    // The columns in another order and other letters: the same supplier.
    let next = "WAS,wieviel,Kennung\nBryonia,4,B2\n";
    let job = server.load("products", Upload::csv(next)).await;
    assert_eq!(job["counts"]["created"], 1, "{job}");
    assert_eq!(job["options"]["savedMapping"], "Acme");
    let names = server.rows("select sku, name from products order by sku").await;
    assert_eq!(names, [["A1", "Arnica"], ["B2", "Bryonia"]]);
    let preview = server.upload("products/preview", Upload::csv(next)).await;
    assert_eq!(preview.ok()["savedMapping"], "Acme", "{}", preview.text());

    let list = server.get(MAPPINGS).await.ok()["mappings"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["mapping"], serde_json::from_str::<Value>(MAPPING).unwrap());
    assert_eq!(list[0]["headers"], json!(["Kennung", "Was", "Wieviel"]));
    assert_eq!(list[0]["unknownColumns"], json!([]));
    assert!(list[0]["lastUsedAt"].is_string(), "{list}");

    let gone = server.send(server.request(Method::DELETE, &format!("{MAPPINGS}/Acme"))).await;
    assert_eq!(gone.ok()["name"], "Acme");
    server.upload("products", Upload::csv(FOREIGN)).await.assert_problem(422, "no_header");
    let missing = server.get(&format!("{MAPPINGS}/Acme")).await;
    missing.assert_problem(404, "unknown_mapping");
});

both!(a_mapping_is_taken_by_its_name, |server| {
    let body = json!({"mapping": {"Kennung": "sku", "Was": "name", "Alt": ""}});
    put(server, "by%20hand", body.clone()).await.ok();
    // Without headers it is nobody's by itself.
    server.upload("products", Upload::csv(FOREIGN)).await.assert_problem(422, "no_header");
    let file = "Kennung,Was,Alt\nA1,Arnica,x\n";
    let upload = Upload::csv(file).option("savedMapping", "by hand");
    let job = server.load("products", upload).await;
    assert_eq!(job["detected"]["columns"], json!(["sku", "name", null]));
    // A file that it does not fit is refused by name.
    let other = Upload::csv("Kennung,Was\nA1,Arnica\n").option("savedMapping", "by hand");
    let refused = server.upload("products", other).await;
    refused.assert_problem(422, "bad_mapping");
    assert!(refused.text().contains("Alt"), "{}", refused.text());

    let unknown = Upload::csv(file).option("savedMapping", "nobody");
    server.upload("products", unknown).await.assert_problem(404, "unknown_mapping");
});

both!(a_mapping_that_cannot_be_is_not_saved, |server| {
    let unknown = json!({"mapping": {"Kennung": "colour"}});
    put(server, "x", unknown).await.assert_problem(422, "bad_mapping");
    let lacks = json!({"headers": ["Kennung"], "mapping": {"Kennung": "sku"}});
    put(server, "x", lacks).await.assert_problem(422, "missing_column");
    for body in [json!([]), json!({}), json!({"mapping": {}, "more": 1})] {
        put(server, "x", body).await.assert_problem(400, "malformed_request");
    }
    put(server, &"x".repeat(101), json!({"mapping": {}}))
        .await
        .assert_problem(400, "invalid_option");
    let nowhere = server.get("/api/v1/datasets/nothing/mappings").await;
    nowhere.assert_problem(404, "unknown_dataset");
    assert_eq!(server.get(MAPPINGS).await.ok()["mappings"], json!([]));
});

both!(a_header_that_is_nearly_known_is_proposed_and_not_taken, |server| {
    let file = "SKU,Name,Curent stok\nA,Arnica,3\n";
    let preview = server.upload("products/preview", Upload::csv(file)).await.ok().clone();
    let column = &preview["columns"][2];
    assert_eq!(
        (&column["column"], &column["suggestion"]["column"]),
        (&Value::Null, &"current_stock".into())
    );
    let confidence = column["suggestion"]["confidence"].as_f64().unwrap();
    assert!((0.6..1.0).contains(&confidence), "{column}");
    assert_eq!(preview["columns"][0]["suggestion"], Value::Null);
    server.load("products", Upload::csv(file)).await;
    let stock = "select count(*) from products where current_stock is not null";
    assert_eq!(server.database.number(stock).await, 0, "nobody said so");
});
