//! The command line: one file a command. What a command prints for people goes to standard error or is
//! a sentence; what programs read is its exit code, its JSON and its files.

mod again;
mod completions;
mod control;
mod convert;
mod datasets;
mod doctor;
mod download;
mod errors;
mod exit;
mod export;
mod failed_rows;
mod follow_args;
mod heaps;
mod import;
mod jobs;
mod keys;
mod local;
mod logging;
mod man;
mod mappings;
mod migrate;
mod option_args;
mod output;
mod preview;
mod progress;
mod serve;
mod server_args;
mod signals;
mod sources;
mod status;
mod summary;
mod sync;
mod template;
mod watch;

use std::process::ExitCode;

use clap::{Args, Command, FromArgMatches, Subcommand};

use again::{ConfirmArgs, RetryArgs, RollbackArgs};
use completions::CompletionsArgs;
use control::ControlArgs;
use datasets::DatasetsArgs;
use doctor::DoctorArgs;
use errors::ErrorsArgs;
use exit::Exit;
use export::ExportArgs;
use import::ImportArgs;
use jobs::JobsArgs;
use keys::KeysArgs;
use man::ManArgs;
use mappings::MappingsArgs;
use migrate::MigrateArgs;
use preview::PreviewArgs;
use status::StatusArgs;
use template::TemplateArgs;
use watch::WatchArgs;

/// What `--help` shows below the commands.
const AFTER_HELP: &str = "Start with:\n  loadbay serve\n\n\
    Then import a file:\n  loadbay import samples/products.csv --dataset products\n\n\
    Without a server:\n  loadbay import samples/products.csv --dataset products --local";

/// The commands for people and scripts.
#[derive(Debug, Subcommand)]
enum Task {
    /// Import files into a dataset and wait for the end
    Import(ImportArgs),
    /// Show how a file would be read
    Preview(PreviewArgs),
    /// Write the template of a dataset
    Template(TemplateArgs),
    /// Write what is stored of a dataset
    Export(ExportArgs),
    /// Wait for the end of a job or a bulk
    Watch(WatchArgs),
    /// Show how a job or a bulk stands
    Status(StatusArgs),
    /// List jobs, newest first
    Jobs(JobsArgs),
    /// List the row errors of a job, or write its failed rows to a file
    Errors(ErrorsArgs),
    /// Cancel a job or a bulk; committed rows stay
    Cancel(ControlArgs),
    /// Pause a job; it keeps its place in the file
    Pause(ControlArgs),
    /// Continue a paused job
    Resume(ControlArgs),
    /// Import rows of a job that has ended again
    Retry(RetryArgs),
    /// Roll back an import that was uploaded with --undo
    Rollback(RollbackArgs),
    /// Import the file of a completed dry run
    Confirm(ConfirmArgs),
    /// Make, list, replace and end the keys of the server
    Keys(KeysArgs),
    /// Propose, check and show definitions of datasets, and make their tables
    Datasets(DatasetsArgs),
    /// List, show and delete saved mappings of headers
    Mappings(MappingsArgs),
    /// Look at everything that a server needs, and say how to mend it
    Doctor(DoctorArgs),
    /// Bring the tables up to date, or show what is to be done
    Migrate(MigrateArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages to a folder
    Man(ManArgs),
}

/// Every command with its arguments.
#[must_use]
pub fn command() -> Command {
    let convert = Command::new("convert")
        .about("Read a workbook and write its rows; the server starts this itself")
        .hide(true);
    let command = Command::new("loadbay")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A background import server: product files into tables, fast, exactly once, every row accounted for")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(serve::command())
        .subcommand(sync::command());
    Task::augment_subcommands(command).subcommand(convert::ConvertArgs::augment_args(convert))
}

/// The numbers that a command ends with, and what they mean.
pub fn exit_codes() -> impl Iterator<Item = (u8, &'static str)> {
    Exit::ALL.into_iter().map(|exit| (exit.number(), exit.meaning()))
}

/// Runs the command that the arguments name.
///
/// # Errors
/// What ended the command, in words for the one who gave it.
pub fn run() -> anyhow::Result<ExitCode> {
    let matches = command().get_matches();
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("sync", matches)) => sync::run(matches),
        Some(("convert", matches)) => {
            Ok(convert::run(convert::ConvertArgs::from_arg_matches(matches)?))
        }
        _ => {
            let task = Task::from_arg_matches(&matches).unwrap_or_else(|fault| fault.exit());
            let ended = carry_out(&task);
            Ok(ended
                .unwrap_or_else(|fault| {
                    output::note(format!("loadbay: {fault:#}"));
                    Exit::of(&fault)
                })
                .into())
        }
    }
}

fn carry_out(task: &Task) -> anyhow::Result<Exit> {
    match task {
        Task::Import(args) => import::run(args),
        Task::Preview(args) => preview::run(args),
        Task::Template(args) => template::run(args),
        Task::Export(args) => export::run(args),
        Task::Watch(args) => watch::run(args),
        Task::Status(args) => status::run(args),
        Task::Jobs(args) => jobs::run(args),
        Task::Errors(args) => errors::run(args),
        Task::Cancel(args) => control::run(args, "cancel"),
        Task::Pause(args) => control::run(args, "pause"),
        Task::Resume(args) => control::run(args, "resume"),
        Task::Retry(args) => again::retry(args),
        Task::Rollback(args) => again::rollback(args),
        Task::Confirm(args) => again::confirm(args),
        Task::Keys(args) => keys::run(args),
        Task::Datasets(args) => datasets::run(args),
        Task::Mappings(args) => mappings::run(args),
        Task::Doctor(args) => doctor::run(args),
        Task::Migrate(args) => migrate::run(args),
        Task::Completions(args) => Ok(completions::run(args, command())),
        Task::Man(args) => man::run(args, command()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_fits_together() {
        super::command().debug_assert();
    }
}
