//! Two servers, one database, one bucket: either can do all the work, and when one is gone for good
//! the other does.

use std::collections::BTreeSet;

use crate::s3::S3;
use crate::support::*;
use futures_util::StreamExt;
use rustix::process::Signal;

const FILES: usize = 100;
const ROWS: usize = 120;

/// A file of rows of its own, one row that all files have, and one that fails.
fn file(number: usize) -> String {
    let mut text = "SKU,Name,Category,Qty\n".to_owned();
    for row in 0..ROWS - 2 {
        text.push_str(&format!("F{number:03}-{row:04},Name {row},Cat {},{row}\n", row % 7));
    }
    text.push_str(&format!("SHARED,Name {number},Cat 1,{number}\nBAD-{number},Bad,Cat 1,many\n"));
    text
}

#[tokio::test]
async fn one_of_two_servers_is_killed_and_the_other_completes_all_files_once() {
    let s3 = S3::start();
    // Several jobs may write to the table at the same time, so that both servers have work.
    let datasets = tempfile::tempdir().unwrap();
    let text = include_str!("../../datasets/products.toml");
    let several = text.replacen("run   =", "max_running_jobs = 4\nrun   =", 1);
    assert_ne!(text, several, "the dataset has another form");
    std::fs::write(datasets.path().join("products.toml"), several).unwrap();
    let folder = datasets.path().to_string_lossy();
    let more = [
        ("LOADBAY_DATASETS_DIR", &*folder),
        ("LOADBAY_LEASE", "3s"),
        ("LOADBAY_CHUNK_ROWS", "20"),
        ("LOADBAY_MAX_RUNNING_JOBS", "2"),
    ];
    let [mut lost, kept] = Server::start_two(&s3.settings(&more)).await;
    let upload = |number: usize| {
        let server = if number.is_multiple_of(2) { &lost } else { &kept };
        async move { server.import("products", Upload::csv(&file(number))).await }
    };
    let jobs: Vec<i64> =
        futures_util::stream::iter((0..FILES).map(upload)).buffered(8).collect().await;

    let database = std::sync::Arc::clone(&kept.database);
    let ended = "select count(*) from import_log where import_status = 'COMPLETED'";
    wait_until!(database.number(ended).await >= 50, "the jobs do not move; {}", kept.log());
    let id = std::fs::read_to_string(lost.data_dir().join("server-id")).unwrap();
    let works = format!(
        "select count(*) from import_log where import_status = 'PROCESSING' and lease_owner = '{}'",
        id.trim()
    );
    // In the middle of a job: what it holds must be taken over.
    loop {
        while database.number(&works).await == 0 {
            assert!(database.number(ended).await < FILES as u64, "there was nothing left to do");
            before_the_next_look().await;
        }
        lost.signal(Signal::STOP);
        if database.number(&works).await > 0 {
            break;
        }
        lost.signal(Signal::CONT);
    }
    lost.kill();

    for job in &jobs {
        let status = kept.finished(*job).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["results"]["totalRows"], ROWS, "{status}");
        assert_eq!(status["counts"]["failed"], 1, "{status}");
        check_guarantees(&kept, *job).await;
    }
    let own_rows = FILES * (ROWS - 2);
    assert_eq!(database.number("select count(*) from products").await, own_rows as u64 + 1);
    let totals = "select sum(created_count), \
                  sum(created_count + updated_count + unchanged_count), sum(error_count) \
                  from import_log";
    let expected = [own_rows + 1, FILES * (ROWS - 1), FILES].map(|count| count.to_string());
    assert_eq!(database.rows(totals).await, [expected]);
    let current = "select count(*) from product_stocks where archived_at is null";
    assert_eq!(database.number(current).await, own_rows as u64 + 1);
    let taken_over = database.number("select count(*) from import_log where lease_epoch > 2").await;
    assert!(taken_over > 0, "no job was taken over");
    let places: BTreeSet<String> = database
        .rows("select distinct source_server from import_log")
        .await
        .concat()
        .into_iter()
        .collect();
    assert_eq!(places.len(), 1, "{places:?}");
}
