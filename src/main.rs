//! The command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loadbay::cli::convert::{self, ConvertArgs};

#[derive(Parser)]
#[command(name = "loadbay", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads a workbook; started by the server.
    #[command(hide = true)]
    Convert(ConvertArgs),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Convert(args) => convert::run(args),
    }
}
