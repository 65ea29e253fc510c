//! Keys: who is let in, to what, and whose jobs are seen; the commands that make them; what is never
//! written anywhere.

mod canaries;
mod guarded;
mod hosts;
mod keys;
mod limits;
mod matrix;
mod sessions;
mod tls;

use std::process::Command;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::support::Server;

/// Runs `loadbay keys` on the database of a server, which may run, and gives its JSON.
fn keys(server: &Server, arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
        .arg("keys")
        .args(arguments)
        .args(["--json", "--data-dir"])
        .arg(server.data_dir())
        .current_dir(server.folder())
        .env_clear()
        .envs(server.database.url().map(|url| ("DATABASE_URL", url)))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Makes a key and gives it.
fn key(server: &Server, name: &str, more: &[&str]) -> String {
    let made = keys(server, &[&["create", name], more].concat());
    made["key"].as_str().unwrap().to_owned()
}

impl Server {
    /// A request with a key.
    fn keyed(&self, method: Method, path: &str, key: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(key)
    }

    /// The status of an answer to a request with a key.
    async fn status_with(&self, method: Method, path: &str, key: &str) -> u16 {
        self.send(self.keyed(method, path, key)).await.status
    }
}
