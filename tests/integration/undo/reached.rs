//! The indexes that a rollback makes for as long as it runs: never taken from another rollback, never
//! left for good, never waited for.

use super::tables::*;
use crate::support::*;
use crate::survival::{before, file, reaches};

async fn indexes(server: &Server) -> u64 {
    let count = match server.database.kind() {
        Kind::Sqlite => "select count(*) from sqlite_master where name like 'loadbay_reach%'",
        Kind::Postgres => "select count(*) from pg_indexes where indexname like 'loadbay_reach%'",
    };
    server.database.number(count).await
}

both!(
    indexes_stay_while_a_rollback_needs_them_and_no_longer,
    [SLOW, ("LOADBAY_CHUNK_ROWS", "10")],
    |server| {
        server.load("products", Upload::csv(&before())).await;
        let other = load(server, "SKU,Name,Price\nOther,Other,1\n").await;
        let job = load(server, &file()).await;
        let rollback = ask(server, job).await;
        reaches(server, rollback, 0, 100).await;
        assert_eq!(indexes(server).await, 2);
        server.action(rollback, "pause").await.ok();
        assert_counts(&take_back(server, other).await, [1, 0, 0, 0]);
        assert_eq!(indexes(server).await, 2, "the one that was set aside needs them");
        server.action(rollback, "resume").await.ok();
        reaches(server, rollback, 0, 300).await;
        // It ends while nobody runs it.
        server.action(rollback, "pause").await.ok();
        server.kill();
        server.restart();
        assert_eq!(indexes(server).await, 2);
        server.cancel(rollback).await.ok();
        assert!(server.terminate().success());
        server.restart();
        assert_eq!(indexes(server).await, 0, "left by a rollback that is no more");
        assert_eq!(take_back(server, job).await["counts"]["failed"], 0);
        assert_eq!(indexes(server).await, 0);
    }
);

#[tokio::test]
async fn a_history_that_others_hold_is_not_waited_for() {
    use sqlx::Connection;

    let mut server = Server::start(Kind::Postgres).await;
    let job = load(&server, "SKU,Name,Qty\nA,Arnica,1\n").await;
    let address = server.database.url().expect("this is PostgreSQL");
    let mut other = sqlx::PgConnection::connect(address).await.expect("a connection");
    for sql in ["begin", "lock table product_stocks in row exclusive mode"] {
        sqlx::raw_sql(sql).execute(&mut other).await.expect("the lock");
    }
    assert_counts(&take_back(&server, job).await, [1, 0, 0, 0]);
    sqlx::raw_sql("rollback").execute(&mut other).await.expect("the release");
    drop(other);
    server.check_every_job().await;
}
