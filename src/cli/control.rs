//! `loadbay cancel`, `pause` and `resume`: one order to a job.

use clap::Args;

use super::exit::Exit;
use super::output::{print, print_json};
use super::server_args::ServerArgs;
use super::summary::progress_line;
use crate::client::{Followed, Standing};

/// Arguments of an order to a job.
#[derive(Debug, Args)]
pub(super) struct ControlArgs {
    /// The number of a job; `cancel` also takes the UUID of a bulk.
    #[arg(value_parser = Followed::parse)]
    id: Followed,
    /// Print the job as the API has it, as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Gives the order that the last word of an address stands for.
pub(super) fn run(args: &ControlArgs, action: &str) -> anyhow::Result<Exit> {
    args.server.run(async |connection| {
        let answer = connection.post(&args.id.action_path(action)).await?;
        let standing = Standing { data: answer.data };
        if args.json {
            print_json(&standing.data);
        } else {
            print(progress_line(&standing));
        }
        Ok(Exit::Done)
    })
}
