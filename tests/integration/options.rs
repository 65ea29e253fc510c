//! The options of an upload that decide about rows: what each of them changes and what it leaves.

use crate::support::*;
use serde_json::Value;

fn counts(job: &Value) -> [u64; 5] {
    ["created", "updated", "unchanged", "superseded", "failed"]
        .map(|name| job["counts"][name].as_u64().expect("a count"))
}

/// Row number and code of each stored error of a job.
async fn errors(server: &Server, job: &Value) -> Vec<[String; 2]> {
    let sql = format!(
        "select row_number, code from import_errors where import_log_id = {} \
         order by row_number",
        job["jobId"]
    );
    server.rows(&sql).await.into_iter().map(|row| row.try_into().expect("two columns")).collect()
}

/// Which row was overtaken by which.
async fn superseded(server: &Server, job: &Value) -> Vec<[String; 2]> {
    let sql = format!(
        "select row_number, by_row_number from import_superseded where import_log_id = {} \
         order by row_number",
        job["jobId"]
    );
    server.rows(&sql).await.into_iter().map(|row| row.try_into().expect("two columns")).collect()
}

async fn products(server: &Server) -> Vec<String> {
    server.rows("select sku || '=' || name from products order by sku").await.concat()
}

/// Everything that an import may change outside of its own log.
async fn tables(server: &Server) -> Vec<Vec<Vec<String>>> {
    let mut all = Vec::new();
    for table in [
        "products",
        "categories",
        "brands",
        "potencies",
        "forms",
        "product_prices",
        "product_stocks",
    ] {
        all.push(server.rows(&format!("select * from {table} order by 1")).await);
    }
    all
}

both!(mode_insert_creates_and_never_changes, [("LOADBAY_CHUNK_ROWS", "2")], |server| {
    server.load("products", Upload::csv("SKU,Name,Price\nA,Arnica,1\nC,China,3\n")).await;
    let file = "SKU,Name,Price\nA,New name,9\nB,Bryonia,2\nC,China,3\nD,Drosera,4\n";
    let upload = Upload::csv(file).option("mode", "insert");
    let job = server.load("products", upload).await;
    assert_eq!(counts(&job), [2, 0, 0, 0, 2], "{job}");
    assert_eq!(errors(server, &job).await, [["2", "already_exists"], ["4", "already_exists"]]);
    assert_eq!(products(server).await, ["A=Arnica", "B=Bryonia", "C=China", "D=Drosera"]);
    assert_eq!(server.database.number("select count(*) from product_prices").await, 4);
});

both!(mode_update_changes_and_never_creates, [("LOADBAY_CHUNK_ROWS", "2")], |server| {
    server.load("products", Upload::csv("SKU,Name,Price\nA,Arnica,1\nC,China,3\n")).await;
    let file = "SKU,Name,Price\nA,New name,9\nB,Bryonia,2\nC,China,3\nD,Drosera,4\n";
    let upload = Upload::csv(file).option("mode", "update");
    let job = server.load("products", upload).await;
    assert_eq!(counts(&job), [0, 1, 1, 0, 2], "{job}");
    assert_eq!(errors(server, &job).await, [["3", "not_found"], ["5", "not_found"]]);
    assert_eq!(products(server).await, ["A=New name", "C=China"]);
    assert_eq!(server.database.number("select count(*) from product_prices").await, 3);
});

