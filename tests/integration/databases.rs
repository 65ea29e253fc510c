//! A database of one's own on both engines, with the same texts for the same values, so that one
//! assertion fits both; and how the tables come to be.

use crate::support::{Database, Kind, Upload, both};
use loadbay::store::{Store, StoreSettings};

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

/// A migration breaks off: a table of its name is there already. Nothing of any of them is left behind,
/// and once nothing is in the way, the next start does them all.
async fn a_migration_that_broke_off_is_done_at_the_next_start(kind: Kind) {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::create(kind, folder.path()).await;
    let settings = StoreSettings {
        database_url: database.url().map(str::to_owned),
        sqlite_path: folder.path().join("loadbay.sqlite"),
        schema: "loadbay".to_owned(),
        lease: std::time::Duration::from_secs(30),
    };
    let schema = if kind == Kind::Postgres { "loadbay." } else { "" };
    let obstacles = ["import_superseded", "import_error_groups", "import_undo"];
    if kind == Kind::Postgres {
        database.execute("create schema loadbay").await;
    }
    for table in obstacles {
        database.execute(&format!("create table {schema}{table} (name text)")).await;
    }
    let tables = match kind {
        Kind::Sqlite => "select count(*) from sqlite_master where type = 'table'",
        Kind::Postgres => {
            "select count(*) from pg_tables where schemaname in ('loadbay', 'public')"
        }
    };
    for (done, table) in obstacles.into_iter().enumerate() {
        for _ in 0..2 {
            let broken_off = Store::connect(&settings).await.expect_err("a table is in the way");
            let why = format!("{broken_off:?}");
            assert!(why.contains(table), "{kind:?}, migration {done}: {why}");
        }
        let left = (obstacles.len() - done) as u64;
        assert_eq!(database.number(tables).await, left, "{kind:?}: something is left behind");
        database.execute(&format!("drop table {schema}{table}")).await;
    }
    let store = Store::connect(&settings).await.expect("nothing is in the way any more");
    let undone = database.number("select count(*) from import_undo").await;
    assert_eq!(undone, 0);
    store.close().await;
}

#[tokio::test]
async fn a_migration_of_sqlite_that_broke_off_is_done_at_the_next_start() {
    a_migration_that_broke_off_is_done_at_the_next_start(Kind::Sqlite).await;
}

#[tokio::test]
async fn a_migration_of_postgres_that_broke_off_is_done_at_the_next_start() {
    a_migration_that_broke_off_is_done_at_the_next_start(Kind::Postgres).await;
}

/// What refuses every chunk, whatever the database.
fn refusal(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => {
            "create trigger refuses before insert on import_chunks begin \
             select raise(abort, 'no chunk today'); end"
        }
        Kind::Postgres => {
            "create function refuses() returns trigger language plpgsql as \
             $$ begin raise exception 'no chunk today'; end $$; \
             create trigger refuses before insert on import_chunks \
             for each row execute function refuses()"
        }
    }
}

both!(what_the_database_says_is_said_once_and_without_its_source, |server| {
    server.database.execute(refusal(server.database.kind())).await;
    let job = server.import("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    let error = server.finished(job).await["error"].as_str().unwrap().to_owned();
    let log = server.log();
    let line = log.lines().find(|line| line.contains("job_failed")).unwrap();
    for text in [error.as_str(), line] {
        assert_eq!(text.matches("no chunk today").count(), 1, "{text}");
        assert!(!text.contains("at line"), "{text}");
        assert!(!text.contains("error returned from database"), "{text}");
    }
});
