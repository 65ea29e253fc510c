//! An import is taken back: rows, histories, counts, the words that are told.

use super::tables::*;
use crate::support::*;

const BEFORE: &str = "SKU,Name,Category,Selling Price,Qty,Tags\n\
                      A,Arnica,Drops,10.10,5,\"a,b\"\n\
                      B,Belladonna,Pills,20.50,7,\n\
                      C,China,,3,1,\n";

/// A new row, one with another price, one with another name, one that is the same.
const FILE: &str = "SKU,Name,Category,Selling Price,Qty,Tags\n\
                    D,Drosera,Ointments,1,2,c\n\
                    A,Arnica montana,Drops,10.10,5,\"a,b\"\n\
                    B,Belladonna,drops,99.99,,x\n\
                    C,China,,3,1,\n";

both!(what_was_created_goes_and_what_was_updated_is_as_it_was, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let (before, records) = (products(server).await, current(server).await);
    let job = load(server, FILE).await;
    let journal = "select row_number, created, before_row is null from import_undo order by 1";
    let expected = [["2", "1", "1"], ["3", "0", "0"], ["4", "0", "0"]];
    assert_eq!(server.rows(journal).await, expected);

    let status = take_back(server, job).await;
    assert_counts(&status, [1, 2, 0, 0]);
    assert_eq!(status["progress"]["total"], 3, "rows that did not change are not taken back");
    assert_eq!(status["results"]["removed"], 1, "{status}");
    assert_eq!(status["results"]["successCount"], 3, "{status}");
    assert_eq!(products(server).await, before);
    assert_eq!(current(server).await, records);
    // Old values are archived as by an import: B had two prices and two stocks, now three each.
    let of_b = "select count(*) from product_prices h join products p on p.id = h.product_id \
                where p.sku = 'B'";
    assert_eq!(server.database.number(of_b).await, 3);
    // References stay: others may name them by now.
    let created = "select count(*) from categories where name = 'Ointments'";
    assert_eq!(server.database.number(created).await, 1);
    let updated = "select count(*) from products where updated_at > created_at";
    assert_eq!(server.database.number(updated).await, 2, "what is put back is an update");
});

both!(taking_back_twice_finds_all_as_it_was, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = load(server, FILE).await;
    assert_counts(&take_back(server, job).await, [1, 2, 0, 0]);
    let (rows, records) = (products_with_times(server).await, history_records(server).await);
    assert_counts(&take_back(server, job).await, [0, 0, 3, 0]);
    assert_eq!(products_with_times(server).await, rows);
    assert_eq!(history_records(server).await, records);
});

both!(a_file_of_many_chunks_is_taken_back, [("LOADBAY_CHUNK_ROWS", "7")], |server| {
    let file = |rows: std::ops::Range<u32>, price: u32| {
        let row = |row| format!("S{row:04},Name {row},Category {},{price}.5,{row}\n", row % 5);
        format!("SKU,Name,Category,Price,Qty\n{}", rows.map(row).collect::<String>())
    };
    server.load("products", Upload::csv(&file(0..50, 1))).await;
    let (before, records) = (products(server).await, current(server).await);
    let job = load(server, &file(25..125, 2)).await;
    let status = take_back(server, job).await;
    assert_counts(&status, [75, 25, 0, 0]);
    assert_eq!(products(server).await, before);
    assert_eq!(current(server).await, records);
    let chunks = format!(
        "select count(*), max(created_count + updated_count + removed_count) from import_chunks \
         where import_log_id = {}",
        status["jobId"]
    );
    assert_eq!(server.rows(&chunks).await.concat(), ["15", "7"]);
    // It had indexes of its own to find the histories by.
    let indexes = match server.database.kind() {
        Kind::Sqlite => "select count(*) from sqlite_master where name like 'loadbay_reach%'",
        Kind::Postgres => "select count(*) from pg_indexes where indexname like 'loadbay_reach%'",
    };
    assert_eq!(server.database.number(indexes).await, 0);
});

both!(what_is_told_speaks_of_a_rollback, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let job = load(server, FILE).await;
    server.load("products", Upload::csv("SKU,Name\nA,Another\n")).await;
    let status = take_back(server, job).await;
    assert_counts(&status, [1, 1, 0, 1]);
    let told = told(server, status["jobId"].as_i64().unwrap()).await;
    let messages: Vec<_> =
        told.iter().filter_map(|it| it.event["message"].as_str()).map(str::to_owned).collect();
    assert_eq!(
        messages,
        [
            format!("Rollback of job {job} requested: products.csv").as_str(),
            "Rollback started",
            "Found 3 rows to roll back",
            "3 of 3 rows rolled back",
            "All rows processed; checking the counts",
            "1 row kept: 1 × changed_since in sku (first in row 3)",
            "Rollback completed: 1 removed, 1 restored, 1 kept",
        ]
    );
    let list = server.jobs("?limit=1").await;
    assert_eq!(list.data()["jobs"][0]["rollbackOf"], job);
    assert_eq!(list.data()["jobs"][0]["actions"], serde_json::json!(["delete"]));
});

both!(every_kind_of_value_comes_back, |server| {
    let full = "SKU,Name,Category,Type,Brand,Potency,Form,Pack Size,UOM,Cost Price,Selling Price,\
                MRP,Tax Percent,HSN Code,Manufacturer,Description,Barcode,Reorder Level,Min Stock,\
                Max Stock,Current Stock,Is Active,Tags\n";
    let row = "A,Ärnica \"x\",Drops,t,Brand,30C,Form,10 ml,ml,0.1,0.3,9999999999.99,17.5,0030,M,\
               \"two\nlines\",0012,0,1.10,-1,0.07,false,\"a;b;ü\"\n";
    let row = row.replace(",-1,", ",1,").replace("Ärnica \"x\"", "\"Ärnica \"\"x\"\"\"");
    server.load("products", Upload::csv(&format!("{full}{row}"))).await;
    let before = products(server).await;
    let blank = format!("{full}A,B{}\n", ",".repeat(21));
    let job = load(server, &blank).await;
    assert_ne!(products(server).await, before);
    assert_counts(&take_back(server, job).await, [0, 1, 0, 0]);
    assert_eq!(products(server).await, before);
});

both!(an_import_that_did_not_ask_keeps_no_journal, |server| {
    server.load("products", Upload::csv(BEFORE)).await;
    let dry = Upload::csv(FILE).option("undo", "true").option("dryRun", "true");
    server.load("products", dry).await;
    assert_eq!(server.database.number("select count(*) from import_undo").await, 0);
});