both!(
    a_dry_run_counts_as_the_real_run_and_changes_nothing,
    [("LOADBAY_CHUNK_ROWS", "3")],
    |server| {
        let header = "SKU,Name,Category,Brand,Price,Qty\n";
        let first = format!("{header}A,Arnica,Drops,Alp,1,1\nB,Bryonia,Drops,Alp,2,2\n");
        server.load("products", Upload::csv(&first)).await;
        let file = format!(
            "{header}A,Arnica,Drops,Alp,1,1\nB,Bryonia,Pills,New,5,2\nC,China,Pills,New,1,1\n\
         D,,Drops,Alp,1,1\nE,Euphrasia,Drops,Alp,x,1\nC,China again,Globules,New,2,2\n\
         F,Ferrum,Globules,GLOB,1,\nG,Gelsemium,pills,new,1,1\n"
        );
        let before = tables(server).await;
        let dry = server.load("products", Upload::csv(&file).option("dryRun", "true")).await;
        assert_eq!(counts(&dry), [3, 1, 1, 1, 2], "{dry}");
        assert_eq!(tables(server).await, before);
        let dry_errors = errors(server, &dry).await;
        assert_eq!(dry_errors, [["5", "required"], ["6", "not_a_number"]]);
        assert_eq!(superseded(server, &dry).await, [["4", "7"]]);

        let real = server.load("products", Upload::csv(&file)).await;
        assert_eq!(counts(&real), counts(&dry));
        assert_eq!(errors(server, &real).await, dry_errors);
        assert_ne!(tables(server).await, before);
    }
);

both!(a_dry_run_sees_what_the_mode_refuses, |server| {
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let file = "SKU,Name\nA,New\nB,Bryonia\n";
    for (mode, expected) in [("insert", [1, 0, 0, 0, 1]), ("update", [0, 1, 0, 0, 1])] {
        let upload = Upload::csv(file).option("mode", mode).option("dryRun", "true");
        let job = server.load("products", upload).await;
        assert_eq!(counts(&job), expected, "{job}");
    }
    assert_eq!(products(server).await, ["A=Arnica"]);
});

both!(on_error_abort_ends_the_job_after_the_chunk, [("LOADBAY_CHUNK_ROWS", "3")], |server| {
    let mut file = "SKU,Name,Price\n".to_owned();
    for row in 1..=30 {
        let price = if row == 5 { "free" } else { "1" };
        file.push_str(&format!("S{row:02},Name,{price}\n"));
    }
    server.kill();
    server.restart_with(&[("LOADBAY_CHUNK_ROWS", "3"), ("LOADBAY_WRITERS", "1")]);
    let job = server.load("products", Upload::csv(&file).option("onError", "abort")).await;
    assert_eq!((&job["status"], &job["errorCode"]), (&"failed".into(), &"aborted_on_error".into()));
    assert_eq!(counts(&job), [5, 0, 0, 0, 1], "{job}");
    assert_eq!(server.database.number("select count(*) from products").await, 5);
    assert_eq!(job["progress"]["total"], 30);

    let good = file.replace("free", "2");
    let job = server.load("products", Upload::csv(&good).option("onError", "abort")).await;
    assert_eq!(job["status"], "completed", "{job}");
});

both!(more_failed_rows_than_max_errors_end_the_job, [("LOADBAY_CHUNK_ROWS", "4")], |server| {
    let mut file = "SKU,Name,Price\n".to_owned();
    for row in 1..=40 {
        let price = if row % 4 == 0 { "free" } else { "1" };
        file.push_str(&format!("S{row:02},Name,{price}\n"));
    }
    server.kill();
    server.restart_with(&[("LOADBAY_CHUNK_ROWS", "4"), ("LOADBAY_WRITERS", "1")]);
    let job = server.load("products", Upload::csv(&file).option("maxErrors", "2")).await;
    assert_eq!((&job["status"], &job["errorCode"]), (&"failed".into(), &"too_many_errors".into()));
    assert_eq!(counts(&job), [9, 0, 0, 0, 3], "{job}");
    let job = server.load("products", Upload::csv(&file).option("maxErrors", "10")).await;
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(counts(&job), [21, 0, 9, 0, 10], "{job}");
    let job = server.load("products", Upload::csv(&file).option("maxErrors", "0")).await;
    assert_eq!(counts(&job)[4], 1, "{job}");
    // A quarter of the 40 rows fails.
    let job = server.load("products", Upload::csv(&file).option("maxErrors", "25%")).await;
    assert_eq!(job["status"], "completed", "{job}");
    let job = server.load("products", Upload::csv(&file).option("maxErrors", "24.9%")).await;
    assert_eq!((&job["errorCode"], counts(&job)[4]), (&"too_many_errors".into(), 10), "{job}");
});

