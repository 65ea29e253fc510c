//! Very many jobs change at once, as by a statement of an operator: the stream of all jobs stays small
//! and current.

use crate::support::{Kind, Server, Upload, both};

/// The server's memory may grow by so much, in KiB.
const GROWTH_MAX: u64 = 60 << 10;

/// Peak resident memory of the server in KiB.
fn peak(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Adds copies of job 1.
async fn copies_of_a_job(server: &Server, count: u32) {
    let (rows, uuid) = match server.database.kind() {
        Kind::Sqlite => (
            format!(
                "with recursive numbers (n) as (select 1 union all select n + 1 from numbers \
                 where n < {count})"
            ),
            "lower(hex(randomblob(16)))",
        ),
        Kind::Postgres => {
            (format!("with numbers (n) as (select generate_series(1, {count}))"), "md5(n::text)")
        }
    };
    let columns = "dataset, file_name, file_size, sha256, import_status, options, detected, warnings, \
                   source_server, row_events, created_at, started_at, updated_at, completed_at";
    let sql = format!(
        "{rows} insert into import_log (uuid, {columns}) select {uuid}, {columns} \
         from numbers cross join import_log where id = 1"
    );
    server.database.execute(&sql).await;
}

both!(a_hundred_thousand_changes_at_once_neither_fill_memory_nor_hide_a_job, |server| {
    server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    copies_of_a_job(server, 100_000).await;
    let mut listener = server.listen("/api/v1/import/events").await;
    assert_eq!(listener.next().await.unwrap().kind(), "snapshot");
    let before = peak(server);
    let now = match server.database.kind() {
        Kind::Sqlite => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
        Kind::Postgres => "now()",
    };
    let sql = format!("update import_log set priority = 7, updated_at = {now}");
    server.database.execute(&sql).await;
    // The newest job, as the statement left it, and one that comes in the middle of all of this.
    let mut is_told = false;
    while !is_told {
        let heard = listener.next().await.expect("the stream does not end").data;
        is_told = heard["job"]["jobId"] == 100_001 && heard["job"]["priority"] == 7
            || heard["jobs"][0]["jobId"] == 100_001 && heard["jobs"][0]["priority"] == 7;
    }
    let job = server.import("products", Upload::csv("SKU,Name\nB,Bryonia\n")).await;
    let mut is_told = false;
    while !is_told {
        let heard = listener.next().await.expect("the stream does not end").data;
        is_told = heard["job"]["jobId"] == job && heard["job"]["status"] == "completed"
            || heard["jobs"][0]["jobId"] == job && heard["jobs"][0]["status"] == "completed";
    }
    let grown = peak(server) - before;
    assert!(grown < GROWTH_MAX, "{grown} KiB");
    server.database.execute("delete from import_log where id between 2 and 100001").await;
});
