//! A dataset that is defined anew between an import and its rollback.

use std::fs;

use super::tables::*;
use crate::support::*;

const FILE: &str = "Code,Name,Place\nA,Arnica,1\nB,Bryonia,2\n";

/// Starts the server with the dataset `stock` as defined.
fn define(server: &mut Server, table: &str, key: &str, required: &str) {
    define_with(server, table, key, required, "name");
}

/// The same; what the column `name` feeds is called `field`.
fn define_with(server: &mut Server, table: &str, key: &str, required: &str, field: &str) {
    let column = |name: &str| {
        let required = [key, required].contains(&name);
        let field = if name == "name" { field } else { name };
        format!(
            "[[column]]\nname = \"{name}\"\nfield = \"{field}\"\nrequired = {required}\n\
             max_length = 64\n"
        )
    };
    let columns: String = ["code", "name", "place", "colour"].map(column).concat();
    let text = format!("name = \"stock\"\ntable = \"{table}\"\nkey = [\"{key}\"]\n{columns}");
    let folder = server.data_dir().with_file_name("datasets");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("stock.toml"), text).unwrap();
    restart_with(server, &[]);
}

/// Starts the server again with the defined dataset and these settings.
fn restart_with(server: &mut Server, settings: &[(&str, &str)]) {
    let folder = server.data_dir().with_file_name("datasets");
    let folder = ("LOADBAY_DATASETS_DIR", folder.to_str().unwrap());
    if server.is_running() {
        server.terminate();
    }
    server.restart_with(&[&[folder], settings].concat());
}

both!(rows_are_not_looked_for_where_they_never_were, |server| {
    for table in ["stock_a", "stock_b"] {
        let sql = format!(
            "create table {table} (code varchar(64) unique, name varchar(64), \
             place varchar(64) unique, colour varchar(64), nickname varchar(64))"
        );
        server.database.execute(&sql).await;
    }
    define(server, "stock_a", "code", "code");
    let job = server.load("stock", undoable(FILE)).await["jobId"].as_i64().unwrap();
    for (table, key) in [("stock_b", "code"), ("stock_a", "place")] {
        define(server, table, key, key);
        let status = take_back(server, job).await;
        assert_eq!(
            (&status["status"], &status["errorCode"]),
            (&"failed".into(), &"dataset_changed".into()),
            "{status}"
        );
        let expected = format!(
            "job {job} was imported into table `stock_a` by `code`, but the dataset goes into \
             table `{table}` by `{key}` now; to roll the job back, define the dataset as it was"
        );
        assert_eq!(status["error"], expected.as_str());
    }
    define_with(server, "stock_a", "code", "code", "nickname");
    let status = take_back(server, job).await;
    assert_eq!(status["errorCode"], "dataset_changed", "{status}");
    let expected = format!(
        "job {job} was imported into table `stock_a` by `code`, `name` into `name`, but the dataset \
         goes into table `stock_a` by `code`, `name` into `nickname` now; to roll the job back, \
         define the dataset as it was"
    );
    assert_eq!(status["error"], expected.as_str());
    assert_eq!(server.database.number("select count(*) from stock_a").await, 2);
    // What a file must have does not matter for rows that were imported.
    define(server, "stock_a", "code", "colour");
    assert_counts(&take_back(server, job).await, [2, 0, 0, 0]);
});

/// The writer of the second chunk stands still, so that the job cannot end.
const STUCK: (&str, &str) = ("FAILPOINTS", "partition.after=1*off->1*pause->off");

both!(a_job_does_not_go_on_into_another_table, |server| {
    for table in ["stock_a", "stock_b"] {
        let sql = format!(
            "create table {table} (code varchar(64) unique, name varchar(64), \
             place varchar(64), colour varchar(64))"
        );
        server.database.execute(&sql).await;
    }
    define(server, "stock_a", "code", "code");
    restart_with(server, &[("LOADBAY_CHUNK_ROWS", "10"), STUCK]);
    let rows: String = (0..2_000).map(|row| format!("C-{row},Name,{row}\n")).collect();
    let file = format!("Code,Name,Place\n{rows}");
    let job = server.import("stock", Upload::csv(&file)).await;
    server.until(job, |job| job["progress"]["current"].as_u64() > Some(0)).await;
    server.kill();
    define(server, "stock_b", "code", "code");
    let status = server.finished(job).await;
    assert_eq!(
        (&status["status"], &status["errorCode"]),
        (&"failed".into(), &"dataset_changed".into()),
        "{status}"
    );
    assert_eq!(server.database.number("select count(*) from stock_b").await, 0);

    define(server, "stock_a", "code", "code");
    let child = server.action(job, "retry").await.ok()["jobId"].as_i64().unwrap();
    assert_eq!(server.finished(child).await["status"], "completed");
    assert_eq!(server.database.number("select count(*) from stock_a").await, 2_000);
});
