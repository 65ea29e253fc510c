//! A dry run: what it says it would change, and the job that then imports its file.

use serde_json::{Value, json};

use crate::support::*;

const BEFORE: &str = "SKU,Name,Category,Selling Price,Is Active\n\
                      A,Arnica,Drops,10.10,yes\n\
                      B,Belladonna,Pills,20.50,yes\n\
                      C,China,,3,no\n";

/// A row as it is, one with another price and category, a new one, one without a name, one that clears.
const FILE: &str = "SKU,Name,Category,Selling Price,Is Active\n\
                    A,Arnica,Drops,10.10,yes\n\
                    B,Belladonna,Globules,25,no\n\
                    D,=Drosera,Pills,1,\n\
                    E,,Pills,1,\n\
                    C,China,,,no\n";

fn dry_run(file: &str) -> Upload {
    Upload::csv(file).option("dryRun", "true")
}

/// Asks to import the file of a dry run.
async fn confirm(server: &Server, job: i64, body: &'static str) -> Answer {
    let path = format!("/api/v1/import/jobs/{job}/confirm");
    server.send(server.request(reqwest::Method::POST, &path).body(body)).await
}

fn id(status: &Value) -> i64 {
    status["jobId"].as_i64().unwrap()
}

async fn skus(server: &Server) -> Vec<Vec<String>> {
    let price = "select p.sku, p.name, c.name, cast(p.selling_price * 100 as integer) \
                 from products p left join categories c on c.id = p.category_id order by p.sku";
    server.rows(price).await
}

fn change(column: &str, before: Option<&str>, after: Option<&str>) -> Value {
    json!({"column": column, "before": before, "after": after})
}

both!(a_dry_run_shows_what_it_would_change, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = server.load("products", dry_run(FILE)).await;
    let expected = json!([
        {"rowNumber": 3, "key": "B", "outcome": "updated", "changes": [
            change("category", Some("Pills"), Some("Globules")),
            change("selling_price", Some("20.50"), Some("25.00")),
            change("is_active", Some("true"), Some("false")),
        ]},
        {"rowNumber": 4, "key": "D", "outcome": "created", "changes": [
            change("name", None, Some("=Drosera")),
            change("category", None, Some("Pills")),
            change("selling_price", None, Some("1.00")),
        ]},
        {"rowNumber": 6, "key": "C", "outcome": "updated", "changes": [
            change("selling_price", Some("3.00"), None),
        ]},
    ]);
    assert_eq!(job["differences"], expected, "{job}");

    let page = server.get(job["links"]["diff"].as_str().unwrap()).await.ok().clone();
    assert_eq!(page["differences"], expected);
    assert_eq!((&page["total"], &page["stored"]), (&json!(3), &json!(3)));
    assert_eq!(page["nextCursor"], Value::Null);
    let csv = server.get(job["links"]["diffCsv"].as_str().unwrap()).await;
    let lines: Vec<&str> = csv.text().lines().collect();
    assert_eq!(lines[0], "row,key,outcome,column,before,after");
    assert_eq!(lines[1], "3,B,updated,category,Pills,Globules");
    assert_eq!(lines[4], "4,D,created,name,,'=Drosera");
    assert_eq!(lines.last(), Some(&"6,C,updated,selling_price,3.00,"));
});

both!(the_differences_come_in_pages, [("LOADBAY_CHUNK_ROWS", "50")], |server| {
    let rows: String = (0..700).map(|row| format!("S{row:04},Name {row}\n")).collect();
    let job = server.load("products", dry_run(&format!("SKU,Name\n{rows}"))).await;
    assert_eq!(job["differences"].as_array().unwrap().len(), 50, "the first ones");
    let (list, mut cursor, mut keys) = (job["links"]["diff"].as_str().unwrap(), None, Vec::new());
    for _ in 0..10 {
        let after = cursor.map(|it: String| format!("&cursor={it}")).unwrap_or_default();
        let page = server.get(&format!("{list}?limit=300{after}")).await.ok().clone();
        let found = page["differences"].as_array().unwrap().clone();
        keys.extend(found.iter().map(|it| it["key"].as_str().unwrap().to_owned()));
        cursor = page["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..700).map(|row| format!("S{row:04}")).collect();
    assert_eq!(keys, expected);
    let csv = server.get(&format!("{list}.csv")).await;
    assert_eq!(csv.text().lines().count(), 701, "a line for each value");
});

both!(a_confirmed_dry_run_imports_the_same_file, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let dry = server.load("products", dry_run(FILE).option("undo", "true")).await;
    let before = skus(server).await;
    assert!(dry["actions"].as_array().unwrap().contains(&json!("confirm")), "{dry}");
    let answer = confirm(server, id(&dry), "").await.ok().clone();
    let job = server.finished(id(&answer)).await;
    check_guarantees(server, id(&answer)).await;
    assert_eq!(job["confirms"], dry["jobId"]);
    assert_eq!((&job["dryRun"], &job["retryOf"]), (&json!(false), &Value::Null));
    assert_eq!((&job["sha256"], &job["counts"]), (&dry["sha256"], &dry["counts"]));
    assert_eq!(job["options"]["undo"], true, "the options of the dry run hold");
    assert_ne!(skus(server).await, before);

    let again = confirm(server, id(&dry), "").await;
    again.assert_problem(409, "already_confirmed");
    confirm(server, id(&job), "").await.assert_problem(409, "no_dry_run");
    let list = format!("/api/v1/import/jobs/{}/diff", id(&job));
    server.get(&list).await.assert_problem(409, "no_dry_run");
});

both!(a_table_that_changed_meanwhile_is_seen, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let dry = server.load("products", dry_run(FILE)).await;
    let change = |price| format!("update products set cost_price = {price} where sku = 'A'");
    server.database.execute(&change("7")).await;
    let expects = r#"{"expectUnchanged": true}"#;
    confirm(server, id(&dry), expects).await.assert_problem(409, "table_changed");
    assert_eq!(server.database.number("select count(*) from import_log").await, 2);
    // As it was: nothing changed between the two looks.
    server.database.execute(&change("null")).await;
    let answer = confirm(server, id(&dry), expects).await.ok().clone();
    assert_eq!(server.finished(id(&answer)).await["counts"], dry["counts"]);
    check_guarantees(server, id(&answer)).await;

    let other = server.load("products", dry_run("SKU,Name\nX,Xyz\n")).await;
    server.database.execute(&change("8")).await;
    let answer = confirm(server, id(&other), "").await.ok().clone();
    assert_eq!(
        server.finished(id(&answer)).await["counts"]["created"],
        1,
        "unless it was asked for"
    );
});

both!(a_confirmation_is_asked_for_twice_and_made_once, |server| {
    let dry = server.load("products", dry_run("SKU,Name\nX,Xyz\n")).await;
    let path = format!("/api/v1/import/jobs/{}/confirm", id(&dry));
    let mut jobs = Vec::new();
    for _ in 0..2 {
        let request = server.request(reqwest::Method::POST, &path);
        let answer = server.send(request.header("Idempotency-Key", "once")).await;
        jobs.push(answer.ok()["jobId"].clone());
    }
    assert_eq!(jobs[0], jobs[1]);
    assert!(jobs[0].is_i64(), "{jobs:?}");
    server.finished(jobs[0].as_i64().unwrap()).await;
    let made = server.database.number("select count(*) from import_log where confirms is not null");
    assert_eq!(made.await, 1);
});
