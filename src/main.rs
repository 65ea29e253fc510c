//! The command line.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    loadbay::cli::run().unwrap_or_else(|fault| {
        // The exit code says it too, where no line can be written.
        let _ = writeln!(std::io::stderr(), "loadbay: {fault:#}");
        ExitCode::FAILURE
    })
}
