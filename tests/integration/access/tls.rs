//! TLS of the server itself: HTTP/1.1 and HTTP/2, a certificate that is replaced while the server runs,
//! and pairs that are none.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::key;
use crate::database_tls::Authority;
use crate::support::{Kind, Server, wait_until};

/// The files that a server reads, into which pairs of an authority are copied.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn of(server: &Server, authority: &Authority) -> Self {
        let pair = Self {
            certificate: server.folder().join("server.crt"),
            key: server.folder().join("server.key"),
        };
        pair.take(&authority.issue("localhost"));
        pair
    }

    fn take(&self, (certificate, key): &(PathBuf, PathBuf)) {
        std::fs::copy(certificate, &self.certificate).unwrap();
        std::fs::copy(key, &self.key).unwrap();
    }

    fn settings(&self) -> [(&str, &str); 2] {
        let text = |path: &'_ Path| path.to_str().unwrap().to_owned().leak() as &str;
        [("LOADBAY_TLS_CERT", text(&self.certificate)), ("LOADBAY_TLS_KEY", text(&self.key))]
    }
}

/// Asks with curl, which trusts one authority; the status, the version of HTTP, and what went wrong.
fn curl(server: &Server, trusted: &Authority, arguments: &[&str], path: &str) -> String {
    let port = server.address().rsplit_once(':').unwrap().1;
    let output = Command::new("curl")
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", "--max-time", "20"])
        .arg("--cacert")
        .arg(trusted.certificate())
        .args(arguments)
        .arg(format!("https://localhost:{port}{path}"))
        .output()
        .expect("curl starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { text(&output.stdout) } else { text(&output.stderr) }
}

async fn server_with_tls(authority: &Authority) -> (Server, Pair) {
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    let pair = Pair::of(&server, authority);
    server.restart_with(&pair.settings());
    assert!(server.address().starts_with("https://"), "{}", server.address());
    (server, pair)
}

#[tokio::test]
async fn a_server_speaks_http_1_and_2_by_tls() {
    let authority = Authority::new();
    let (server, _pair) = server_with_tls(&authority).await;
    assert_eq!(curl(&server, &authority, &["--http1.1"], "/api/v1/limits"), "200 1.1");
    assert_eq!(curl(&server, &authority, &["--http2"], "/api/v1/limits"), "200 2");
    // The name of the host is part of the address in HTTP/2.
    let foreign = ["--http2", "-H", "Host: evil.example"];
    assert_eq!(curl(&server, &authority, &foreign, "/api/v1/limits"), "421 2");
    std::fs::write(server.folder().join("good.csv"), "SKU,Name\nA-1,Arnica\n").unwrap();
    let file = format!("file=@{}", server.folder().join("good.csv").display());
    for version in ["--http1.1", "--http2"] {
        let upload = [version, "-F", &file, "-H", "Origin: https://localhost"];
        let foreign = [version, "-F", &file, "-H", "Origin: https://evil.example"];
        let port = server.address().rsplit_once(':').unwrap().1.to_owned();
        let own = format!("Origin: https://localhost:{port}");
        let own = [upload[0], upload[1], upload[2], upload[3], own.as_str()];
        assert!(curl(&server, &authority, &own, "/api/v1/import/products").starts_with("202"));
        assert!(curl(&server, &authority, &foreign, "/api/v1/import/products").starts_with("403"));
    }
    // A stream of events ends with its job.
    let events = curl(&server, &authority, &["--http2"], "/api/v1/import/jobs/1/events");
    assert_eq!(events, "200 2");
    assert!(curl(&server, &Authority::new(), &[], "/").contains("certificate"));
    let found = rows_of_jobs(&server).await;
    assert_eq!(found, "2");
}

async fn rows_of_jobs(server: &Server) -> String {
    server.rows("select count(*) from import_log").await.concat().concat()
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_a_restart() {
    let (first, second) = (Authority::new(), Authority::new());
    let (server, pair) = server_with_tls(&first).await;
    assert_eq!(curl(&server, &first, &[], "/healthz"), "200 2");

    // A pair that does not fit leaves the one before in force.
    let new = second.issue("localhost");
    std::fs::copy(&new.0, &pair.certificate).unwrap();
    server.signal(Signal::HUP);
    wait_until!(server.log().contains("certificate_unusable"), "it says so");
    assert_eq!(curl(&server, &first, &[], "/healthz"), "200 2");

    // The change is seen without a signal, too.
    pair.take(&new);
    wait_until!(curl(&server, &second, &[], "/healthz") == "200 2", "the new one is in force");
    assert!(curl(&server, &first, &[], "/healthz").contains("certificate"));
    pair.take(&first.issue("localhost"));
    server.signal(Signal::HUP);
    wait_until!(curl(&server, &first, &[], "/healthz") == "200 2", "and back again");
}

#[tokio::test]
async fn a_pair_that_is_none_keeps_a_server_from_starting() {
    let authority = Authority::new();
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    key(&server, "first", &[]);
    let pair = Pair::of(&server, &authority);
    std::fs::copy(Authority::new().issue("localhost").1, &pair.key).unwrap();
    for (settings, words) in [
        (pair.settings().to_vec(), "is not the key of the certificate"),
        (
            vec![pair.settings()[0], ("LOADBAY_TLS_KEY", "/no/such.key")],
            "cannot read `/no/such.key`",
        ),
        (vec![("LOADBAY_TLS_CERT", "/dev/null"), pair.settings()[1]], "holds no certificate"),
        (vec![pair.settings()[0]], "LOADBAY_TLS_KEY"),
    ] {
        let doctor = Command::new(env!("CARGO_BIN_EXE_loadbay"))
            .args(["doctor", "--data-dir"])
            .arg(server.data_dir())
            .env_clear()
            .envs(settings.clone())
            .output()
            .unwrap();
        let said = [doctor.stdout, doctor.stderr].concat();
        assert!(String::from_utf8_lossy(&said).contains(words), "{words}");
        let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(server.data_dir())
            .env_clear()
            .envs(settings)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success() && said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn browsers_are_sent_to_tls_only_where_that_is_set() {
    let authority = Authority::new();
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    let pair = Pair::of(&server, &authority);
    pair.take(&authority.issue("imports.example"));
    let own = [("LOADBAY_HOSTS", "imports.example")];
    let header = |server: &Server, name: &str| -> Option<String> {
        let port = server.address().rsplit_once(':').unwrap().1;
        let output = Command::new("curl")
            .args(["-sSk", "-D", "-", "-o", "/dev/null", "--max-time", "20", "--resolve"])
            .arg(format!("{name}:{port}:127.0.0.1"))
            .arg(format!("https://{name}:{port}/healthz"))
            .output()
            .expect("curl starts");
        let head = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(head.contains(" 200"), "{head}{}", String::from_utf8_lossy(&output.stderr));
        let line = head.lines().find(|line| line.starts_with("strict-transport-security: "));
        line.map(|line| line.rsplit_once(": ").unwrap().1.trim().to_owned())
    };
    server.restart_with(&[pair.settings().as_slice(), &own].concat());
    assert_eq!(header(&server, "imports.example"), None);
    server.terminate();
    let hsts = [("LOADBAY_HSTS", "1day")];
    server.restart_with(&[pair.settings().as_slice(), &own, &hsts].concat());
    assert_eq!(header(&server, "imports.example").as_deref(), Some("max-age=86400"));
    assert_eq!(header(&server, "localhost"), None);
    server.terminate();
    server.restart_with(&[]);
    server.terminate();
    let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
        .args(["serve", "--listen", "127.0.0.1:0", "--hsts", "1day", "--data-dir"])
        .arg(server.data_dir())
        .env_clear()
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("LOADBAY_HSTS"), "{output:?}");
}

#[tokio::test]
async fn the_end_of_a_certificate_is_said_in_time() {
    let authority = Authority::new();
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    let pair = Pair::of(&server, &authority);
    let doctor = |server: &Server| {
        let output = Command::new(env!("CARGO_BIN_EXE_loadbay"))
            .args(["doctor", "--data-dir"])
            .arg(server.data_dir())
            .env_clear()
            .envs(pair.settings())
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for (days, is_soon) in [("400", false), ("3", true)] {
        pair.take(&authority.issue_for("localhost", days));
        let said = doctor(&server);
        assert!(said.contains("fits its key and ends on"), "{days} days: {said}");
        assert_eq!(said.contains("renew it"), is_soon, "{days} days: {said}");
    }
    pair.take(&authority.issue_for("localhost", "400"));
    server.restart_with(&pair.settings());
    let port = server.address().rsplit_once(':').unwrap().1;
    let output = Command::new("curl")
        .args(["-sSk", "--max-time", "20"])
        .arg(format!("https://localhost:{port}/metrics"))
        .output()
        .expect("curl starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let name = "loadbay_certificate_expiry_timestamp_seconds ";
    let value =
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{text}"));
    let end: f64 = value.parse().unwrap();
    let now = u32::try_from(chrono::Utc::now().timestamp()).unwrap();
    let days = (end - f64::from(now)) / 86_400.0;
    assert!((399.0..401.0).contains(&days), "{days}");
}
