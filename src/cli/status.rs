//! `loadbay status`: how a job or a bulk stands now.

use clap::Args;

use super::exit::Exit;
use super::output::{print, print_json, shown};
use super::server_args::ServerArgs;
use super::summary::{progress_line, result_lines};
use crate::client::{Followed, Standing};

/// Show how a job or a bulk stands.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The number of a job, or the UUID of a bulk.
    #[arg(value_parser = Followed::parse)]
    id: Followed,
    /// Print it as the API has it, as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Members of a job that a person asks for, with what stands before them.
const MEMBERS: [(&str, &str); 7] = [
    ("dataset", "dataset"),
    ("createdBy", "client"),
    ("createdAt", "received"),
    ("startedAt", "started"),
    ("completedAt", "ended"),
    ("error", "why"),
    ("resumeAt", "goes on at"),
];

/// Runs the command.
pub(super) fn run(args: &StatusArgs) -> anyhow::Result<Exit> {
    args.server.run(async |connection| {
        let standing = connection.standing(&args.id).await?;
        if args.json {
            print_json(&standing.data);
        } else {
            tell(&standing);
        }
        Ok(Exit::Done)
    })
}

fn tell(standing: &Standing) {
    if standing.is_final() {
        result_lines(standing).iter().for_each(print);
    } else {
        print(progress_line(standing));
    }
    for (member, title) in MEMBERS {
        let value = shown(standing.data.get(member));
        if !value.is_empty() {
            print(format!("  {title}: {value}"));
        }
    }
    let actions = standing.data.get("actions").and_then(serde_json::Value::as_array);
    let actions: Vec<String> = actions.into_iter().flatten().map(|it| shown(Some(it))).collect();
    if !actions.is_empty() {
        print(format!("  possible now: {}", actions.join(", ")));
    }
}
