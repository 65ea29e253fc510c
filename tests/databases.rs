//! Checks what the other tests stand on: a database of one's own on both engines, and the same
//! texts for the same values, so that one assertion fits both.

#![expect(clippy::expect_used, reason = "test code")]

mod support;

use support::{Database, Kind};

async fn check(kind: Kind) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::create(kind, folder.path()).await;
    database
        .execute(
            "create table things (id uuid, name text, flag boolean, size integer);
             insert into things values
             (null, 'Ärnica ''30C''', true, 12), (null, null, false, -1);",
        )
        .await;
    let rows = database.rows("select name, flag, size from things order by size desc").await;
    assert_eq!(rows, [["Ärnica '30C'", "1", "12"], ["NULL", "0", "-1"]]);
    assert_eq!(database.number("select count(*) from things where id is null").await, 2);
}

#[tokio::test]
async fn sqlite_gives_what_was_stored() {
    check(Kind::Sqlite).await;
}

#[tokio::test]
async fn postgres_gives_what_was_stored() {
    check(Kind::Postgres).await;
}
