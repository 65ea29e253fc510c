//! The log of a process: lines to standard error, as the settings say.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Logs what `filter` lets through.
pub(super) fn to_stderr(filter: &str, format: LogFormat) {
    // What libraries say about threads, migrations and requests that are no HTTP is of no use unless
    // it is asked for.
    let quiet = "actix_server=warn,actix_http=off,sea_orm_migration=warn";
    let filter = EnvFilter::new(format!("{quiet},{filter}"));
    let lines = tracing_subscriber::fmt()
        // A line that stderr does not take, as on a full disk, would be complained of on stderr, by
        // a macro that panics when that fails too: the task that logs would end.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}
