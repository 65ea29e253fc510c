//! The commands that make keys, and the server that listens to other machines.

use super::{key, keys};
use crate::support::{Kind, Server, both};

both!(a_key_is_shown_once_and_kept_as_a_hash, |server| {
    let key = key(server, "nightly", &["--scope", "import,read", "--expires", "90d"]);
    assert!(key.starts_with("loadbay_") && key.len() > 50, "{key}");
    let secret = key.rsplit_once('_').unwrap().1.to_owned();
    let row = server.rows("select name, public_part, secret_hash, scopes from access_keys").await;
    let row = row.concat().join(" ");
    assert!(
        !row.contains(&secret) && row.contains("nightly") && row.contains("read,import"),
        "{row}"
    );
    let listed = keys(server, &["list"]);
    assert!(!listed.to_string().contains(&secret));
    assert_eq!((&listed[0]["state"], &listed[0]["datasets"]), (&"valid".into(), &().into()));
    assert!(listed[0]["expiresAt"].is_string());
    for (arguments, code) in [
        (&["keys", "create", "nightly"][..], 4),
        (&["keys", "create", "two words"], 2),
        (&["keys", "create", "x", "--scope", "write"], 2),
        (&["keys", "revoke", "nobody"], 4),
        (&["keys", "rotate", "nobody"], 4),
    ] {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_loadbay"));
        command.env_clear().envs(server.database.url().map(|url| ("DATABASE_URL", url)));
        command.args(arguments).arg("--data-dir").arg(server.data_dir());
        assert_eq!(command.output().unwrap().status.code(), Some(code), "{arguments:?}");
    }
});

/// Starts a server that listens on every address, and says whether it does.
fn listens_everywhere(server: &mut Server) -> bool {
    let lines = server.spawn("0.0.0.0:0");
    server.hears_address(&lines, std::time::Duration::from_mins(1))
}

#[tokio::test]
async fn without_a_key_no_other_machine_is_answered() {
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    assert!(!listens_everywhere(&mut server), "it listens");
    let log = server.log();
    assert!(log.contains("loadbay keys create") && log.contains("LOADBAY_INSECURE"), "{log}");
    crate::support::wait_until!(server.ended().is_some(), "it has ended");
    key(&server, "first", &[]);
    assert!(listens_everywhere(&mut server), "{}", server.log());
    server.terminate();
}

#[tokio::test]
async fn who_says_that_it_may_be_open_gets_it() {
    let mut server = Server::start(Kind::Sqlite).await;
    server.terminate();
    server.restart_with(&[("LOADBAY_REQUIRE_KEY", "true")]);
    assert_eq!(server.get("/api/v1/limits").await.status, 401);
    server.terminate();
    server.restart_with(&[("LOADBAY_INSECURE", "true")]);
    server.terminate();
    assert!(listens_everywhere(&mut server), "{}", server.log());
    server.terminate();
}
