//! `loadbay retry`, `rollback` and `confirm`: a new job out of an old one, followed to its end.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::exit::{Exit, UsageFault};
use super::follow_args::FollowArgs;
use super::output::{print, print_json};
use super::server_args::ServerArgs;
use crate::client::{Followed, Standing};

/// Import rows of a job that has ended again, from the server's copy of its file.
#[derive(Debug, Args)]
pub(super) struct RetryArgs {
    /// Which rows.
    #[arg(long, value_enum, default_value = "all")]
    rows: RowsArg,
    #[command(flatten)]
    again: AgainArgs,
}

/// Roll back the import of a job that was uploaded with --undo.
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    again: AgainArgs,
}

/// Import the file of a completed dry run.
#[derive(Debug, Args)]
pub(super) struct ConfirmArgs {
    /// Refuse when the table has changed since the dry run began.
    #[arg(long)]
    expect_unchanged: bool,
    /// Names of records to take instead as JSON, such as {"brand": {"Acmee": "ACME"}}.
    #[arg(long, value_name = "JSON")]
    replace: Option<String>,
    #[command(flatten)]
    again: AgainArgs,
}

#[derive(Debug, Args)]
struct AgainArgs {
    /// The number of a job; `retry` also takes the UUID of a bulk.
    #[arg(value_parser = Followed::parse)]
    id: Followed,
    /// Do not wait for the end: print the number of the new job.
    #[arg(long, conflicts_with_all = ["wait", "errors_to", "allow_errors"])]
    detach: bool,
    #[command(flatten)]
    follow: FollowArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RowsArg {
    /// All rows of the job.
    All,
    /// The failed rows.
    Failed,
    /// The rows without an outcome.
    Unprocessed,
}

/// Runs `loadbay retry`.
pub(super) fn retry(args: &RetryArgs) -> anyhow::Result<Exit> {
    let rows = match args.rows {
        RowsArg::All => "all",
        RowsArg::Failed => "failed",
        RowsArg::Unprocessed => "unprocessed",
    };
    run(&args.again, "retry", &json!({"rows": rows}))
}

/// Runs `loadbay rollback`.
pub(super) fn rollback(args: &RollbackArgs) -> anyhow::Result<Exit> {
    run(&args.again, "rollback", &json!({}))
}

/// Runs `loadbay confirm`.
pub(super) fn confirm(args: &ConfirmArgs) -> anyhow::Result<Exit> {
    let mut body = json!({"expectUnchanged": args.expect_unchanged.to_string()});
    if let (Some(replace), Some(members)) = (&args.replace, body.as_object_mut()) {
        members.insert("replace".to_owned(), Value::from(replace.as_str()));
    }
    run(&args.again, "confirm", &body)
}

fn run(args: &AgainArgs, action: &str, body: &Value) -> anyhow::Result<Exit> {
    args.follow.check()?;
    if args.detach && args.server.is_local() {
        let fault = "--detach needs a server that goes on; leave out --detach or --local";
        return Err(UsageFault(fault.to_owned()).into());
    }
    let deadline = args.follow.deadline();
    args.server.run(async |connection| {
        let key = uuid::Uuid::new_v4().to_string();
        let answer = connection.post_once(&args.id.action_path(action), body, &key).await?;
        let standing = Standing { data: answer.data };
        let number = standing.number(&["jobId"]).map(|number| number.to_string());
        let id = number.as_deref().or(standing.text("bulkId")).unwrap_or_default();
        let followed = Followed::parse(id).map_err(anyhow::Error::msg)?;
        if args.detach {
            if args.follow.json {
                print_json(&standing.data);
            } else {
                print(followed.to_string());
            }
            return Ok(Exit::Done);
        }
        args.follow.to_the_end(connection, &args.server, &followed, deadline).await
    })
}
