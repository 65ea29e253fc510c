//! `loadbay watch`: waits for the end of a job that was started elsewhere.

use clap::Args;

use super::exit::Exit;
use super::follow_args::FollowArgs;
use super::server_args::ServerArgs;
use crate::client::Followed;

/// Wait for the end of a job or a bulk, with the exit code of its import.
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// The number of a job, or the UUID of a bulk.
    #[arg(value_parser = Followed::parse)]
    id: Followed,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub(super) fn run(args: &WatchArgs) -> anyhow::Result<Exit> {
    args.follow.check()?;
    let deadline = args.follow.deadline();
    args.server.run(async |connection| {
        args.follow.to_the_end(connection, &args.server, &args.id, deadline).await
    })
}
