//! Imports without a server: the same tables, counts and guarantees.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{Ended, ended};
use crate::streams::files::products;
use crate::support::{Server, both};

/// Runs a command with a server of its own on the folder and database of `server`, which is stopped.
fn local(server: &Server, arguments: &[&str]) -> Ended {
    let mut command = server.program();
    if let Some(url) = server.database.url() {
        command.env("DATABASE_URL", url);
    }
    let folder = server.data_dir();
    ended(command.args(arguments).arg("--local").arg("--data-dir").arg(folder))
}

both!(an_import_needs_no_server, |server| {
    server.terminate();
    server.file("bad.csv", "SKU,Name\nA-1,Arnica\n,Bryonia\n");
    let import = ["import", "bad.csv", "-d", "products", "--json", "--errors-to", "failed.csv"];
    let job = local(server, &import).json(3);
    assert_eq!((&job["counts"]["created"], &job["createdBy"]), (&1.into(), &"local".into()));
    let failed = std::fs::read_to_string(server.folder().join("failed.csv")).unwrap();
    assert!(failed.contains(",Bryonia,3,"), "{failed}");
    assert_eq!(local(server, &["status", "1", "--json"]).json(0), job);
    // What the command did is what a server finds.
    server.restart();
    assert_eq!(*server.status(1).await.ok(), job);
});

both!(a_data_folder_that_a_server_uses_is_refused, |server| {
    server.file("good.csv", "SKU,Name\nA-1,Arnica\n");
    let refused = local(server, &["import", "good.csv", "-d", "products"]);
    refused.with(4);
    assert!(refused.err.contains("another server uses it"), "{}", refused.err);
    assert_eq!(server.database.number("select count(*) from import_log").await, 0);
});

both!(an_import_that_was_stopped_goes_on, |server| {
    server.terminate();
    server.file("long.csv", &products("L", 20_000));
    let mut slow = Command::new(env!("CARGO_BIN_EXE_loadbay"));
    slow.args(["import", "long.csv", "-d", "products", "--local", "--data-dir"])
        .arg(server.data_dir())
        .current_dir(server.folder())
        .env_clear()
        .envs(server.database.url().map(|url| ("DATABASE_URL", url)))
        .envs([("FAILPOINTS", "partition.after=sleep(50)"), ("LOADBAY_CHUNK_ROWS", "50")])
        .stderr(Stdio::piped());
    let mut running = slow.spawn().unwrap();
    let mut told = String::new();
    let mut lines = BufReader::new(running.stderr.take().unwrap());
    while !told.contains(": processing") {
        assert_ne!(lines.read_line(&mut told).unwrap(), 0, "{told}");
    }
    let process = i32::try_from(running.id()).ok().and_then(Pid::from_raw).unwrap();
    kill_process(process, Signal::INT).unwrap();
    lines.read_to_string(&mut told).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130), "{told}");
    assert!(told.contains("loadbay watch 1 --local"), "{told}");
    let done = local(server, &["watch", "1", "--json"]).json(0);
    assert_eq!(done["counts"]["created"], 20_000);
});
