//! The PostgreSQL cluster that the tests use: the one of `LOADBAY_TEST_POSTGRES`, else a private
//! one for this test binary, started by `scripts/postgres-start`. There is no way to skip it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};

use super::waiting::wait_until;

/// The address of the cluster's database `postgres`, with a user that may create databases.
pub(super) fn address() -> &'static str {
    static CLUSTER: OnceLock<(String, Option<PrivateCluster>)> = OnceLock::new();
    let (address, _) = CLUSTER.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "the tests have no configuration")]
        let given = std::env::var("LOADBAY_TEST_POSTGRES").ok().filter(|text| !text.is_empty());
        if let Some(address) = given {
            return (address, None);
        }
        let cluster = PrivateCluster::start();
        (cluster.address.clone(), Some(cluster))
    });
    address
}

/// A cluster that ends with this value, and with this process however it ends: a small child holds
/// the other end of a pipe, and stops the cluster when the pipe closes.
#[derive(Debug)]
pub(crate) struct PrivateCluster {
    /// The address of its database `postgres`.
    pub(crate) address: String,
    /// Where it lies; see `scripts/postgres-start`.
    pub(crate) folder: PathBuf,
    keeper: Child,
}

impl PrivateCluster {
    /// Starts one on a free port.
    pub(crate) fn start() -> Self {
        let folder =
            std::env::temp_dir().join(format!("loadbay-postgres-{}", uuid::Uuid::new_v4()));
        let keeper = Command::new("sh")
            .args(["-c", r#"cat >/dev/null; exec "$0" "$1""#])
            .arg(script("postgres-stop"))
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh starts");
        // The machine never loses power while a test runs: what PostgreSQL has written is there after
        // it was killed, too.
        let started = Command::new(script("postgres-start"))
            .arg(&folder)
            .args(["fsync=off", "full_page_writes=off"])
            .output()
            .expect("scripts/postgres-start can be run");
        assert!(
            started.status.success(),
            "The tests need PostgreSQL and never skip it: run them with `scripts/test`, which \
             installs and starts it.\n{}",
            String::from_utf8_lossy(&started.stderr)
        );
        let address = String::from_utf8(started.stdout).expect("an address").trim().to_owned();
        Self { address, folder, keeper }
    }

    /// The number of its first process.
    pub(crate) fn process_id(&self) -> Option<i32> {
        let lines = std::fs::read_to_string(self.folder.join("cluster/postmaster.pid")).ok()?;
        lines.lines().next()?.trim().parse().ok()
    }

    /// Kills its first process, and waits until the others have noticed: until then they go on to
    /// answer on the connections that they have.
    pub(crate) async fn kill(&self) {
        let first = self.process_id().expect("the cluster runs");
        let process = Pid::from_raw(first).expect("a process id");
        // Stopped, it starts no other.
        kill_process(process, Signal::STOP).expect("PostgreSQL can be stopped");
        let others = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))
            .expect("the cluster's processes are listed");
        kill_process(process, Signal::KILL).expect("PostgreSQL can be killed");
        for other in others.split_whitespace() {
            wait_until!(has_ended(other), "process {other} of PostgreSQL does not end");
        }
    }

    /// Starts it again, after it was killed or with a crash of its own.
    pub(crate) fn restart(&self) {
        let restarted = Command::new(script("postgres-restart"))
            .arg(&self.folder)
            .stdout(Stdio::null())
            .output()
            .expect("scripts/postgres-restart can be run");
        let said = String::from_utf8_lossy(&restarted.stderr);
        assert!(restarted.status.success(), "PostgreSQL does not come back: {said}");
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// True once there is no such process, or nothing but its exit code.
fn has_ended(process_id: &str) -> bool {
    let command = std::fs::read(format!("/proc/{process_id}/cmdline"));
    !command.is_ok_and(|bytes| !bytes.is_empty())
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name)
}
