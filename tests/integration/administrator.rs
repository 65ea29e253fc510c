//! What the administrator of a database does to a server: cancels statements, takes rights, sets
//! limits and states, changes tables. Jobs go on where they can, and refusals name the cause.

use std::sync::Arc;

use crate::support::*;

const FILE: &str = "SKU,Name\nA,Arnica\nB,Bryonia\n";

/// Starts a server that must refuse to, and gives what it says.
async fn refusal(address: &str) -> String {
    refusal_with(address, &[]).await
}

async fn refusal_with(address: &str, settings: Settings<'_>) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Arc::new(Database::given(address.to_owned()));
    let mut server = Server::new(folder, database, settings);
    let _lines = server.spawn("127.0.0.1:0");
    let status = loop {
        if let Some(status) = server.ended() {
            break status;
        }
        assert!(!server.log().contains("server is ready"), "it starts: {}", server.log());
        before_the_next_look().await;
    };
    assert_eq!(status.code(), Some(1), "{}", server.log());
    server.log()
}

/// The address of the same database for another role.
fn as_role(address: &str, role: &str) -> String {
    let (_, host) = address.rsplit_once('@').expect("a user");
    format!("postgres://{role}:secret@{host}")
}

/// A database in a cluster of its own: roles belong to a cluster.
async fn own_cluster() -> (PrivateCluster, Database) {
    let cluster = PrivateCluster::start();
    let first = Database::given(cluster.address.clone());
    first.execute("create database shop").await;
    let (server, _) = cluster.address.rsplit_once('/').expect("a database");
    let database = Database::given(format!("{server}/shop"));
    (cluster, database)
}

#[tokio::test]
async fn a_role_that_may_not_create_tables_starts_a_server_on_tables_that_are_there() {
    let (_cluster, database) = own_cluster().await;
    let (database, owner) = (Arc::new(database), "the owner has an address");
    let address = database.url().expect(owner).to_owned();
    database.execute("create role clerk login password 'secret'").await;
    let clerk = as_role(&address, "clerk");
    let said = refusal(&clerk).await;
    assert!(said.contains("there is no schema `loadbay`"), "{said}");
    assert!(said.contains("CREATE SCHEMA \"loadbay\" AUTHORIZATION \"clerk\""), "{said}");
    database.execute("create schema loadbay").await;
    let said = refusal(&clerk).await;
    assert!(said.contains("USAGE, CREATE on schema `loadbay` is missing"), "{said}");

    let folder = tempfile::tempdir().expect("a folder");
    let mut first = Server::new(folder, Arc::clone(&database), &[]);
    first.restart();
    first.terminate();
    let said = refusal(&clerk).await;
    assert!(
        said.contains("lacks") && said.contains("INSERT, DELETE on TABLE loadbay.import_log,"),
        "{said}"
    );

    let rows = "grant select, insert, update, delete on all tables in schema loadbay to clerk";
    database.execute(rows).await;
    database.execute("grant usage on schema loadbay to clerk").await;
    database.execute("grant usage on all sequences in schema loadbay to clerk").await;
    database.execute("revoke temporary on database shop from public").await;
    let said = refusal(&clerk).await;
    assert!(said.contains("lacks TEMPORARY on DATABASE shop"), "{said}");

    database.execute("grant temporary on database shop to clerk").await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = Server::new(folder, Arc::new(Database::given(clerk)), &[]);
    server.restart();
    let job = server.load("products", Upload::csv(FILE)).await;
    assert_eq!(job["counts"]["created"], 2);
    let job = job["jobId"].as_i64().unwrap();
    let delete = server.request(reqwest::Method::DELETE, &format!("/api/v1/import/jobs/{job}"));
    assert!(server.send(delete).await.status < 300, "{}", server.log());
    server.check_every_job().await;
    server.terminate();
    // Nobody is in the database that goes with its cluster.
    drop((first, server));
}

const GOODS: &str = r#"
name = "goods"
table = "goods"
key = ["sku"]

