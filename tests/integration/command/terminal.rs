//! Imports on a terminal and in a log: a bar, lines, and Ctrl-C.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::streams::files::products;
use crate::support::{SLOW, Server, both};

/// A command on a terminal of its own, which `script` makes.
fn on_terminal(server: &Server, command: &str) -> Command {
    let program = env!("CARGO_BIN_EXE_loadbay");
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--flush", "--command"])
        .arg(format!("stty cols 100 && {program} {command}"))
        .arg("/dev/null")
        .current_dir(server.folder())
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("TERM", "xterm"), ("SHELL", "/bin/sh")])
        .env("LOADBAY_SERVER", server.address())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    script
}

both!(a_terminal_shows_a_bar, [SLOW, ("LOADBAY_CHUNK_ROWS", "10")], |server| {
    server.file("p.csv", &products("P", 2_000));
    let mut running = on_terminal(server, "import p.csv -d products").spawn().unwrap();
    // The other end of the terminal stays open until the command has ended.
    let _open = running.stdin.take().unwrap();
    let mut shown = String::new();
    running.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0), "{shown}");
    assert!(shown.contains("of 2000 rows") && shown.contains("=>"), "{shown}");
    assert!(shown.contains("job 1 (p.csv): completed, 2000 created"), "{shown}");
});

both!(ctrl_c_leaves_and_says_how_to_come_back, [SLOW, ("LOADBAY_CHUNK_ROWS", "10")], |server| {
    server.file("long.csv", &products("L", 60_000));
    let mut running = on_terminal(server, "import long.csv -d products").spawn().unwrap();
    let mut terminal = running.stdin.take().unwrap();
    let mut output = BufReader::new(running.stdout.take().unwrap());
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("of 60000 rows") {
        let read = output.read_until(b'\r', &mut shown).unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&shown));
    }
    terminal.write_all(b"\x03").unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("The import goes on at the server."), "{rest}");
    assert!(rest.contains("loadbay watch 1"), "{rest}");
    server.run(&["cancel", "1"]).with(0);
});

both!(a_log_gets_plain_lines, [SLOW, ("LOADBAY_CHUNK_ROWS", "10")], |server| {
    server.file("p.csv", &products("P", 2_000));
    let ended = server.run(&["import", "p.csv", "-d", "products"]);
    ended.with(0);
    assert!(!ended.err.contains('\u{1b}') && !ended.err.contains('\r'), "{}", ended.err);
    assert!(ended.err.contains("job 1 (p.csv): processing"), "{}", ended.err);
    let quiet = server.run(&["import", "p.csv", "-d", "products", "--quiet"]);
    quiet.with(0);
    assert_eq!(quiet.err, "");
});
