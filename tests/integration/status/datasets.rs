//! What can be imported, and templates to fill in.

use serde_json::json;

use crate::support::{Kind, Server, Upload, both};

#[tokio::test]
async fn the_datasets_are_described() {
    let server = Server::start(Kind::Sqlite).await;
    let list = server.datasets().await.ok()["datasets"].clone();
    let products = list.as_array().unwrap().iter().find(|it| it["name"] == "products").unwrap();
    assert_eq!(products["columns"], 23);
    assert_eq!(products["required"], json!(["SKU", "Name"]));
    for link in products["links"].as_object().unwrap().values().map(|it| it.as_str().unwrap()) {
        let found = server.get(link).await.status;
        assert_eq!(found, if link.contains("/import/") { 405 } else { 200 }, "{link}");
    }
    let whole = server.dataset("products").await.ok().clone();
    assert_eq!((&whole["key"], &whole["run"]), (&json!(["sku"]), &json!("background")));
    let columns = whole["columns"].as_array().unwrap();
    assert_eq!(columns.len(), 23);
    let column = |name: &str| columns.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(column("current_stock")["type"], "decimal(12,2)");
    assert_eq!(column("current_stock")["history"], "product_stocks");
    assert_eq!(column("current_stock")["min"], "0.00");
    assert!(column("current_stock")["aliases"].as_array().unwrap().contains(&json!("qty")));
    let potencies = json!({"table": "potencies", "match": "code", "key": "id", "create": true});
    assert_eq!(column("potency")["references"], potencies);
    server.dataset("nothing").await.assert_problem(404, "unknown_dataset");
    server.template("nothing", "csv").await.assert_problem(404, "unknown_dataset");
    server.get("/api/v1/datasets/products/template.pdf").await.assert_problem(404, "not_found");
}

both!(a_template_can_be_uploaded_as_it_is, |server| {
    for (extension, count) in
        [("csv", "created"), ("xlsx", "unchanged"), ("csv?bom=1", "unchanged")]
    {
        let template = server.template("products", extension).await;
        assert_eq!(template.status, 200);
        let extension = extension.trim_end_matches("?bom=1");
        let disposition = template.header("content-disposition").unwrap();
        assert!(disposition.contains(&format!("products-template.{extension}")), "{disposition}");
        let media_type = template.header("content-type").unwrap().to_owned();
        let upload = Upload::file(&format!("t.{extension}"), template.bytes);
        let status = server.load("products", upload.media_type(&media_type)).await;
        assert_eq!(status["counts"][count], 1, "{status}");
        assert!(status["detected"]["columns"].as_array().unwrap().iter().all(|it| !it.is_null()));
    }
    let row = server.rows("select sku, barcode, hsn_code, pack_size from products").await;
    assert_eq!(row, [["100A11", "4006381333931", "30049014", "11ml"]]);
});