[[column]]
name = "sku"
required = true

[[column]]
name = "labels"
type = "list"
into = { table = "good_labels", references = { table = "labels", match = "name" } }
"#;

#[tokio::test]
async fn a_role_that_may_not_delete_links_of_lists_is_told_to_the_administrator() {
    let (_cluster, database) = own_cluster().await;
    let clerk = as_role(database.url().expect("an address"), "clerk");
    let tables = "create role clerk login password 'secret'; \
         grant usage, create on schema public to clerk; \
         create table labels (id serial primary key, name text not null unique); \
         insert into labels (name) values ('red'), ('old'); \
         create table goods (id serial primary key, sku text not null unique); \
         create table good_labels (good_id integer not null references goods (id), \
         label_id integer not null references labels (id), primary key (good_id, label_id)); \
         grant select, insert, update on goods, labels, good_labels to clerk; \
         grant usage on all sequences in schema public to clerk; \
         create schema loadbay authorization clerk";
    database.execute(tables).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("goods.toml"), GOODS).expect("a file can be written");
    let definitions = [("LOADBAY_DATASETS_DIR", folder.path().to_str().expect("a path in UTF-8"))];

    let said = refusal_with(&clerk, &definitions).await;
    assert!(said.contains("role `clerk` lacks DELETE on TABLE good_labels;"), "{said}");
    assert!(said.contains("GRANT DELETE ON TABLE good_labels TO \"clerk\";"), "{said}");

    database.execute("grant delete on good_labels to clerk").await;
    let home = tempfile::tempdir().expect("a folder");
    let mut server = Server::new(home, Arc::new(Database::given(clerk)), &definitions);
    server.restart();
    server.load("goods", Upload::csv("Sku,Labels\nA,red|old\n")).await;
    server.load("goods", Upload::csv("Sku,Labels\nA,old\n")).await;
    let links = "select g.sku, l.name from goods g, good_labels t, labels l \
                 where g.id = t.good_id and l.id = t.label_id";
    assert_eq!(database.rows(links).await, [["A", "old"]]);
    server.check_every_job().await;
    server.terminate();
    // Nobody is in the database that goes with its cluster.
    drop((server, database));
}

/// Lets every statement that adds products fail as if somebody cancelled it, the first `times` times.
async fn cancel(server: &Server, times: u32) {
    let sql = format!(
        "create sequence cancelled; \
         create function cancel() returns trigger language plpgsql as $$ begin \
         if nextval('cancelled') <= {times} then \
         raise exception 'canceling statement due to user request' using errcode = '57014'; \
         end if; return null; end $$; \
         create trigger cancelled before insert on products for each statement \
         execute function cancel()"
    );
    server.database.execute(&sql).await;
}

#[tokio::test]
async fn a_cancelled_statement_is_tried_again() {
    let mut server = Server::start(Kind::Postgres).await;
    cancel(&server, 3).await;
    let job = server.load("products", Upload::csv(FILE)).await;
    assert_eq!((&job["status"], &job["counts"]["created"]), (&"completed".into(), &2.into()));
    server.check_every_job().await;
}

#[tokio::test]
async fn a_statement_that_is_cancelled_each_time_ends_its_job_with_a_code_of_its_own() {
    let mut server = Server::start(Kind::Postgres).await;
    cancel(&server, 1_000_000).await;
    let job = server.import("products", Upload::csv(FILE)).await;
    let job = server.finished(job).await;
    assert_eq!(
        (&job["status"], &job["errorCode"]),
        (&"failed".into(), &"statement_cancelled".into())
    );
    server.check_every_job().await;
}

