//! Rows that the database refuses for a reason that the dataset does not know: each of them is
//! listed as failed, all others are written, whatever their place in the chunk.

use crate::support::*;
use serde_json::Value;

/// Lets the table refuse barcodes that begin with `BAD`.
async fn refuse_bad_barcodes(server: &Server) {
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger no_bad before insert on products when new.barcode like 'BAD%' \
             begin select raise(abort, 'barcodes are never bad'); end;
             create trigger not_bad before update on products when new.barcode like 'BAD%' \
             begin select raise(abort, 'barcodes are never bad'); end;"
        }
        Kind::Postgres => {
            "alter table products add constraint barcodes_are_never_bad \
             check (barcode not like 'BAD%')"
        }
    };
    server.database.execute(sql).await;
}

/// `rows` products; those at the places of `bad` (from 1) have a barcode that the table refuses.
fn file(rows: usize, bad: &[usize]) -> String {
    let mut text = "SKU,Name,Category,Selling Price,Barcode\n".to_owned();
    for row in 1..=rows {
        let barcode = if bad.contains(&row) { "BAD" } else { "4006" };
        text.push_str(&format!("S{row:05},Name {row},Drops,{row},{barcode}{row}\n"));
    }
    text
}

fn counts(job: &Value) -> [u64; 5] {
    ["created", "updated", "unchanged", "superseded", "failed"]
        .map(|name| job["counts"][name].as_u64().expect("a count"))
}

/// The row numbers of the stored errors with this code, in the order of the file.
async fn failed_rows(server: &Server, job: &Value, code: &str) -> Vec<usize> {
    let sql = format!(
        "select row_number from import_errors where import_log_id = {} and code = '{code}' \
         order by row_number",
        job["jobId"]
    );
    let rows = server.rows(&sql).await;
    rows.iter().map(|row| row.concat().parse().expect("a number")).collect()
}

/// Loads a file twice: once into the empty table, then with every price changed.
async fn loads_all_but(server: &Server, rows: usize, bad: &[usize]) {
    refuse_bad_barcodes(server).await;
    let (good, failed) = ((rows - bad.len()) as u64, bad.len() as u64);
    let expected: Vec<usize> = bad.iter().map(|row| row + 1).collect();

    let job = server.load("products", Upload::csv(&file(rows, bad))).await;
    assert_eq!(counts(&job), [good, 0, 0, 0, failed], "{job}");
    assert_eq!(failed_rows(server, &job, "constraint_violated").await, expected);
    assert_eq!(server.database.number("select count(*) from products").await, good);
    let bad_ones = "select count(*) from products where barcode like 'BAD%'";
    assert_eq!(server.database.number(bad_ones).await, 0);
    let current = "select count(*) from product_prices where archived_at is null";
    assert_eq!(server.database.number(current).await, good);

    // The table's own text is passed on, with the cells of the row for its correction.
    let message = server.database.value("select min(message) from import_errors").await;
    assert!(message.contains("barcodes") && message.contains("refused"), "{message}");
    let answer = server.errors_file(job["jobId"].as_i64().unwrap(), "csv").await;
    let first = bad.first().map(|row| format!("S{row:05},Name {row},Drops,{row},BAD{row}"));
    assert!(answer.text().contains(&first.unwrap()), "{}", answer.text());

    let job = server.load("products", Upload::csv(&file(rows, bad).replace(",Drops,", ",drops,1")));
    assert_eq!(counts(&job.await), [0, good, 0, 0, failed]);
    assert_eq!(server.database.number("select count(*) from product_prices").await, 2 * good);
    assert_eq!(server.database.number(current).await, good);
}

both!(the_first_the_middle_and_the_last_row_of_a_chunk_are_refused_alone, |server| {
    loads_all_but(server, 600, &[1, 300, 600]).await;
});

both!(a_hundred_refused_rows_do_not_keep_the_others_out, |server| {
    let bad: Vec<usize> = (1..=1_000).filter(|row| row % 10 == 3 || *row == 1_000).collect();
    loads_all_but(server, 1_000, &bad).await;
});

both!(refused_rows_in_many_chunks_are_found_in_each, [("LOADBAY_CHUNK_ROWS", "20")], |server| {
    loads_all_but(server, 200, &[1, 20, 21, 40, 55, 100, 101, 102, 200]).await;
});

both!(a_chunk_of_nothing_but_refused_rows_is_done_with, [("LOADBAY_CHUNK_ROWS", "5")], |server| {
    let bad: Vec<usize> = (1..=15).collect();
    refuse_bad_barcodes(server).await;
    let job = server.load("products", Upload::csv(&file(15, &bad))).await;
    assert_eq!(counts(&job), [0, 0, 0, 0, 15]);
    assert_eq!(server.database.number("select count(*) from products").await, 0);
});

both!(the_second_of_two_rows_with_one_barcode_is_refused_by_a_unique_index, |server| {
    server.database.execute("create unique index one_barcode on products (barcode)").await;
    let file = "SKU,Name,Barcode\nA,Arnica,1\nB,Bryonia,2\nC,China,1\nD,Drosera,\nE,Euphrasia,\n";
    let job = server.load("products", Upload::csv(file)).await;
    assert_eq!(counts(&job), [4, 0, 0, 0, 1], "{job}");
    assert_eq!(failed_rows(server, &job, "constraint_violated").await, [4]);
    let skus = server.rows("select sku from products order by sku").await;
    assert_eq!(skus.concat(), ["A", "B", "D", "E"]);
});

