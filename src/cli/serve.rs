//! `loadbay serve`: the server.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use super::{heaps, logging};
use crate::config::{self, Config};
use crate::{app, faults};

const AFTER_HELP: &str = "Each setting is a flag, an environment variable, or a line of a file `.env` \
    in the working directory; the first of them wins.";

/// The arguments: one flag a setting.
pub(super) fn command() -> Command {
    let command =
        Command::new("serve").about("Serve the API and run imports").after_help(AFTER_HELP);
    config::flags(command)
}

/// Serves until SIGTERM or SIGINT.
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let config = Config::read(matches)?;
    // reqwest and sqlx are built without a provider of their own; the first one installed stays.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let _log = logging::to_stderr(&config.log, config.log_format)?;
    heaps::limit();
    log_settings(&config);
    let _armed = faults::armed();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    runtime.block_on(app::serve(config, |address| {
        // Nobody may be reading: the server works without its greeting.
        let _ = greet(&mut io::stdout().lock(), scheme, address);
    }))?;
    // A thread that is stuck in a file system must not keep the process.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// One line of what a person asks first. Addresses are shown without their passwords.
fn log_settings(config: &Config) {
    let shown = |place: Option<String>| place.unwrap_or_else(|| "data directory".to_owned());
    tracing::info!(
        event = "starting",
        listen = %config.listen,
        data_dir = %config.data_dir.display(),
        database = shown(config.database_url.as_ref().map(ToString::to_string)),
        storage = shown(config.storage_url.as_ref().map(ToString::to_string)),
        datasets_dir = config.datasets_dir.as_ref().map(|folder| folder.display().to_string()),
        max_running_jobs = config.max_running_jobs,
        "server {} is starting",
        env!("CARGO_PKG_VERSION"),
    );
}

/// The first line is for programs, the rest for people.
fn greet(out: &mut impl Write, scheme: &str, address: SocketAddr) -> io::Result<()> {
    let base = format!("{scheme}://{address}");
    write!(
        out,
        "Loadbay listens on {base}\n\n\
         Upload a file:\n  curl -F file=@samples/products.csv {base}/api/v1/import/products\n\n\
         Watch the job that the answer names:\n  curl {base}/api/v1/import/status/1\n\n\
         Stop with Ctrl-C; what is not finished goes on at the next start.\n"
    )?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_address_and_the_rest_says_what_to_do() {
        let mut out = Vec::new();
        greet(&mut out, "http", ([127, 0, 0, 1], 4711).into()).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"
        Loadbay listens on http://127.0.0.1:4711

        Upload a file:
          curl -F file=@samples/products.csv http://127.0.0.1:4711/api/v1/import/products

        Watch the job that the answer names:
          curl http://127.0.0.1:4711/api/v1/import/status/1

        Stop with Ctrl-C; what is not finished goes on at the next start.
        "#);
    }
}
