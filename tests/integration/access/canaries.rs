//! Passwords and keys are in no log, no answer and no error.

use std::process::Command;

use loadbay::config::SETTINGS;
use reqwest::Method;

use super::key;
use crate::s3::S3;
use crate::support::{Kind, Server, Upload};

const CANARY: &str = "canary7Qz";

#[tokio::test]
async fn keys_are_in_no_log_and_no_answer() {
    let settings = [("LOADBAY_LOG", "trace")];
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let good = key(&server, "good", &["--scope", "admin"]);
    server.until_keys_are_needed().await;
    // The secret may hold a `_` itself.
    let secret = good.splitn(3, '_').nth(2).unwrap().to_owned();
    let wrong = format!("loadbay_001122334455_{CANARY}");
    let mut told = String::new();
    for key in [&good, &wrong] {
        for path in ["/api/v1/import/jobs", "/api/v1/import/status/9", "/api/v1/nothing"] {
            told.push_str(server.send(server.keyed(Method::GET, path, key)).await.text());
            let cookie = format!("token={key}");
            let request = server.request(Method::GET, path).header("cookie", cookie);
            told.push_str(server.send(request).await.text());
        }
        let sign_in = server.request(Method::POST, "/api/v1/session");
        told.push_str(server.send(sign_in.body(format!("{{\"key\": {key}"))).await.text());
        let bearer = format!("Bearer {key}");
        let upload = Upload::csv("SKU,Name\nA,B\n").header("authorization", &bearer);
        told.push_str(server.upload("products", upload).await.text());
    }
    server.terminate();
    told.push_str(&server.log());
    for word in [CANARY, secret.as_str()] {
        assert!(!told.contains(word), "a secret was written: {told}");
    }
}

#[test]
fn no_setting_writes_the_password_that_it_holds() {
    for setting in SETTINGS {
        for value in [
            format!("postgres://user:{CANARY}@127.0.0.1:1/db"),
            format!("https://user:{CANARY}@host/path?key={CANARY}"),
            format!("s3://user:{CANARY}@bucket/"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
                .args(["serve", "--listen", "127.0.0.1:0"])
                .current_dir(folder.path())
                .env_clear()
                .env(setting.variable, &value)
                // It ends at once where the value was taken.
                .env("LOADBAY_LOG", "trace")
                .env("LOADBAY_DATASETS_DIR", "no-such-folder")
                .output()
                .unwrap();
            let told = [output.stdout, output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            assert!(!output.status.success(), "{}: {told}", setting.variable);
            assert!(!told.contains(CANARY), "{}: {told}", setting.variable);
        }
    }
}

/// A secret of a setting, which is nowhere to be found.
const SECRETS: [&str; 4] =
    ["canaryDatabase7Qz", "canaryBucket7Qz", "canaryTypesense7Qz", "canaryAddress7Qz"];

/// All that the tables hold, but for what a webhook is signed with and an address as it was sent: both
/// are needed again.
async fn tables(server: &Server) -> String {
    let rows = "select (xpath('/row/c/text()', query_to_xml(format('select string_agg(t::text, \
                chr(10)) as c from %I.%I t', schemaname, tablename), false, true, '')))[1]::text \
                from pg_tables where schemaname not in ('pg_catalog', 'information_schema') \
                and tablename not in ('import_webhooks')";
    let mut text = server.rows(rows).await.concat().concat();
    text = text.replace("https://user:canaryAddress7Qz@", "");
    text
}

#[tokio::test]
async fn the_secrets_of_a_server_are_in_nothing_that_it_says() {
    let mut server = Server::start(Kind::Postgres).await;
    server.terminate();
    let [password, bucket, typesense, address] = SECRETS;
    let role = format!("canary_{}", uuid::Uuid::new_v4().simple());
    let user = server.database.value("select current_user").await;
    let create = format!("create role {role} login password '{password}' in role \"{user}\"");
    server.database.execute(&create).await;
    let url = server.database.url().unwrap().to_owned();
    let (_, place) = url.rsplit_once('@').unwrap();
    let own = format!("postgres://{role}:{password}@{place}");
    let s3 = S3::start();
    let settings = s3.settings(&[
        ("DATABASE_URL", &own),
        ("AWS_SECRET_ACCESS_KEY", bucket),
        ("TYPESENSE_URL", "http://127.0.0.1:9"),
        ("TYPESENSE_API_KEY", typesense),
        ("LOADBAY_LOG", "trace,h2=info,hyper=info"),
    ]);
    server.restart_with(&settings);
    let mut said = calls(&server, address).await;
    said += &commands(&server, &settings);
    said += &tables(&server).await;
    server.terminate();
    said += &server.log();
    let webhook = server.rows("select secret from import_webhooks").await.concat().concat();
    assert!(webhook.starts_with("whsec_"), "{webhook}");
    for word in SECRETS.into_iter().chain([webhook.as_str()]) {
        let at = said.find(word).map(|at| {
            let line = said.get(..at).unwrap_or_default().rfind('\n').unwrap_or(0);
            said.get(line..).unwrap_or_default().chars().take(400).collect::<String>()
        });
        assert_eq!(at, None, "{word} was written");
    }
    for sql in
        ["reassign owned by {role} to current_user", "drop owned by {role}", "drop role {role}"]
    {
        server.database.execute(&sql.replace("{role}", &role)).await;
    }
}

/// What calls are answered, of which some fail because of the storage.
async fn calls(server: &Server, address: &str) -> String {
    let mut said = String::new();
    let hook = serde_json::json!({"url": "https://receiver.example/hook"});
    let made = server.send(server.request(Method::POST, "/api/v1/webhooks").json(&hook)).await;
    // The secret is shown once: to the one who registers.
    assert_eq!(made.status, 201, "{}", made.text());
    said += server.upload("products", Upload::csv("SKU,Name\nA,B\n")).await.text();
    let far = serde_json::json!({"url": format!("https://user:{address}@127.0.0.1/prices.csv")});
    let far = server.request(Method::POST, "/api/v1/import/products").json(&far);
    said += server.send(far).await.text();
    for path in [
        "/api/v1/limits",
        "/api/v1/session",
        "/api/v1/webhooks",
        "/api/v1/import/jobs",
        "/api/v1/import/status/1",
        "/api/v1/import/jobs/1/errors",
        "/api/v1/import/jobs/1/rows.csv",
        "/readyz",
        "/api/metrics",
        "/api/performance",
    ] {
        said += server.get(path).await.text();
    }
    said
}

/// What commands print that have the same settings.
fn commands(server: &Server, settings: &[(&str, &str)]) -> String {
    let mut said = String::new();
    for arguments in [
        &["doctor"][..],
        &["doctor", "--json"],
        &["migrate", "status"],
        &["keys", "list"],
        &["datasets", "show", "products"],
        &["serve"],
        &["sync", "products"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
            .args(arguments)
            .current_dir(server.folder())
            .env_clear()
            .envs(settings.iter().copied())
            .env("LOADBAY_DATA_DIR", server.data_dir())
            .output()
            .unwrap();
        said += &String::from_utf8_lossy(&output.stdout);
        said += &String::from_utf8_lossy(&output.stderr);
    }
    said
}
