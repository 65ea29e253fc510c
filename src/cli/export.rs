//! `loadbay export`: the table of a dataset as it is now, as a file that can be edited and imported.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::form_urlencoded;

use super::download;
use super::exit::Exit;
use super::server_args::ServerArgs;

/// Write what is stored of a dataset, as a file that can be edited and imported.
#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The dataset.
    #[arg(long, short, value_name = "NAME")]
    dataset: String,
    /// Only records with these values, as JSON: {"supplier": "ACME"}.
    #[arg(long, value_name = "JSON")]
    scope: Option<String>,
    /// The format; without it the ending of the file decides, else CSV.
    #[arg(long, value_enum)]
    format: Option<ExportFormat>,
    /// The file, instead of standard output.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
}

/// Runs the command.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let ending = download::ending(args.format, args.to.as_deref());
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut call = format!("/api/v1/datasets/{}/rows.{ending}", encoded(&args.dataset));
    if let Some(scope) = &args.scope {
        call.push_str("?scope=");
        call.push_str(&encoded(scope));
    }
    args.server.run(async |connection| {
        download::write(connection, &call, args.to.as_deref()).await?;
        Ok(Exit::Done)
    })
}
