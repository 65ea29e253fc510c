//! The PostgreSQL cluster that the tests use: the one of `LOADBAY_TEST_POSTGRES`, else a private
//! one for this test binary, started by `scripts/postgres-start`. There is no way to skip it.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The address of the cluster's database `postgres`, with a user that may create databases.
pub(super) fn address() -> &'static str {
    static CLUSTER: OnceLock<(String, Option<Child>)> = OnceLock::new();
    let (address, _) = CLUSTER.get_or_init(|| {
        #[expect(clippy::disallowed_methods, reason = "the tests have no configuration")]
        let given = std::env::var("LOADBAY_TEST_POSTGRES").ok().filter(|text| !text.is_empty());
        match given {
            Some(address) => (address, None),
            None => start_private(),
        }
    });
    address
}

/// Starts a cluster that ends with this process, however it ends: a small child holds the other
/// end of a pipe, and stops the cluster when the pipe closes.
fn start_private() -> (String, Option<Child>) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let folder = std::env::temp_dir().join(format!("loadbay-postgres-{}", uuid::Uuid::new_v4()));
    let keeper = Command::new("sh")
        .args(["-c", r#"cat >/dev/null; exec "$0" "$1""#])
        .arg(scripts.join("postgres-stop"))
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts");
    let started = Command::new(scripts.join("postgres-start"))
        .arg(&folder)
        .output()
        .expect("scripts/postgres-start can be run");
    assert!(
        started.status.success(),
        "The tests need PostgreSQL and never skip it: run them with `scripts/test`, which \
         installs and starts it.\n{}",
        String::from_utf8_lossy(&started.stderr)
    );
    let address = String::from_utf8(started.stdout).expect("an address").trim().to_owned();
    (address, Some(keeper))
}
