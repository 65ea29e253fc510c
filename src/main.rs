//! The command line.

use std::process::ExitCode;

#[expect(clippy::print_stderr, reason = "the last word of a command that failed")]
fn main() -> ExitCode {
    loadbay::cli::run().unwrap_or_else(|fault| {
        eprintln!("loadbay: {fault:#}");
        ExitCode::FAILURE
    })
}
