//! `PgBouncer` between the server and PostgreSQL: in session mode it works, in transaction mode it is
//! recognised at the start.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::support::*;

/// A `PgBouncer` on a port of its own; ends with the value.
struct PgBouncer {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    async fn start(to: &str, mode: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), everybody).expect("the folder is ours");
        let address = url::Url::parse(to).expect("an address");
        let (user, password) = (address.username(), address.password().unwrap_or_default());
        let (host, to_port) = (address.host_str().unwrap_or_default(), address.port().unwrap());
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("the file is written");
            path
        };
        let users = file("users.txt", format!("\"{user}\" \"{password}\"\n"));
        let settings = format!(
            "[databases]\n* = host={host} port={to_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = plain\nauth_file = {}\n\
             pool_mode = {mode}\n",
            users.display()
        );
        let settings = file("pgbouncer.ini", settings);
        let mut command = Command::new("pgbouncer");
        command.arg("-q");
        if rustix::process::getuid().is_root() {
            command.args(["-u", "nobody"]);
        }
        let mut path = std::env::join_paths(["/usr/sbin"]).expect("a path");
        #[expect(clippy::disallowed_methods, reason = "the tests have no configuration")]
        if let Some(inherited) = std::env::var_os("PATH") {
            path.push(":");
            path.push(inherited);
        }
        let child = command
            .arg(&settings)
            .env("PATH", path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("pgbouncer starts: `scripts/test` installs it");
        let listens = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        wait_until!(listens(), "pgbouncer does not listen");
        Self { child, port, _folder: folder }
    }

    /// The address of the same database through the pooler.
    fn address(&self, to: &str) -> String {
        let mut address = url::Url::parse(to).expect("an address");
        address.set_port(Some(self.port)).expect("a port");
        address.set_host(Some("127.0.0.1")).expect("a host");
        address.to_string()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_and_one_in_session_mode_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Arc::new(Database::create(Kind::Postgres, folder.path()).await);
    let direct = database.url().expect("an address").to_owned();
    for mode in ["transaction", "statement"] {
        let pooler = PgBouncer::start(&direct, mode).await;
        let through = pooler.address(&direct);
        let settings = [("DATABASE_URL", through.as_str())];
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Server::new(folder, Arc::clone(&database), &settings);
        let _lines = server.spawn("127.0.0.1:0");
        wait_until!(server.ended().is_some(), "{mode}: it starts: {}", server.log());
        let said = server.log();
        assert!(said.contains("PgBouncer, in transaction mode"), "{mode}: {said}");
        assert!(said.contains("pool_mode = session"), "{mode}: {said}");
    }
    let pooler = PgBouncer::start(&direct, "session").await;
    let through = pooler.address(&direct);
    let mut server = Server::new(folder, database, &[("DATABASE_URL", through.as_str())]);
    server.restart();
    let job = server.load("products", Upload::csv("SKU,Name\nA,Arnica\n")).await;
    assert_eq!(job["counts"]["created"], 1);
    server.check_every_job().await;
    server.terminate();
}
