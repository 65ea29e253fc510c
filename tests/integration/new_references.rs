//! Records of other tables that a file would create: shown before the import, each beside the name that is
//! there, and merged with it by the option `replace`.

use serde_json::{Value, json};

use crate::support::*;

const BEFORE: &str = "SKU,Name,Potency,Brand\nA,Arnica,Dilution,ACME\nB,Bryonia,Trituration,Élan\n";

/// Slips of a potency and a brand, and a brand that is like none.
const FILE: &str = "SKU,Name,Potency,Brand\nC,China,Dilusion,ACME\nD,Drosera,dilusion,Elan\n\
                    E,Echinacea,Dilution,Quite Another\nF,Ferrum,DILUTION,élan\n";

const NAMES: &str = "select p.sku, o.code, b.name from products p left join potencies o on o.id = p.potency_id \
                     left join brands b on b.id = p.brand_id order by p.sku";

fn near(name: &str, rows: u32, first_row: u32, nearest: &str, confidence: f64) -> Value {
    json!({"name": name, "rows": rows, "firstRow": first_row,
        "nearest": {"name": nearest, "confidence": confidence}})
}

/// What the columns of the file would create.
fn expected() -> Value {
    json!([
        {"column": "brand", "table": "brands", "more": false, "names": [
            near("Elan", 1, 3, "Élan", 0.75),
            {"name": "Quite Another", "rows": 1, "firstRow": 4},
        ]},
        {"column": "potency", "table": "potencies", "more": false, "names": [
            near("Dilusion", 2, 2, "Dilution", 0.875),
        ]},
    ])
}

async fn table(server: &Server) -> Vec<Vec<String>> {
    server.rows(NAMES).await
}

async fn confirm(server: &Server, job: &Value, body: Value) -> Answer {
    let path = format!("/api/v1/import/jobs/{}/confirm", job["jobId"]);
    server.send(server.request(reqwest::Method::POST, &path).json(&body)).await
}

both!(a_preview_shows_new_names_beside_those_that_are_there, |server| {
    let empty = server.upload("products/preview", Upload::csv(FILE)).await.ok().clone();
    let names = empty["newReferences"][1]["names"].as_array().unwrap().clone();
    assert_eq!(names.len(), 2, "nothing is there yet: {empty}");
    server.load("products", Upload::csv(BEFORE)).await;
    let preview = server.upload("products/preview", Upload::csv(FILE)).await.ok().clone();
    assert_eq!(preview["newReferences"], expected(), "{preview}");
    let replace = r#"{"Potency": {"Dilusion": "Dilution"}, "brand": {"ELAN": "Élan"}}"#;
    let merged = Upload::csv(FILE).option("replace", replace);
    let preview = server.upload("products/preview", merged).await.ok().clone();
    let left = &preview["newReferences"];
    assert_eq!((left.as_array().unwrap().len(), &left[0]["column"]), (1, &json!("brand")));
    assert_eq!(left[0]["names"].as_array().unwrap().len(), 1, "{preview}");
});

both!(a_dry_run_counts_new_names_in_the_whole_file, [("LOADBAY_CHUNK_ROWS", "50")], |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let before = server.rows("select code from potencies order by code").await;
    let dry_run = Upload::csv(FILE).option("dryRun", "true");
    let job = server.load("products", dry_run).await;
    assert_eq!(job["newReferences"], expected(), "{job}");
    // Two writers, many chunks: each row counts once.
    let rows: String = (0..2_000)
        .map(|row| {
            format!("S{row},Name,{},ACME\n", if row % 3 == 0 { "Dilusion" } else { "Trituration" })
        })
        .collect();
    let large = format!("SKU,Name,Potency,Brand\n{rows}");
    let job = server.load("products", Upload::csv(&large).option("dryRun", "true")).await;
    let potency = json!([{"column": "potency", "table": "potencies", "more": false,
        "names": [near("Dilusion", 667, 2, "Dilution", 0.875)]}]);
    assert_eq!(job["newReferences"], potency);
    assert_eq!(server.rows("select code from potencies order by code").await, before);
    // Nothing of it is said of jobs that are no dry runs.
    let job = server.load("products", Upload::csv(BEFORE)).await;
    assert!(job.get("newReferences").is_none(), "{job}");
});

both!(of_many_new_names_the_likeliest_are_listed, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let rows: String = (0..700).map(|row| format!("S{row},Name,{row:05},\n")).collect();
    let file = format!("SKU,Name,Potency,Brand\nX,Name,Dilusion,\n{rows}");
    let job = server.load("products", Upload::csv(&file).option("dryRun", "true")).await;
    let potency = &job["newReferences"][0];
    assert_eq!(potency["names"].as_array().unwrap().len(), 100);
    assert_eq!(
        (&potency["names"][0]["name"], &potency["more"]),
        (&json!("Dilusion"), &json!(true))
    );
});

