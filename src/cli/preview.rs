//! `loadbay preview`: what an import of a file would do, before it is imported.

use clap::Args;
use serde_json::Value;

use super::exit::{Exit, UsageFault};
use super::option_args::OptionArgs;
use super::output::{print, print_json, print_table, shown};
use super::server_args::ServerArgs;
use super::sources::Sources;
use super::summary::new_reference_lines;
use crate::client::{OutgoingUpload, UploadSource};

/// Show how a file would be read: format, columns, first rows and their errors. Exits with 4 when it
/// cannot be imported as it is.
#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    /// The file; `-` is standard input.
    file: String,
    /// The dataset.
    #[arg(long, short)]
    dataset: String,
    /// The name that the server sees.
    #[arg(long)]
    name: Option<String>,
    /// Print it as the API has it, as one line of JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: OptionArgs,
}

/// Runs the command.
pub(super) fn run(args: &PreviewArgs) -> anyhow::Result<Exit> {
    let sources = Sources::of(std::slice::from_ref(&args.file), args.name.as_deref())?;
    let is_one = matches!(&sources.source, UploadSource::Files(files) if files.len() == 1);
    if !is_one {
        return Err(UsageFault("a preview takes one file".to_owned()).into());
    }
    let upload = OutgoingUpload {
        dataset: args.dataset.clone(),
        options: args.options.pairs.clone(),
        source: sources.source.clone(),
        idempotency_key: String::new(),
    };
    args.server.run(async |connection| {
        let preview = connection.preview(&upload).await?;
        if args.json {
            print_json(&preview);
        } else {
            tell(&preview);
        }
        let is_ready = preview.get("ready").and_then(Value::as_bool) == Some(true);
        Ok(if is_ready { Exit::Done } else { Exit::Refused })
    })
}

fn list<'a>(of: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    of.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn tell(preview: &Value) {
    let detected = |name: &str| shown(preview.get("detected").and_then(|it| it.get(name)));
    let parts = [
        ("", detected("format")),
        ("delimiter ", detected("delimiter")),
        ("encoding ", detected("encoding")),
        ("sheet ", detected("sheet")),
        ("header in row ", detected("headerRow")),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(title, value)| format!("{title}{value}"))
        .collect();
    print(format!("{}: {}", shown(preview.get("fileName")), parts.join(", ")));
    let mut rows = vec![["HEADER", "COLUMN", "VALUES"].map(str::to_owned).to_vec()];
    for column in list(preview, "columns") {
        let samples: Vec<String> = list(column, "samples").map(|it| shown(Some(it))).collect();
        let title = match shown(column.get("title")) {
            title if title.is_empty() => "(not imported)".to_owned(),
            title => title,
        };
        rows.push(vec![shown(column.get("header")), title, samples.join(", ")]);
    }
    print_table(&rows);
    for fault in list(preview, "faults") {
        print(format!("fault: {}", shown(fault.get("message"))));
    }
    for warning in list(preview, "warnings") {
        print(format!("warning: {}", shown(warning.get("message"))));
    }
    for line in new_reference_lines(preview) {
        print(line);
    }
    for row in list(preview, "rows") {
        for error in list(row, "errors") {
            print(format!("row {}: {}", shown(row.get("rowNumber")), shown(error.get("message"))));
        }
    }
}
