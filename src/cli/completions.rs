//! `loadbay completions`: what a shell needs to complete the command line.

use std::io;

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::Exit;

/// Print the completions for a shell.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions of `command`.
pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "loadbay", &mut script);
    // A reader that went away needs no more of it.
    let _ = io::Write::write_all(&mut io::stdout(), &script);
    Exit::Done
}
