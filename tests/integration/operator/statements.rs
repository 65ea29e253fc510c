//! The statements of docs/operations.md, run as they stand there.

use crate::support::{Kind, Server, Upload, both};

const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// The statements of the documentation below a line that begins so, for this database.
fn statement(server: &Server, title: &str) -> String {
    let (_, behind) = OPERATIONS.split_once(title).unwrap_or_else(|| panic!("no `{title}`"));
    let name = match server.database.kind() {
        Kind::Sqlite => "-- SQLite\n",
        Kind::Postgres => "-- PostgreSQL\n",
    };
    let mut blocks = behind.split("```sql\n").skip(1).filter_map(|it| it.split("```").next());
    let first = blocks.next().unwrap();
    let block = if first.starts_with("-- ") {
        [first].into_iter().chain(blocks).find(|block| block.starts_with(name)).unwrap()
    } else {
        first
    };
    block.strip_prefix(name).unwrap_or(block).trim().trim_end_matches(';').to_owned()
}

async fn found(server: &Server, title: &str) -> Vec<String> {
    let rows = server.rows(&statement(server, title)).await;
    rows.into_iter().map(|row| row[0].clone()).collect()
}

async fn uploads(server: &Server) {
    let partly = "SKU,Name\nA,Arnica\nB,\n";
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    server.load("products", Upload::csv(partly)).await;
    server.load("products", Upload::csv(partly).option("onError", "abort")).await;
    server.load("products", Upload::csv(partly).option("dryRun", "true")).await;
}

both!(every_statement_of_the_documentation_runs, |server| {
    uploads(server).await;
    let (other, mut ran) = match server.database.kind() {
        Kind::Sqlite => ("-- PostgreSQL\n", 0),
        Kind::Postgres => ("-- SQLite\n", 0),
    };
    for block in OPERATIONS.split("```sql\n").skip(1) {
        let block = block.split("```").next().unwrap();
        if block.starts_with(other) {
            continue;
        }
        for sql in block.split(';').filter(|sql| !sql.trim().is_empty()) {
            server.rows(sql).await;
            ran += 1;
        }
    }
    assert!(ran > 12, "{ran} statements");
});

both!(statements_tell_imports_failures_and_times, |server| {
    uploads(server).await;
    assert_eq!(found(server, "Recent imports:").await, ["3", "2", "1"]);
    assert_eq!(found(server, "Failed imports").await, ["3", "2"]);
    assert_eq!(found(server, "Dry runs:").await, ["4"]);
    let yesterday = "Imports since yesterday 18:00";
    assert_eq!(found(server, yesterday).await, ["3", "2", "1"]);
    // Three days ago is before yesterday evening, in every time zone.
    let ago = match server.database.kind() {
        Kind::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', created_at, '-3 days')",
        Kind::Postgres => "created_at - interval '3 days'",
    };
    let sql = format!("update import_log set created_at = {ago} where id in (1, 3)");
    server.database.execute(&sql).await;
    assert_eq!(found(server, yesterday).await, ["2"]);
    // To the hour: the day alone is not enough.
    for (hours, expected) in [(5, &["2", "1"][..]), (7, &["2"])] {
        let evening = match server.database.kind() {
            Kind::Sqlite => format!(
                "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now', 'localtime', 'start of day', \
                 '-{hours} hours', 'utc')"
            ),
            Kind::Postgres => format!("current_date - interval '{hours} hours'"),
        };
        let sql = format!("update import_log set created_at = {evening} where id = 1");
        server.database.execute(&sql).await;
        assert_eq!(found(server, yesterday).await, expected, "{hours} hours before midnight");
    }
});
