//! `loadbay sync`: builds the search collection of a dataset anew, beside a running server or without
//! one.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::exit::Exit;
use crate::app;
use crate::config::{self, Config};

const ABOUT: &str = "Send all records of a dataset to Typesense, into a new collection";

const AFTER_HELP: &str = "The new collection takes the place of the old one when it is complete: the alias \
    that is searched points at it then. Reads the same settings as `loadbay serve` and may run beside it.\n\n\
    Exit codes: 0 all documents are there, 3 Typesense refused some, 1 it did not work.";

/// The arguments: the datasets, and one flag a setting.
pub(super) fn command() -> Command {
    let names = Arg::new("dataset")
        .value_name("NAME")
        .action(ArgAction::Append)
        .help("The datasets; without one all that go to Typesense");
    config::flags(Command::new("sync").about(ABOUT).after_help(AFTER_HELP).arg(names))
}

/// Builds the collections and says what is in them.
pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let config = Config::read(matches)?;
    let names = matches.get_many::<String>("dataset").unwrap_or_default().cloned().collect();
    // reqwest and sqlx are built without a provider of their own; the first one installed stays.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let _armed = crate::faults::armed();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let progress = |dataset: &str, documents: u64| {
        // Nobody may be reading.
        let _ = writeln!(io::stderr(), "{dataset}: {documents} documents");
    };
    let reports = runtime.block_on(app::rebuild_search(config, names, progress))?;
    let mut out = io::stdout().lock();
    let mut refused = 0;
    for report in reports {
        let tally = &report.tally;
        refused += tally.refused;
        let _ = writeln!(
            out,
            "{}: {} documents in {}, {} refused",
            report.alias, tally.upserted, report.collection, tally.refused
        );
        for document in &tally.errors {
            let _ = writeln!(out, "  {}: {}", document.id, document.message);
        }
    }
    Ok(if refused > 0 { Exit::RowsFailed } else { Exit::Done }.into())
}
