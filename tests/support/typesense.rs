//! A Typesense server of a test's own: the real program, which tests kill and start again.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::client::http_client;
use super::waiting::wait_until;

const KEY: &str = "a key of the tests";

/// A running server, or one that was killed and can be started again.
#[derive(Debug)]
pub(crate) struct Typesense {
    child: Option<Child>,
    ports: [u16; 2],
    folder: tempfile::TempDir,
    http: reqwest::Client,
}

/// Where the program is: installed once by the script that `scripts/test` runs as well.
fn program() -> &'static str {
    static PROGRAM: OnceLock<String> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/typesense-find");
        let found = Command::new(script).output().expect("the script runs");
        let errors = String::from_utf8_lossy(&found.stderr);
        assert!(found.status.success(), "no Typesense server: {errors}");
        String::from_utf8_lossy(&found.stdout).trim().to_owned()
    })
}

/// Ports that are free at the same moment.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|it| it.local_addr().expect("its address").port())
}

impl Typesense {
    /// Starts a server without collections.
    pub(crate) async fn start() -> Self {
        let mut server = Self::stopped();
        server.restart().await;
        server
    }

    /// A server that is not started yet.
    pub(crate) fn stopped() -> Self {
        let http = http_client().build().expect("a client");
        let folder = tempfile::tempdir().expect("a folder for Typesense");
        Self { child: None, ports: free_ports(), folder, http }
    }

    /// Starts it, with the collections that it had.
    pub(crate) async fn restart(&mut self) {
        assert!(self.child.is_none(), "Typesense runs already");
        let [api, peering] = self.ports;
        let child = Command::new(program())
            .arg(format!("--data-dir={}", self.folder.path().display()))
            .arg(format!("--api-key={KEY}"))
            .args(["--api-address=127.0.0.1", "--peering-address=127.0.0.1"])
            .arg(format!("--api-port={api}"))
            .arg(format!("--peering-port={peering}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("Typesense starts"));
        wait_until!(self.is_healthy().await, "Typesense does not get ready");
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("Typesense runs");
        child.kill().expect("it can be killed");
        child.wait().expect("it is gone");
    }

    async fn is_healthy(&self) -> bool {
        let answer = self.http.get(format!("{}/health", self.url())).send().await;
        match answer {
            Ok(answer) => answer.status().is_success(),
            Err(_) => false,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[0])
    }

    /// The settings of a server that passes its records on to this one.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        [("TYPESENSE_URL", self.url()), ("TYPESENSE_API_KEY", KEY.to_owned())]
    }

    /// An answer to `GET`, whatever it is.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.ask(reqwest::Method::GET, path, None).await
    }

    /// An answer to any request.
    pub(crate) async fn ask(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> Value {
        let mut ask = self.http.request(method, format!("{}{path}", self.url()));
        ask = ask.header("x-typesense-api-key", KEY);
        if let Some(body) = body {
            ask = ask.json(&body);
        }
        ask.send().await.expect("an answer").json().await.expect("JSON")
    }

    /// All documents of a collection, ordered by their ids.
    pub(crate) async fn documents(&self, collection: &str) -> Vec<Value> {
        let address = format!("{}/collections/{collection}/documents/export", self.url());
        let ask = self.http.get(address).header("x-typesense-api-key", KEY);
        let lines = ask.send().await.expect("an answer").text().await.expect("a text");
        let document = |line: &str| serde_json::from_str(line).expect("a document");
        let mut documents: Vec<Value> = lines.lines().map(document).collect();
        documents.sort_by_key(|document| document["id"].as_str().unwrap_or_default().to_owned());
        documents
    }

    /// How many documents a collection has; none where there is no such collection.
    pub(crate) async fn count(&self, collection: &str) -> u64 {
        let found = self.get(&format!("/collections/{collection}")).await;
        found["num_documents"].as_u64().unwrap_or_default()
    }

    /// The names of all collections.
    pub(crate) async fn collections(&self) -> Vec<String> {
        let found = self.get("/collections").await;
        let names = found.as_array().expect("a list").iter();
        names.map(|it| it["name"].as_str().expect("a name").to_owned()).collect()
    }
}

impl Drop for Typesense {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
