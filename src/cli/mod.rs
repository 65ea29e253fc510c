//! The command line: one file a command.

mod convert;
mod serve;

use std::process::ExitCode;

use clap::{Args, Command, FromArgMatches};

/// What `--help` shows below the commands.
const AFTER_HELP: &str = "Start with:\n  loadbay serve\n\n\
    Then upload a file:\n  curl -F file=@samples/products.csv http://127.0.0.1:8080/api/v1/import/products";

/// Every command with its arguments.
#[must_use]
pub fn command() -> Command {
    let convert = Command::new("convert")
        .about("Read a workbook and write its rows; the server starts this itself")
        .hide(true);
    Command::new("loadbay")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A background import server: product files into tables, fast, exactly once, every row accounted for")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(convert::ConvertArgs::augment_args(convert))
}

/// Runs the command that the arguments name.
///
/// # Errors
/// What ended the command, in words for the one who gave it.
pub fn run() -> anyhow::Result<ExitCode> {
    let matches = command().get_matches();
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("convert", matches)) => {
            Ok(convert::run(convert::ConvertArgs::from_arg_matches(matches)?))
        }
        _ => Ok(ExitCode::FAILURE),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_fits_together() {
        super::command().debug_assert();
    }
}