both!(a_reference_that_the_database_refuses_fails_only_the_rows_that_name_it, |server| {
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger no_x before insert on categories when new.name like 'x%' \
             begin select raise(abort, 'no such category'); end;"
        }
        Kind::Postgres => "alter table categories add constraint no_x check (name not like 'x%')",
    };
    server.database.execute(sql).await;
    let file = "SKU,Name,Category\nA,Arnica,Drops\nB,Bryonia,xylo\nC,China,Pills\nD,Drosera,XYLO\n\
                E,Euphrasia,\n";
    let job = server.load("products", Upload::csv(file)).await;
    // Rows that write the same name in two ways share one new record, and its fate.
    assert_eq!(counts(&job), [3, 0, 0, 0, 2], "{job}");
    assert_eq!(failed_rows(server, &job, "constraint_violated").await, [3, 5]);
    let columns = server.rows("select distinct column_name from import_errors").await;
    assert_eq!(columns, [["category"]]);
    let names = server.rows("select name from categories order by name").await;
    assert_eq!(names, [["Drops"], ["Pills"]]);
});

both!(in_a_dry_run_refused_rows_are_reported_and_nothing_is_written, |server| {
    refuse_bad_barcodes(server).await;
    let upload = Upload::csv(&file(50, &[7, 8, 50])).option("dryRun", "true");
    let job = server.load("products", upload).await;
    assert_eq!(counts(&job), [47, 0, 0, 0, 3], "{job}");
    assert_eq!(failed_rows(server, &job, "constraint_violated").await, [8, 9, 51]);
    assert_eq!(server.database.number("select count(*) from products").await, 0);
    assert_eq!(server.database.number("select count(*) from categories").await, 0);
});

both!(mode_insert_and_refused_rows_go_together, |server| {
    server.load("products", Upload::csv(&file(5, &[]))).await;
    refuse_bad_barcodes(server).await;
    let upload = Upload::csv(&file(12, &[6, 9])).option("mode", "insert");
    let job = server.load("products", upload).await;
    assert_eq!(counts(&job), [5, 0, 0, 0, 7], "{job}");
    assert_eq!(failed_rows(server, &job, "already_exists").await, [2, 3, 4, 5, 6]);
    assert_eq!(failed_rows(server, &job, "constraint_violated").await, [7, 10]);
});

both!(a_row_that_a_trigger_leaves_out_is_failed_and_not_forgotten, |server| {
    let sql = match server.database.kind() {
        Kind::Sqlite => {
            "create trigger no_two before insert on products when new.sku = 'S00002' \
             begin select raise(ignore); end;"
        }
        Kind::Postgres => {
            "create function leave_out() returns trigger language plpgsql as \
             $$ begin if new.sku = 'S00002' then return null; end if; return new; end $$;
             create trigger no_two before insert on products for each row \
             execute function leave_out()"
        }
    };
    server.database.execute(sql).await;
    for (options, first) in [(None, [2, 0, 0, 0, 1]), (Some("insert"), [0, 0, 0, 0, 3])] {
        let mut upload = Upload::csv(&file(3, &[]));
        if let Some(mode) = options {
            upload = upload.option("mode", mode);
        }
        let job = server.load("products", upload).await;
        assert_eq!(counts(&job), first, "{job}");
        assert_eq!(failed_rows(server, &job, "refused_by_database").await, [3]);
    }
    let priced = "select count(*) from product_prices";
    assert_eq!(server.database.number(priced).await, 2, "no history for the row left out");
});

both!(a_table_with_triggers_is_imported_into, |server| {
    let triggers: &[&str] = match server.database.kind() {
        Kind::Sqlite => &[
            "create table audit (sku text, what text)",
            "create trigger made after insert on products \
             begin insert into audit values (new.sku, 'made'); end",
            "create trigger changed after update on products \
             begin insert into audit values (new.sku, 'changed'); end",
        ],
        Kind::Postgres => &[
            "create table audit (sku text, what text)",
            "create function noted() returns trigger language plpgsql as $$ begin \
             insert into audit values (new.sku, case tg_op when 'INSERT' then 'made' else 'changed' end); \
             return new; end $$",
            "create trigger noted after insert or update on products for each row \
             execute function noted()",
        ],
    };
    for trigger in triggers {
        server.database.execute(trigger).await;
    }
    let job = server.load("products", Upload::csv("SKU,Name\nA,One\nB,Two\nC,Three\n")).await;
    assert_eq!(job["counts"]["created"], 3, "{job}");
    let job = server.load("products", Upload::csv("SKU,Name\nA,One\nB,Other\nD,New\n")).await;
    let counts =
        ["created", "updated", "unchanged"].map(|name| job["counts"][name].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1], "{job}");
    let audit = server.rows("select sku, what from audit order by sku, what desc").await;
    let expected = [["A", "made"], ["B", "made"], ["B", "changed"], ["C", "made"], ["D", "made"]];
    assert_eq!(audit, expected);
    // With a number of the trigger's own row, histories still belong to the product.
    let upload = Upload::csv("SKU,Name,Selling Price\nE,Five,5\n");
    server.load("products", upload).await;
    let prices = "select p.sku from product_prices h join products p on p.id = h.product_id";
    assert_eq!(server.rows(prices).await, [["E"]]);
});
