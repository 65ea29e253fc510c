//! Warnings: what a person should see although no row failed, and what a row does not say.

use serde_json::{Value, json};

use crate::support::{Server, Upload, both};

const SEED: &str = "SKU,Name,Price,Qty,Brand\nA-1,Arnica,2.50,4,Acme\nB-2,Bryonia,3.50,5,Acme\n";

/// SKU, price, stock and brand of every product.
async fn products(server: &Server) -> Vec<Vec<String>> {
    let sql = "select sku, cast(selling_price * 100 as integer), \
               coalesce(cast(current_stock as integer), -1), coalesce(b.name, '') \
               from products p left join brands b on b.id = p.brand_id order by sku";
    server.rows(sql).await
}

fn codes(job: &Value) -> Vec<&str> {
    let warnings = job["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap()).collect()
}

both!(what_a_short_row_does_not_have_stays_as_it_is_stored, |server| {
    server.load("products", Upload::csv(SEED)).await;
    let short =
        "SKU,Name,Price,Qty,Brand\nA-1,Arnica,9.00\nB-2,Bryonia,3.50,,\nC-3,Calendula,1.00\n";
    let job = server.load("products", Upload::csv(short)).await;
    assert_eq!(job["counts"]["updated"], 2, "{job}");
    assert_eq!(job["counts"]["created"], 1, "{job}");
    assert_eq!(
        products(server).await,
        [["A-1", "900", "4", "Acme"], ["B-2", "350", "-1", ""], ["C-3", "100", "-1", ""]],
        "an empty cell clears, a cell that is not there does not"
    );
    assert_eq!(codes(&job), ["short_row"]);
    let warning = &job["warnings"][0];
    assert_eq!(warning["count"], 2);
    assert_eq!(warning["examples"], json!([{"rowNumber": 2}, {"rowNumber": 4}]));
    assert!(warning["message"].as_str().unwrap().ends_with("(2, first in row 2)"), "{warning}");
    let stored = server.database.value("select warnings from import_log where id = 2").await;
    assert!(stored.contains("short_row"), "{stored}");
    // Nothing differs any more: the absent values are no difference.
    let job = server.load("products", Upload::csv(short)).await;
    assert_eq!(job["counts"]["unchanged"], 3, "{job}");
});

both!(warnings_of_all_chunks_add_up, [("LOADBAY_CHUNK_ROWS", "7")], |server| {
    let rows: String = (0..40).map(|row| format!("S-{row:02},Short,1.00\n")).collect();
    let job = server.load("products", Upload::csv(&format!("SKU,Name,Price,Qty\n{rows}"))).await;
    assert_eq!(job["warnings"][0]["count"], 40);
    let first: Vec<Value> = (2..7).map(|row| json!({"rowNumber": row})).collect();
    assert_eq!(job["warnings"][0]["examples"], json!(first));
});

both!(columns_that_are_not_imported_are_a_warning_from_the_start, |server| {
    let text = "SKU,Name,Colour,Weight\nA-1,Arnica,red,5\n";
    let preview = server.upload("products/preview", Upload::csv(text)).await;
    let warning = preview.data()["warnings"][0].clone();
    assert_eq!(warning["code"], "unused_columns");
    assert_eq!(warning["count"], 2);
    assert_eq!(warning["examples"][0]["value"], "Weight", "numbers come first");
    let job = server.load("products", Upload::csv(text)).await;
    assert_eq!(job["warnings"], json!([warning]));
});

both!(strict_makes_a_warning_a_refusal_or_a_row_error, |server| {
    let unused = Upload::csv("SKU,Name,Colour\nA-1,Arnica,red\n").option("strict", "true");
    server.upload("products", unused).await.assert_problem(422, "refused_by_strict");
    let short = Upload::csv("SKU,Name,Price\nA-1,Arnica\nB-2,Bryonia,1.00\n");
    let job = server.load("products", short.option("strict", "true")).await;
    assert_eq!((&job["counts"]["created"], &job["counts"]["failed"]), (&json!(1), &json!(1)));
    let errors = server.errors(job["jobId"].as_i64().unwrap(), "").await;
    assert_eq!(errors.ok()["errors"][0]["code"], "refused_by_strict");
});

both!(words_for_no_value_and_wrappers_are_counted_by_column, |server| {
    server.load("products", Upload::csv(SEED)).await;
    let text = "SKU,Name,Price,Qty,Brand\n=\"A-1\",Arnica,NULL,\"=\"\"4\"\"\",-\n\
                B-2,=\"B\",'3.50,,nan\nNULL,Nobody,1,1,Acme\n";
    let upload = || Upload::csv(text);
    let preview = server.upload("products/preview", upload()).await;
    assert_eq!(
        codes(preview.data()),
        [["null_words"; 2].as_slice(), &["wrapped_cells"; 4]].concat()
    );
    let kept = server.load("products", upload().option("blank", "keep")).await;
    assert_eq!(kept["counts"]["failed"], 1, "{kept}");
    assert_eq!(
        products(server).await,
        [["A-1", "250", "4", "Acme"], ["B-2", "350", "5", "Acme"]],
        "under blank=keep a word keeps what is stored"
    );
    let job = server.load("products", upload()).await;
    assert_eq!(job["counts"]["failed"], 1, "{job}");
    let sql = "select sku, name, coalesce(cast(selling_price as integer), -1), brand_id from products order by sku";
    let rows = server.rows(sql).await;
    assert_eq!(rows[0], ["A-1", "Arnica", "-1", "NULL"]);
    assert_eq!((rows[1][1].as_str(), rows[1][3].as_str()), ("B", "NULL"));
    let message = server.rows("select message from import_errors where code = 'required'").await;
    assert!(
        message[0][0].starts_with("`NULL` stands for no value, but SKU is required"),
        "{message:?}"
    );
    let brand =
        job["warnings"].as_array().unwrap().iter().find(|it| it["column"] == "brand").unwrap();
    assert_eq!((&brand["code"], &brand["count"]), (&json!("null_words"), &json!(2)));
    assert_eq!(brand["examples"][0], json!({"rowNumber": 2, "value": "-"}));
    let brands = server.rows("select name from brands").await;
    assert_eq!(brands, [["Acme"]]);
    let literal = server.load("products", upload().option("nulls", "")).await;
    assert_eq!(literal["counts"]["failed"], 1, "a price of NULL is no number: {literal}");
    let strict = server.load("products", upload().option("strict", "true")).await;
    assert_eq!(strict["counts"]["failed"], 3, "{strict}");
    let columns = server
        .rows("select distinct column_name from import_errors where code = 'refused_by_strict' order by 1")
        .await;
    assert_eq!(columns.concat(), ["brand", "current_stock", "name", "selling_price", "sku"]);
});