#[tokio::test]
async fn time_limits_of_the_role_do_not_end_jobs() {
    let mut server = Server::start(Kind::Postgres).await;
    let slow = "create function slow() returns trigger language plpgsql as \
                $$ begin perform pg_sleep(1); return null; end $$; \
                create trigger slow before insert on products for each statement \
                execute function slow()";
    server.database.execute(slow).await;
    let name = server.database.value("select current_database()").await;
    for limit in ["statement_timeout = '300ms'", "lock_timeout = '1ms'"] {
        server.database.execute(&format!("alter database {name} set {limit}")).await;
    }
    let isolation = "default_transaction_isolation = 'serializable'";
    server.database.execute(&format!("alter database {name} set {isolation}")).await;
    server.terminate();
    server.restart();
    let job = server.load("products", Upload::csv(FILE)).await;
    assert_eq!(job["counts"]["created"], 2);
    assert!(!server.log().contains("transient error"), "{}", server.log());
    server.check_every_job().await;
}

#[tokio::test]
async fn a_database_that_takes_no_changes_makes_the_server_unready() {
    let mut server = Server::start(Kind::Postgres).await;
    server.load("products", Upload::csv(FILE)).await;
    let name = server.database.value("select current_database()").await;
    let set = format!("alter database {name} set default_transaction_read_only = on");
    server.database.execute(&set).await;
    wait_until!(server.get("/readyz").await.status == 503, "{}", server.log());
    server.get("/readyz").await.assert_problem(503, "database_read_only");
    // A server starts on it as well: nothing is to be done to the tables.
    server.terminate();
    server.restart();
    server.get("/readyz").await.assert_problem(503, "database_read_only");
    let refused = server.upload("products", Upload::csv(FILE)).await;
    refused.assert_problem(503, "database_read_only");
    let lift = format!("alter database {name} reset default_transaction_read_only");
    server.database.execute(&lift).await;
    server.terminate();
    server.restart();
    wait_until!(server.get("/readyz").await.status == 200, "{}", server.log());
    server.check_every_job().await;
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::create(Kind::Postgres, folder.path()).await;
    let name = format!("{}_latin", database.value("select current_database()").await);
    let create = format!(
        "create database {name} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
    );
    database.execute(&create).await;
    let (server, _) = database.url().expect("an address").rsplit_once('/').expect("a database");
    let said = refusal(&format!("{server}/{name}")).await;
    database.execute(&format!("drop database {name} with (force)")).await;
    assert!(said.contains("has the encoding LATIN1; Loadbay needs UTF8"), "{said}");
}

#[tokio::test]
async fn nobody_at_the_address_is_told_with_host_and_port() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let said = refusal(&format!("postgres://me:s3cret@127.0.0.1:{port}/x")).await;
    let expected = format!("connection refused: nothing listens at 127.0.0.1:{port}");
    assert!(said.contains(&expected), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    let said = refusal("postgres://me@127.0.0.1/x?schema=shop").await;
    assert!(said.contains("DATABASE_URL: the parameter `schema` has no effect"), "{said}");
}

both!(a_column_that_was_dropped_ends_the_job_as_a_changed_dataset, |server| {
    server.load("products", Upload::csv(FILE)).await;
    let drop = match server.database.kind() {
        // SQLite drops no column that an index or a view needs.
        Kind::Sqlite | Kind::Postgres => "alter table products drop column barcode",
    };
    server.database.execute(drop).await;
    let file = "SKU,Name,Barcode\nC,China,1\n";
    let job = server.import("products", Upload::csv(file)).await;
    let job = server.finished(job).await;
    assert_eq!(
        (&job["status"], &job["errorCode"]),
        (&"failed".into(), &"dataset_changed".into()),
        "{job}"
    );
    assert!(job["error"].as_str().unwrap().contains("barcode"), "{job}");
    let add = "alter table products add column barcode varchar(64)";
    server.database.execute(add).await;
});

both!(
    an_upload_whose_answer_of_the_database_was_lost_is_accepted_once,
    [("FAILPOINTS", "submit.after=return")],
    |server| {
        let answer = server.upload("products", Upload::csv(FILE)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let job = answer.json["data"]["jobId"].as_i64().or(answer.json["jobId"].as_i64());
        server.finished(job.expect("a job number")).await;
        assert_eq!(server.database.number("select count(*) from import_log").await, 1);
    }
);