/// The file of the two tests about duplicates: A three times, the last one bad; B twice.
const REPEATED: &str = "SKU,Name,Price\nA,first,1\nB,first,1\nA,second,2\nC,only,1\nA,third,x\n\
                        B,second,1\n A ,,5\n";

both!(of_rows_with_the_same_key_the_last_valid_one_wins, [("LOADBAY_CHUNK_ROWS", "2")], |server| {
    let job = server.load("products", Upload::csv(REPEATED)).await;
    assert_eq!(counts(&job), [3, 0, 0, 2, 2], "{job}");
    assert_eq!(superseded(server, &job).await, [["2", "4"], ["3", "7"]]);
    assert_eq!(products(server).await, ["A=second", "B=second", "C=only"]);
    assert_eq!(server.database.number("select count(*) from product_prices").await, 3);
});

both!(with_duplicates_error_the_earlier_rows_fail, [("LOADBAY_CHUNK_ROWS", "2")], |server| {
    let job = server.load("products", Upload::csv(REPEATED).option("duplicates", "error")).await;
    assert_eq!(counts(&job), [3, 0, 0, 0, 4], "{job}");
    let mut found = errors(server, &job).await;
    found.sort();
    let expected = [
        ["2", "duplicate_in_file"],
        ["3", "duplicate_in_file"],
        ["6", "not_a_number"],
        ["8", "required"],
    ];
    assert_eq!(found, expected);
    let message = "select message from import_errors where row_number = 2";
    let message = server.database.value(message).await;
    assert!(message.contains("row 4"), "{message}");
    assert_eq!(products(server).await, ["A=second", "B=second", "C=only"]);
});

both!(
    waiting_jobs_run_by_priority_and_then_by_age,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "1"), ("LOADBAY_MAX_RUNNING_JOBS", "1")],
    |server| {
        // Nothing is claimed while the server takes the uploads: it has one place, which is taken.
        let busy = server.import("products", Upload::csv(&long_file(12_000))).await;
        server.until(busy, |status| status["progress"]["current"].as_u64() > Some(0)).await;
        let mut jobs = Vec::new();
        for priority in ["0", "-5", "7", "0", "100"] {
            let file = format!("SKU,Name\nP{priority}{},Name\n", jobs.len());
            jobs.push(
                server.import("products", Upload::csv(&file).option("priority", priority)).await,
            );
        }
        server.cancel(busy).await.ok();
        for job in &jobs {
            server.finished(*job).await;
        }
        server.finished(busy).await;
        let order = server.rows("select id from import_log order by started_at, id").await;
        let order: Vec<i64> = order.iter().map(|row| row.concat().parse().unwrap()).collect();
        assert_eq!(order, [busy, jobs[4], jobs[2], jobs[0], jobs[3], jobs[1]]);
    }
);

fn long_file(rows: usize) -> String {
    let mut text = "SKU,Name,Category,Brand,Selling Price,Qty\n".to_owned();
    for row in 0..rows {
        text.push_str(&format!("L{row},Name {row},C{},B{},{row},{row}\n", row % 40, row % 60));
    }
    text
}

both!(a_mapping_feeds_columns_from_any_header, |server| {
    let file = "Art.-Nr.,Bezeichnung,Preis netto,SKU\nA,Arnica,12.50,ignored\n";
    let mapping = r#"{"Art.-Nr.":"sku","Bezeichnung":"name","Preis netto":"cost_price","SKU":""}"#;
    let job = server.load("products", Upload::csv(file).field("mapping", mapping)).await;
    assert_eq!(counts(&job), [1, 0, 0, 0, 0], "{job}");
    let sql = "select sku, name, cast(round(cost_price * 100) as bigint) from products";
    assert_eq!(server.rows(sql).await, [["A", "Arnica", "1250"]]);
});
