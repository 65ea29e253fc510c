//! `loadbay export`: the table of a dataset as it is now, as a file that can be edited and imported.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use url::form_urlencoded;

use super::exit::Exit;
use super::failed_rows::download;
use super::server_args::ServerArgs;
use crate::client::ClientError;

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
    let ending = args.to.as_ref().and_then(|path| path.extension()?.to_str().map(str::to_owned));
    let of_ending = ending.and_then(|ending| ExportFormat::from_str(&ending, true).ok());
    let format = match args.format.or(of_ending).unwrap_or(ExportFormat::Csv) {
        ExportFormat::Csv => "csv",
        ExportFormat::Xlsx => "xlsx",
    };
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut call = format!("/api/v1/datasets/{}/rows.{format}", encoded(&args.dataset));
    if let Some(scope) = &args.scope {
        call.push_str("?scope=");
        call.push_str(&encoded(scope));
    }
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
