//! `loadbay mappings`: what the headers of files mean, as it was saved at the server.

use clap::{Args, Subcommand};
use serde_json::Value;
use url::form_urlencoded;

use super::exit::Exit;
use super::output::{print, print_json, print_table, shown};
use super::server_args::ServerArgs;

/// List, show and delete the saved mappings of a dataset.
#[derive(Debug, Args)]
pub(super) struct MappingsArgs {
    #[command(subcommand)]
    task: MappingsTask,
}

#[derive(Debug, Subcommand)]
enum MappingsTask {
    /// List the mappings of a dataset
    List(MappingListArgs),
    /// Show the headers of a mapping and the columns that they feed
    Show(MappingArgs),
    /// Delete a mapping; files with its headers are matched by themselves again
    Delete(MappingArgs),
}

#[derive(Debug, Args)]
struct MappingListArgs {
    /// The dataset.
    dataset: String,
    #[command(flatten)]
    common: MappingCommonArgs,
}

#[derive(Debug, Args)]
struct MappingArgs {
    /// The dataset.
    dataset: String,
    /// The name of the mapping.
    name: String,
    #[command(flatten)]
    common: MappingCommonArgs,
}

#[derive(Debug, Args)]
struct MappingCommonArgs {
    /// Print what the API answers, as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub(super) fn run(args: &MappingsArgs) -> anyhow::Result<Exit> {
    match &args.task {
        MappingsTask::List(args) => list(args),
        MappingsTask::Show(args) => one(args, false),
        MappingsTask::Delete(args) => one(args, true),
    }
}

fn address(dataset: &str, name: Option<&str>) -> String {
    let part = |text: &str| -> String {
        // A plus sign stands for a space in queries only.
        form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
    };
    let last = name.map_or_else(String::new, |name| format!("/{}", part(name)));
    format!("/api/v1/datasets/{}/mappings{last}", part(dataset))
}

fn list(args: &MappingListArgs) -> anyhow::Result<Exit> {
    let path = address(&args.dataset, None);
    args.common.server.run(async |connection| {
        let found = connection.get(&path).await?.data;
        if args.common.json {
            print_json(&found);
            return Ok(Exit::Done);
        }
        let header = ["NAME", "HEADERS", "CREATED BY", "LAST USED"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        let mappings = found.get("mappings").and_then(Value::as_array);
        rows.extend(mappings.into_iter().flatten().map(row));
        print_table(&rows);
        Ok(Exit::Done)
    })
}

fn row(mapping: &Value) -> Vec<String> {
    let headers = mapping.get("headers").and_then(Value::as_array).map_or(0, Vec::len);
    vec![
        shown(mapping.get("name")),
        headers.to_string(),
        shown(mapping.get("createdBy")),
        shown(mapping.get("lastUsedAt")),
    ]
}

fn one(args: &MappingArgs, is_deleted: bool) -> anyhow::Result<Exit> {
    let path = address(&args.dataset, Some(&args.name));
    args.common.server.run(async |connection| {
        let answer = if is_deleted {
            connection.delete(&path).await?
        } else {
            connection.get(&path).await?
        };
        if args.common.json {
            print_json(&answer.data);
        } else if is_deleted {
            print(format!("The mapping `{}` is deleted.", args.name));
        } else {
            let mut rows = vec![["HEADER", "COLUMN"].map(str::to_owned).to_vec()];
            let pairs = answer.data.get("mapping").and_then(Value::as_object);
            let pairs = pairs.into_iter().flatten();
            rows.extend(
                pairs.map(|(header, column)| {
                    vec![super::output::plain(header), shown(Some(column))]
                }),
            );
            print_table(&rows);
        }
        Ok(Exit::Done)
    })
}