both!(replaced_names_make_no_records, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let replace = r#"{"potency": {"dilusion": "Dilution"}, "brand": {"Quite Another": ""}}"#;
    let options = Upload::csv(FILE).option("replace", replace).option("undo", "true");
    let job = server.load("products", options).await;
    assert_eq!(job["options"]["replace"]["potency"]["dilusion"], "Dilution", "{job}");
    let found = table(server).await;
    assert_eq!(
        found[2..],
        [
            ["C", "Dilution", "ACME"].map(str::to_owned).to_vec(),
            ["D", "Dilution", "Elan"].map(str::to_owned).to_vec(),
            ["E", "Dilution", "NULL"].map(str::to_owned).to_vec(),
            ["F", "Dilution", "Élan"].map(str::to_owned).to_vec(),
        ]
    );
    assert_eq!(server.database.number("select count(*) from potencies").await, 2);
    // Again it is the same, as a retry is.
    let again = server.load("products", Upload::csv(FILE).option("replace", replace)).await;
    assert_eq!(again["counts"]["unchanged"], 4, "{again}");
    let path = format!("/api/v1/import/jobs/{}/retry", again["jobId"]);
    let retry = server.send(server.request(reqwest::Method::POST, &path)).await.ok().clone();
    let retry = server.finished(retry["jobId"].as_i64().unwrap()).await;
    assert_eq!(retry["counts"]["unchanged"], 4, "{retry}");
    assert_eq!(server.database.number("select count(*) from potencies").await, 2);
});

both!(a_confirmation_merges_names, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let dry_run = Upload::csv(FILE)
        .option("dryRun", "true")
        .option("replace", r#"{"brand": {"Elan": "Élan"}}"#);
    let dry = server.load("products", dry_run).await;
    let refused = confirm(server, &dry, json!({"replace": {"name": {"a": "b"}}})).await;
    refused.assert_problem(400, "invalid_option");
    let refused = confirm(server, &dry, json!({"replace": {"brand": "ACME"}})).await;
    refused.assert_problem(400, "invalid_option");
    let replace = json!({"replace": {"potency": {"Dilusion": "Dilution"}}});
    let job = confirm(server, &dry, replace).await.ok().clone();
    let job = server.finished(job["jobId"].as_i64().unwrap()).await;
    assert_eq!(
        job["options"]["replace"],
        json!({"brand": {"Elan": "Élan"}, "potency": {"Dilusion": "Dilution"}})
    );
    assert_eq!(server.database.number("select count(*) from potencies").await, 2);
    assert_eq!(server.database.number("select count(*) from brands").await, 3);
    assert_eq!(table(server).await[3], ["D", "Dilution", "Élan"]);
});

both!(what_cannot_be_replaced_is_refused, |server| {
    for (replace, words) in [
        (r#"{"name": {"a": "b"}}"#, "those that do are"),
        (r#"{"colour": {"a": "b"}}"#, "those that do are"),
        (r#"{"brand": {"a": "b", "A": "c"}}"#, "two names"),
    ] {
        let answer = server.upload("products", Upload::csv(FILE).option("replace", replace)).await;
        answer.assert_problem(400, "invalid_option");
        assert!(answer.text().contains(words), "{}", answer.text());
        let preview = Upload::csv(FILE).option("replace", replace);
        let preview = server.upload("products/preview", preview).await.ok().clone();
        assert_eq!(preview["faults"][0]["code"], "invalid_option", "{preview}");
    }
});

both!(names_that_the_upload_sets_are_replaced_too, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let file = Upload::csv("SKU,Name\nG,Gelsemium\n")
        .option("set", r#"{"brand": "Acmee"}"#)
        .option("replace", r#"{"brand": {"ACMEE": "acme"}}"#);
    server.load("products", file).await;
    assert_eq!(table(server).await[2], ["G", "NULL", "ACME"]);
});

both!(stored_names_are_found_by_a_part, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let ask = async |query: &str| {
        server.get(&format!("/api/v1/datasets/products/references?{query}")).await
    };
    let found = ask("column=brand&search=%C3%89LA").await.ok().clone();
    let brand = json!({"column": "brand", "table": "brands", "names": ["Élan"], "more": false});
    assert_eq!(found, brand);
    let found = ask("column=potency").await.ok()["names"].clone();
    assert_eq!(found, json!(["Dilution", "Trituration"]));
    let first = ask("column=potency&limit=1").await.ok().clone();
    assert_eq!((&first["names"], &first["more"]), (&json!(["Dilution"]), &json!(true)));
    assert_eq!(ask("column=potency&search=x").await.ok()["names"], json!([]));
    for refused in ["", "column=name", "column=colour", "column=brand&limit=0"] {
        ask(refused).await.assert_problem(400, "invalid_option");
    }
    server
        .get("/api/v1/datasets/nothing/references?column=a")
        .await
        .assert_problem(404, "unknown_dataset");
});
