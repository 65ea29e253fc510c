//! An nginx in front of a server, with the configuration of the documentation.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::server::Server;
use super::waiting::PATIENCE;

/// A running nginx of one process, which ends with the test.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

/// The blocks of nginx's language in the documentation.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deployment.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    let blocks = text.split("```nginx\n").skip(1);
    blocks.map(|rest| rest.split("```").next().expect("a block").to_owned()).collect()
}

/// Takes the whole configuration of the documentation, without TLS and login, for one server.
fn site(server: &Server, port: u16, below_path: bool) -> String {
    let blocks = documented();
    let mut site = blocks[0].clone();
    if below_path {
        let (before, rest) = site.split_once("    location / {").expect("a location");
        let (_, after) = rest.split_once("\n    }\n").expect("its end");
        site = format!("{before}{}{after}", blocks[1]);
    }
    let is_left_out = |line: &str| {
        let line = line.trim_start();
        ["ssl_", "auth_", "server 10.0.0.12"].iter().any(|start| line.starts_with(start))
    };
    let lines = site.lines().filter(|line| !is_left_out(line));
    let site = lines.collect::<Vec<_>>().join("\n");
    let backend = server.address().trim_start_matches("http://");
    site.replace("listen 443 ssl", &format!("listen 127.0.0.1:{port}"))
        .replace("10.0.0.11:8080", backend)
}

impl Nginx {
    /// Starts nginx as the documentation shows it.
    pub(crate) fn start(server: &Server) -> Self {
        Self::start_with(server, false)
    }

    /// Starts nginx as the documentation shows it for a server below `/loadbay/`.
    pub(crate) fn below_path(server: &Server) -> Self {
        Self::start_with(server, true)
    }

    fn start_with(server: &Server, below_path: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder for nginx");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = port.expect("a free port").port();
        let path = folder.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {path}/{name};\n"))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log {path}/error.log;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}{}}}\n",
            site(server, port, below_path)
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text).expect("the configuration is written");
        let mut child = Command::new("nginx");
        child.arg("-c").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = child.spawn().expect("nginx starts; scripts/test installs it");
        let mut nginx = Self { child, address: format!("http://127.0.0.1:{port}"), folder };
        nginx.wait();
        nginx
    }

    fn wait(&mut self) {
        let limit = Instant::now() + PATIENCE;
        let address = self.address.trim_start_matches("http://").to_owned();
        while std::net::TcpStream::connect(&address).is_err() {
            let ended = self.child.try_wait().expect("it can be waited for");
            assert!(ended.is_none() && Instant::now() < limit, "nginx: {}", self.log());
            std::thread::yield_now();
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What nginx complained about.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
