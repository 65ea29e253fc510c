//! Passwords and keys are in no log, no answer and no error.

use std::process::Command;

use loadbay::config::SETTINGS;
use reqwest::Method;

use super::key;
use crate::support::{Kind, Server, Upload};

const CANARY: &str = "canary7Qz";

#[tokio::test]
async fn keys_are_in_no_log_and_no_answer() {
    let settings = [("LOADBAY_LOG", "trace")];
    let mut server = Server::start_with(Kind::Sqlite, &settings).await;
    let good = key(&server, "good", &["--scope", "admin"]);
    server.until_keys_are_needed().await;
    let secret = good.rsplit_once('_').unwrap().1.to_owned();
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
