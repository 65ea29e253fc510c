//! `scripts/older-clients`: every call of the older clients against one server, from outside.

use std::path::Path;
use std::process::Command;

use crate::support::both;

// The script starts a server of its own; that of the test only brings the database.
both!(the_script_sees_what_the_documents_say, |server| {
    server.kill();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let played = Command::new(root.join("scripts/older-clients"))
        .arg(env!("CARGO_BIN_EXE_loadbay"))
        .envs(server.database.url().map(|url| ("DATABASE_URL", url)))
        .output()
        .unwrap();
    let (told, faults) =
        (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "{told}\n{faults}");
    let calls = told.lines().filter(|line| line.starts_with("  ok ")).count();
    assert!(calls >= 13, "{told}");
    server.restart();
});
