//! The real Prometheus with the files of `docs/prometheus`: it scrapes a server, takes the alerts, and
//! answers every question of the dashboard.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/prometheus");

/// A Prometheus of a test's own.
struct Prometheus {
    process: Child,
    address: String,
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Starts it with the files of the documentation; it asks `target` every second.
    fn start(target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["alerts.yml", "prometheus.yml"] {
            let text = std::fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
            let text = text
                .replace("127.0.0.1:8080", target.trim_start_matches("http://"))
                .replace("scrape_interval: 15s", "scrape_interval: 1s\n  scrape_timeout: 1s");
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}/prometheus.yml", folder.path().display()))
            .arg(format!("--storage.tsdb.path={}/series", folder.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Prometheus is installed by scripts/test");
        let http = http_client().build().unwrap();
        Self { process, address, http, _folder: folder }
    }

    /// What the API answers, once it answers.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let url = reqwest::Url::parse_with_params(&format!("http://{}{path}", self.address), query);
        let answer = self.http.get(url.unwrap()).send().await.ok()?;
        answer.json().await.ok()
    }

    async fn query(&self, expression: &str) -> Value {
        self.get("/api/v1/query", &[("query", expression)]).await.expect("an answer")
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// The expressions of a dashboard, as Grafana would send them.
fn expressions(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets
        .map(|target| {
            let text = target["expr"].as_str().unwrap();
            text.replace("$__rate_interval", "1m")
                .replace("$instance", ".*")
                .replace("$job", "loadbay")
        })
        .collect()
}

/// The metrics of Loadbay that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let words = text.split(|letter| !is_part(letter));
    words.filter(|word| word.starts_with("loadbay_")).map(str::to_owned).collect()
}

#[test]
fn promtool_takes_the_alerts_and_their_tests() {
    for arguments in [
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
        ["check", "config", "prometheus.yml"],
    ] {
        let said = Command::new("promtool").args(arguments).current_dir(FOLDER).output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{arguments:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_answers_every_question_of_the_dashboard() {
    let server = Server::start(Kind::Sqlite).await;
    let file = "SKU,Name,Qty,Extra\nA-1,Arnica,1,x\nA-2,Belladonna,many,x\n";
    server.load("products", Upload::csv(file)).await;
    server.load("products", Upload::csv("SKU,Name\n,No\n").option("onError", "abort")).await;
    server.get("/api/v1/import/status/99").await.assert_problem(404, "job_not_found");
    let prometheus = Prometheus::start(server.address());
    wait_until!(
        {
            let up = prometheus.get("/api/v1/query", &[("query", "up{job=\"loadbay\"}")]).await;
            up.is_some_and(|up| up["data"]["result"][0]["value"][1] == "1")
        },
        "Prometheus has not asked the server yet"
    );
    let dashboard = std::fs::read_to_string(format!("{FOLDER}/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let known = prometheus.get("/api/v1/label/__name__/values", &[]).await.unwrap();
    let known: BTreeSet<&str> =
        known["data"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for expression in expressions(&dashboard) {
        let answer = prometheus.query(&expression).await;
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        for name in named(&expression) {
            // Jobs that have not ended: there are none.
            assert!(name == "loadbay_jobs" || known.contains(name.as_str()), "{name} is unknown");
        }
    }
    let rules = prometheus.get("/api/v1/rules", &[]).await.unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap().clone();
    assert_eq!(rules.len(), 10);
    for rule in rules {
        assert_eq!(rule["lastError"].as_str().unwrap_or_default(), "", "{rule}");
        for name in named(rule["query"].as_str().unwrap()) {
            // A server without TLS has no certificate.
            let is_of_tls = name == "loadbay_certificate_expiry_timestamp_seconds";
            assert!(is_of_tls || known.contains(name.as_str()), "{name} is unknown");
        }
    }
}
