//! `loadbay template`: the header of a dataset with an example row, as a file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::form_urlencoded;

use super::exit::Exit;
use super::failed_rows::download;
use super::server_args::ServerArgs;
use crate::client::ClientError;

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
    let ending = args.to.as_ref().and_then(|path| path.extension()?.to_str().map(str::to_owned));
    let of_ending = ending.and_then(|ending| TemplateFormat::from_str(&ending, true).ok());
    let format = match args.format.or(of_ending).unwrap_or(TemplateFormat::Csv) {
        TemplateFormat::Csv => "csv",
        TemplateFormat::Ndjson => "ndjson",
        TemplateFormat::Xlsx => "xlsx",
    };
    let dataset: String = form_urlencoded::byte_serialize(args.dataset.as_bytes()).collect();
    let call = format!("/api/v1/datasets/{dataset}/template.{format}");
    args.server.run(async |connection| {
        if let Some(path) = &args.to {
            download(connection, &call, path).await?;
        } else {
            let fault = |source| ClientError::Write { path: "/dev/stdout".into(), source };
            connection.download(&call, &mut std::io::stdout(), fault).await?;
        }
        Ok(Exit::Done)
    })
}
