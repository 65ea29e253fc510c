//! `loadbay migrate`: the tables of a database, brought up to date without a server.

use clap::{Args, Subcommand};
use serde_json::json;

use super::exit::Exit;
use super::local::{SettingsArgs, runtime};
use super::output::{print, print_json};
use crate::app;

/// Bring the tables up to date, or show what is to be done.
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    #[command(subcommand)]
    task: MigrateTask,
}

#[derive(Debug, Subcommand)]
enum MigrateTask {
    /// Show which migrations are to be done; ends with 4 when there are some
    Status(MigrationArgs),
    /// Do them, and make the tables of the datasets, as the start of a server does
    Up(MigrationArgs),
}

#[derive(Debug, Args)]
struct MigrationArgs {
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs the command.
pub(super) fn run(args: &MigrateArgs) -> anyhow::Result<Exit> {
    match &args.task {
        MigrateTask::Status(args) => status(args),
        MigrateTask::Up(args) => up(args),
    }
}

fn status(args: &MigrationArgs) -> anyhow::Result<Exit> {
    let config = args.settings.read()?;
    let state = runtime()?.block_on(app::database_state(&config))?;
    if args.json {
        print_json(&json!({
            "database": state.name, "pending": state.pending, "unknown": state.unknown,
        }));
    } else if let Some(newer) = &state.unknown {
        print(format!("A newer program made `{newer}`: run that program."));
    } else if state.pending.is_empty() {
        print("The tables are up to date.");
    } else {
        state.pending.iter().for_each(print);
    }
    Ok(if state.is_current() { Exit::Done } else { Exit::Refused })
}

fn up(args: &MigrationArgs) -> anyhow::Result<Exit> {
    let config = args.settings.read()?;
    let done = runtime()?.block_on(app::migrate(&config))?;
    if args.json {
        print_json(&json!({"done": done}));
    } else if done.is_empty() {
        print("The tables are up to date.");
    } else {
        for name in done {
            print(format!("done: {name}"));
        }
    }
    Ok(Exit::Done)
}
