//! `loadbay jobs`: the list of jobs, newest first.

use clap::Args;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::exit::Exit;
use super::output::{print_json, print_table, shown};
use super::server_args::ServerArgs;

/// List jobs, newest first.
#[derive(Debug, Args)]
pub(super) struct JobsArgs {
    /// Only jobs with this status: pending, processing, paused, completed, failed, cancelled.
    #[arg(long)]
    status: Option<String>,
    /// Only jobs of this dataset.
    #[arg(long, short)]
    dataset: Option<String>,
    /// Only jobs that failed or of which rows failed.
    #[arg(long)]
    with_errors: bool,
    /// How many, at most 500.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Print them as the API has them, as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs the command.
pub(super) fn run(args: &JobsArgs) -> anyhow::Result<Exit> {
    let mut query = Serializer::new(String::new());
    query.append_pair("limit", &args.limit.to_string());
    for (name, value) in [("status", &args.status), ("dataset", &args.dataset)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    if args.with_errors {
        query.append_pair("withErrors", "true");
    }
    let path = format!("/api/v1/import/jobs?{}", query.finish());
    args.server.run(async |connection| {
        let list = connection.get(&path).await?.data;
        if args.json {
            print_json(&list);
            return Ok(Exit::Done);
        }
        let header = ["JOB", "STATUS", "DATASET", "ROWS", "FAILED", "RECEIVED", "FILE"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        rows.extend(list.get("jobs").and_then(Value::as_array).into_iter().flatten().map(row));
        print_table(&rows);
        Ok(Exit::Done)
    })
}

fn row(job: &Value) -> Vec<String> {
    let inside = |outer: &str, inner: &str| shown(job.get(outer).and_then(|it| it.get(inner)));
    vec![
        shown(job.get("jobId")),
        shown(job.get("status")),
        shown(job.get("dataset")),
        inside("progress", "current"),
        inside("counts", "failed"),
        shown(job.get("createdAt")),
        shown(job.get("fileName")),
    ]
}
