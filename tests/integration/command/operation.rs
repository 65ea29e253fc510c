//! `loadbay doctor`, `migrate` and `mappings`.

use serde_json::Value;

use super::{Ended, ended};
use crate::support::{Kind, Server, both};

/// Runs a command with the settings of a server.
fn with_settings(server: &Server, arguments: &[&str]) -> Ended {
    let mut command = server.program();
    if let Some(url) = server.database.url() {
        command.env("DATABASE_URL", url);
    }
    command.env("LOADBAY_LISTEN", "127.0.0.1:0");
    ended(command.args(arguments).arg("--data-dir").arg(server.data_dir()))
}

/// What the doctor says of a part.
fn part(ended: &Ended, code: i32, name: &str) -> Value {
    let found = ended.json(code);
    let mut parts = found.as_array().unwrap().iter().filter(|it| it["part"] == name);
    parts.next().unwrap_or_else(|| panic!("nothing about {name}: {found}")).clone()
}

const PARTS: [&str; 9] = [
    "data folder",
    "disk",
    "database",
    "migrations",
    "definitions",
    "keys",
    "storage",
    "limits",
    "address",
];

both!(the_doctor_finds_a_server_well, |server| {
    let while_it_runs = with_settings(server, &["doctor", "--json"]);
    for name in PARTS {
        let found = part(&while_it_runs, 0, name);
        assert_eq!((&found["state"], &found["mend"]), (&"ok".into(), &Value::Null), "{found}");
    }
    let used = part(&while_it_runs, 0, "data folder");
    assert!(used["found"].as_str().unwrap().contains("used by a server"), "{used}");
    if server.database.url().is_some() {
        assert_eq!(part(&while_it_runs, 0, "clock")["state"], "ok");
    }
    server.terminate();
    let text = with_settings(server, &["doctor"]);
    assert!(text.with(0).contains("ok    migrations   all are done"), "{}", text.out);
});

#[tokio::test]
async fn the_doctor_says_how_to_mend() {
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    server.file("definitions/broken.toml", "name = \"broken\"\n");
    let away = ended(server.program().args(["doctor", "--json"]).envs([
        ("DATABASE_URL", "postgres://me:canary7Qz@127.0.0.1:9/none"),
        ("LOADBAY_LISTEN", "192.0.2.1:80"),
        ("LOADBAY_MIN_FREE", "1TiB"),
        ("LOADBAY_STORAGE_URL", "file:///no/such/folder"),
        ("LOADBAY_DATASETS_DIR", "definitions"),
    ]));
    for name in ["database", "disk", "storage", "definitions", "address"] {
        let found = part(&away, 1, name);
        assert!(found["state"] == "bad" && found["mend"].is_string(), "{found}");
    }
    assert!(!away.out.contains("canary7Qz") && !away.err.contains("canary7Qz"));
    assert!(!server.folder().join("loadbay.sqlite").exists());

    let open = ended(
        server
            .program()
            .args(["doctor", "--json", "--data-dir"])
            .arg(server.data_dir())
            .env("LOADBAY_LISTEN", "0.0.0.0:0"),
    );
    let keys = part(&open, 1, "keys");
    assert!(keys["mend"].as_str().unwrap().contains("loadbay keys create"), "{keys}");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(server.data_dir(), mode).unwrap();
    let writable = with_settings(&server, &["doctor", "--json"]);
    let folder = part(&writable, 1, "data folder");
    assert!(folder["mend"].as_str().unwrap().starts_with("chmod 700 "), "{folder}");
}

#[test]
fn tables_are_brought_up_to_date_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| ended(super::program(folder.path()).args(arguments));
    let pending = run(&["migrate", "status"]);
    assert!(pending.with(4).contains("create_import_tables"), "{}", pending.out);
    assert!(!folder.path().join("data").exists(), "a look makes nothing");
    assert_eq!(part(&run(&["doctor", "--json"]), 0, "migrations")["state"], "look");
    assert!(!folder.path().join("data").exists(), "the doctor makes nothing");
    assert!(run(&["migrate", "up"]).with(0).contains("done: m20261122_000001"));
    assert_eq!(run(&["migrate", "status", "--json"]).json(0)["pending"], Value::Array(Vec::new()));
    assert_eq!(run(&["migrate", "up"]).with(0), "The tables are up to date.\n");
    let tables = rusqlite::Connection::open(folder.path().join("data/loadbay.sqlite")).unwrap();
    tables.prepare("select * from products").unwrap();
}

both!(migrations_are_shown_of_both_databases, |server| {
    let found = with_settings(server, &["migrate", "status", "--json"]).json(0);
    assert_eq!(found["unknown"], Value::Null);
    let insert = match server.database.url() {
        None => "insert into seaql_migrations values ('m2999_new', 0)",
        Some(_) => "insert into loadbay.seaql_migrations values ('m2999_new', 0)",
    };
    server.terminate();
    server.database.execute(insert).await;
    assert_eq!(
        with_settings(server, &["migrate", "status", "--json"]).json(4)["unknown"],
        "m2999_new"
    );
    assert_eq!(
        part(&with_settings(server, &["doctor", "--json"]), 1, "migrations")["state"],
        "bad"
    );
    let delete = insert.replace("insert into", "delete from");
    let delete =
        delete.split(" values").next().unwrap().to_owned() + " where version = 'm2999_new'";
    server.database.execute(&delete).await;
});

both!(saved_mappings_are_listed_shown_and_deleted, |server| {
    let body = r#"{"headers": ["Art.-Nr.", "Bezeichnung"], "mapping": {"Art.-Nr.": "sku", "Bezeichnung": "name"}}"#;
    let path = "/api/v1/datasets/products/mappings/supplier-a";
    let put = server.request(reqwest::Method::PUT, path).header("content-type", "application/json");
    server.send(put.body(body)).await.ok();
    let listed = server.run(&["mappings", "list", "products"]);
    assert!(listed.with(0).contains("supplier-a  2"), "{}", listed.out);
    let shown = server.run(&["mappings", "show", "products", "supplier-a"]);
    assert!(shown.with(0).contains("Bezeichnung  name"), "{}", shown.out);
    let deleted = server.run(&["mappings", "delete", "products", "supplier-a", "--json"]);
    assert_eq!(deleted.json(0)["name"], "supplier-a");
    server.run(&["mappings", "show", "products", "supplier-a"]).with(4);
    server.run(&["mappings", "list", "nothing"]).with(4);
    assert_eq!(
        server.run(&["mappings", "list", "products", "--json"]).json(0)["mappings"],
        Value::Array(Vec::new())
    );
});
