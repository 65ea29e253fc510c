//! `loadbay errors`: the failed rows of a job, as a list or as a file.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::exit::Exit;
use super::failed_rows;
use super::output::{note, print_json, print_table, shown};
use super::server_args::ServerArgs;

/// List the row errors of a job, or write its failed rows to a file.
#[derive(Debug, Args)]
pub(super) struct ErrorsArgs {
    /// The number of the job.
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
    /// Write all failed rows to this file: .csv or .xlsx. Corrected, it can be imported.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Count them by kind and column.
    #[arg(long, conflicts_with = "to")]
    groups: bool,
    /// How many are listed, at most 500.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Print them as the API has them, as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub(super) fn run(args: &ErrorsArgs) -> anyhow::Result<Exit> {
    if let Some(path) = &args.to {
        failed_rows::check(path)?;
    }
    args.server.run(async |connection| {
        if let Some(path) = &args.to {
            failed_rows::write_one(connection, args.id, path).await?;
            return Ok(Exit::Done);
        }
        let base = format!("/api/v1/import/jobs/{}/errors", args.id);
        let path = if args.groups {
            format!("{base}/groups")
        } else {
            format!("{base}?limit={}", args.limit)
        };
        let list = connection.get(&path).await?.data;
        if args.json {
            print_json(&list);
        } else {
            tell(&list, args);
        }
        Ok(Exit::Done)
    })
}

fn tell(list: &Value, args: &ErrorsArgs) {
    let (member, columns): (_, &[(&str, &str)]) = if args.groups {
        let columns = &[
            ("COUNT", "count"),
            ("FIRST ROW", "firstRow"),
            ("COLUMN", "column"),
            ("CODE", "code"),
            ("MESSAGE", "message"),
        ];
        ("groups", columns)
    } else {
        let columns =
            &[("ROW", "rowNumber"), ("KEY", "key"), ("COLUMN", "column"), ("MESSAGE", "message")];
        ("errors", columns)
    };
    let mut rows = vec![columns.iter().map(|(title, _)| (*title).to_owned()).collect()];
    let found = list.get(member).and_then(Value::as_array);
    for error in found.into_iter().flatten() {
        rows.push(columns.iter().map(|(_, member)| shown(error.get(member))).collect());
    }
    print_table(&rows);
    if list.get("nextCursor").is_some_and(Value::is_string) {
        let (job, flags) = (args.id, args.server.repeated());
        note(format!("There are more; all failed rows: loadbay errors {job} --to bad.csv{flags}"));
    }
}
