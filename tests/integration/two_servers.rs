//! Two servers on one PostgreSQL database: they migrate it once, each runs the jobs whose files it
//! has, and each answers for all.

use std::collections::BTreeSet;

use crate::support::*;
use futures_util::StreamExt;

#[tokio::test]
async fn two_servers_that_start_together_migrate_once_and_share_the_queue() {
    let settings = [("LOADBAY_CHUNK_ROWS", "2"), ("LOADBAY_MAX_RUNNING_JOBS", "2")];
    let mut servers = Server::start_two(&settings).await;
    let migrations = "select count(*), count(distinct version) from seaql_migrations";
    let [row] = <[_; 1]>::try_from(servers[0].rows(migrations).await).unwrap();
    assert_eq!(row[0], row[1], "a migration ran twice");

    let upload = |number: usize| {
        let server = &servers[number % 2];
        let text = format!(
            "SKU,Name,Category,Qty\nT{number},Name,Cat {},1\nSHARED,Name {number},CAT 1,{number}\n\
             T{number}-2,Name,cat {},2\n",
            number % 5,
            number % 3
        );
        async move { server.import("products", Upload::csv(&text)).await }
    };
    let jobs: Vec<i64> =
        futures_util::stream::iter((0..100).map(upload)).buffered(8).collect().await;
    for (number, job) in jobs.iter().enumerate() {
        // Asked of the server that does not run it.
        let status = servers[(number + 1) % 2].finished(*job).await;
        assert_eq!(status["status"], "completed", "{status}");
        assert_eq!(status["results"]["successCount"], 3, "{status}");
        // The one that runs it shows the end when it hears that it is stored.
        servers[number % 2].finished(*job).await;
        let own = servers[number % 2].status(*job).await;
        let other = servers[(number + 1) % 2].status(*job).await;
        assert_eq!(own.text(), other.text());
        // Each of them looks at many tables; every tenth tells the same.
        if number % 10 == 0 {
            check_guarantees(&servers[0], *job).await;
        }
    }
    let database = &servers[0].database;
    assert_eq!(database.number("select count(*) from products").await, 201);
    assert_eq!(database.number("select count(*) from categories").await, 5);
    let created = "select sum(created_count), sum(created_count + updated_count + unchanged_count) \
                   from import_log";
    assert_eq!(database.rows(created).await, [["201", "300"]]);
    let current = "select count(*) from product_stocks where archived_at is null";
    assert_eq!(database.number(current).await, 201);
    let taken: BTreeSet<String> = servers[0]
        .rows("select distinct source_server from import_log")
        .await
        .concat()
        .into_iter()
        .collect();
    assert_eq!(taken.len(), 2);
    let [one, two] = &mut servers;
    assert!(one.is_running() && two.is_running());
}

#[tokio::test]
async fn a_job_waits_for_the_server_that_has_its_file() {
    let settings = [("LOADBAY_CHUNK_ROWS", "2")];
    let [mut one, two] = Server::start_two(&settings).await;
    let mut text = "SKU,Name\n".to_owned();
    for row in 0..400 {
        text.push_str(&format!("W{row},Name\n"));
    }
    let job = one.import("products", Upload::csv(&text)).await;
    one.kill();
    // The lease of the killed server is void from now on, for anyone who may take the job.
    let void = "update import_log set lease_expires_at = now() - interval '1 hour'";
    two.database.execute(void).await;
    two.load("products", Upload::csv("SKU,Name\nOTHER,Name\n")).await;
    let waiting = two.status(job).await.ok()["status"].clone();
    assert!(waiting == "processing" || waiting == "pending", "{waiting}");
    one.restart();
    let status = two.finished(job).await;
    assert_eq!(status["status"], "completed", "{status}");
    check_guarantees(&one, job).await;
}

#[tokio::test]
async fn a_job_is_cancelled_through_the_other_server() {
    let [one, two] = Server::start_two(&[SLOW, ("LOADBAY_CHUNK_ROWS", "5")]).await;
    let mut text = "SKU,Name\n".to_owned();
    for row in 0..3_000 {
        text.push_str(&format!("W{row},Name\n"));
    }
    let job = one.import("products", Upload::csv(&text)).await;
    one.until(job, |status| status["progress"]["current"].as_u64() > Some(0)).await;
    let cancelled = two.cancel(job).await;
    assert_eq!(cancelled.ok()["status"], "cancelled");
    // The one that ran it learns of it when its next chunk is turned away.
    let status = one.finished(job).await;
    assert_eq!(status["status"], "cancelled", "{status}");
    assert_eq!(one.status(job).await.text(), two.status(job).await.text());
    check_guarantees(&two, job).await;
}
