//! `loadbay template`: the header of a dataset with an example row, as a file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::form_urlencoded;

use super::download;
use super::exit::Exit;
use super::server_args::ServerArgs;

/// Write the template of a dataset: its header and an example row.
#[derive(Debug, Args)]
pub(super) struct TemplateArgs {
    /// The dataset.
    dataset: String,
    /// The format; without it the ending of the file decides, else CSV.
    #[arg(long, value_enum)]
    format: Option<TemplateFormat>,
    /// The file, instead of standard output.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TemplateFormat {
    /// Comma-separated values.
    Csv,
    /// A line of JSON.
    Ndjson,
    /// A workbook.
    Xlsx,
}

/// Runs the command.
pub(super) fn run(args: &TemplateArgs) -> anyhow::Result<Exit> {
    let ending = download::ending(args.format, args.to.as_deref());
    let dataset: String = form_urlencoded::byte_serialize(args.dataset.as_bytes()).collect();
    let call = format!("/api/v1/datasets/{dataset}/template.{ending}");
    args.server.run(async |connection| {
        download::write(connection, &call, args.to.as_deref()).await?;
        Ok(Exit::Done)
    })
}
