//! Several jobs at once on the same keys: nothing waits for ever, every job's counts add up, and
//! each product ends as one of the files has it.

use std::collections::BTreeSet;

use crate::support::*;

/// `rows` products in the order of their keys or in the opposite one; `file` marks every value.
fn file(file: usize, rows: usize, backwards: bool) -> String {
    let mut lines: Vec<String> = (0..rows)
        .map(|row| {
            let (category, brand) = ((row + file) % 7, (row * 3 + file) % 11);
            format!("K{row:05},File {file},Cat {category},BRAND {brand},{file}.5,{file}{row}\n")
        })
        .collect();
    if backwards {
        lines.reverse();
    }
    format!("SKU,Name,Category,Brand,Price,Qty\n{}", lines.concat())
}

async fn finish_all(server: &Server, jobs: &[i64]) {
    for job in jobs {
        let status = server.finished(*job).await;
        assert_eq!(status["status"], "completed", "{status}");
        check_guarantees(server, *job).await;
    }
}

/// Every product is as one file has it, with one current price and stock, the same as its own.
async fn assert_whole(server: &Server, products: u64) {
    let number = |sql: &'static str| server.database.number(sql);
    assert_eq!(number("select count(*) from products").await, products);
    let mixed = "select count(*) from products \
                 where 'File ' || cast(cast(selling_price - 0.5 as integer) as varchar) <> name";
    assert_eq!(number(mixed).await, 0, "a product has values of two files");
    for (table, column) in
        [("product_prices", "selling_price"), ("product_stocks", "current_stock")]
    {
        let current = format!(
            "select count(*) from {table} h join products p on p.id = h.product_id \
             where h.archived_at is null and h.{column} = p.{column}"
        );
        assert_eq!(server.database.number(&current).await, products, "{table}");
    }
    for (table, column) in [("categories", "name"), ("brands", "name")] {
        let twice = format!("select count(*) - count(distinct lower({column})) from {table}");
        assert_eq!(server.database.number(&twice).await, 0, "{table}");
    }
}

both!(
    jobs_with_the_same_keys_in_opposite_order_all_end,
    [("LOADBAY_MAX_RUNNING_JOBS", "4"), ("LOADBAY_CHUNK_ROWS", "50")],
    |server| {
        let mut jobs = Vec::new();
        for number in 1..=4 {
            let upload = Upload::csv(&file(number, 400, number % 2 == 0));
            jobs.push(server.import("products", upload).await);
        }
        finish_all(server, &jobs).await;
        assert_whole(server, 400).await;
        let created = server.database.number("select sum(created_count) from import_log").await;
        assert_eq!(created, 400, "each product was created by one job");
        let names = server.rows("select distinct name from products").await;
        assert!(!names.is_empty() && names.len() <= 4, "{names:?}");
    }
);

both!(
    jobs_that_create_the_same_references_at_once_create_each_once,
    [("LOADBAY_MAX_RUNNING_JOBS", "4"), ("LOADBAY_CHUNK_ROWS", "25")],
    |server| {
        let mut jobs = Vec::new();
        for number in 0..4_usize {
            let mut text = "SKU,Name,Category,Brand,Form\n".to_owned();
            for row in 0..150_usize {
                let name = (if number % 2 == 0 { row } else { 149 - row }) / 3;
                let (form, brand) = if number < 2 { ("Öl", "alp") } else { ("ÖL", "ALP") };
                text.push_str(&format!(
                    "J{number}-{row},Name,Cat {name},{brand} {name},{form} {name}\n"
                ));
            }
            jobs.push(server.import("products", Upload::csv(&text)).await);
        }
        finish_all(server, &jobs).await;
        for table in ["categories", "brands", "forms"] {
            let names = server.rows(&format!("select name from {table}")).await.concat();
            let distinct: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
            assert_eq!((names.len(), distinct.len()), (50, 50), "{table}: {names:?}");
        }
        let nameless = "select count(*) from products \
                        where category_id is null or brand_id is null or form_id is null";
        assert_eq!(server.database.number(nameless).await, 0);
    }
);

both!(
    two_jobs_with_mode_insert_create_each_key_once,
    [("LOADBAY_MAX_RUNNING_JOBS", "4"), ("LOADBAY_CHUNK_ROWS", "20")],
    |server| {
        let mut jobs = Vec::new();
        for number in 1..=3 {
            let upload = Upload::csv(&file(number, 300, number == 2)).option("mode", "insert");
            jobs.push(server.import("products", upload).await);
        }
        finish_all(server, &jobs).await;
        assert_whole(server, 300).await;
        let sums = "select sum(created_count), sum(error_count) from import_log";
        assert_eq!(server.rows(sums).await, [["300", "600"]]);
        let codes = server.rows("select distinct code from import_errors").await;
        assert_eq!(codes, [["already_exists"]]);
    }
);

both!(twenty_uploads_at_once_all_finish, [("LOADBAY_CHUNK_ROWS", "40")], |server| {
    let server = &*server;
    let upload = |number: usize| async move {
        let text = file(number, 60, number % 2 == 1).replace("\nK", &format!("\nU{number}-"));
        server.import("products", Upload::csv(&text)).await
    };
    let jobs = futures_util::future::join_all((1..=20).map(upload)).await;
    let distinct: BTreeSet<i64> = jobs.iter().copied().collect();
    assert_eq!(distinct.len(), 20, "every upload has its own job");
    finish_all(server, &jobs).await;
    assert_whole(server, 20 * 60).await;
});

both!(
    status_is_answered_at_once_while_jobs_run,
    [("LOADBAY_MAX_RUNNING_JOBS", "4"), ("LOADBAY_CHUNK_ROWS", "200")],
    |server| {
        let mut jobs = Vec::new();
        for number in 1..=4 {
            jobs.push(server.import("products", Upload::csv(&file(number, 4_000, false))).await);
        }
        let mut answers = 0;
        while server.status(jobs[3]).await.ok()["completedAt"].is_null() {
            for job in &jobs {
                server.status(*job).await.ok();
                answers += 1;
            }
            before_the_next_look().await;
        }
        assert!(answers > 4, "a status waited for the end of a job");
        finish_all(server, &jobs).await;
        assert_whole(server, 4_000).await;
    }
);
