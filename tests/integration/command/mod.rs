//! The commands as a user runs them: the real program against a real server or without one, in a pipe
//! and on a terminal. What is checked is what a script sees: exit code, standard output, files.

mod asking;
mod cron;
mod endings;
mod files;
mod local;
mod operation;
mod terminal;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::Server;

/// Longest time that a command of a test may take.
const LIMIT: Duration = Duration::from_mins(2);

/// What a command left.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    /// Asserts the exit code and gives standard output.
    #[track_caller]
    fn with(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "out: {}\nerr: {}", self.out, self.err);
        &self.out
    }

    /// Standard output as JSON, of a command that ended with this code.
    #[track_caller]
    fn json(&self, code: i32) -> Value {
        serde_json::from_str(self.with(code)).expect("one line of JSON")
    }
}

/// A command that knows nothing of this machine but the folder that it runs in.
fn program(folder: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_loadbay"));
    command.current_dir(folder).env_clear().env("LC_ALL", "C.UTF-8").timeout(LIMIT);
    command
}

fn ended(command: &mut assert_cmd::Command) -> Ended {
    let output = command.output().expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

impl Server {
    /// A command that finds this server by the environment.
    fn program(&self) -> assert_cmd::Command {
        let mut command = program(self.folder());
        command.env("LOADBAY_SERVER", self.address());
        command
    }

    /// Runs a command against this server.
    fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.program().args(arguments))
    }

    /// Writes a file into the folder in which commands run.
    fn file(&self, name: &str, text: &str) {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}
