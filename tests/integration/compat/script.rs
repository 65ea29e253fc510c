//! `scripts/older-clients`: every call of the older clients against one server, from outside.

use std::path::Path;
use std::process::Command;

use crate::support::{Kind, Server};

/// Plays the calls against a server that the script starts on this database, or on one of its own.
fn play(database: Option<&str>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let played = Command::new(root.join("scripts/older-clients"))
        .arg(env!("CARGO_BIN_EXE_loadbay"))
        .env_remove("DATABASE_URL")
        .envs(database.map(|url| ("DATABASE_URL", url)))
        .output()
        .unwrap();
    let (told, faults) =
        (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "{told}\n{faults}");
    let calls = told.lines().filter(|line| line.starts_with("  ok ")).count();
    assert!(calls >= 36, "{told}");
}

#[test]
fn the_script_sees_what_the_documents_say_on_sqlite() {
    play(None);
}

#[tokio::test]
async fn the_script_sees_what_the_documents_say_on_postgres() {
    // The server of the test only brings the database.
    let mut server = Server::start(Kind::Postgres).await;
    server.kill();
    play(server.database.url());
}
