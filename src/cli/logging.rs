//! The log of a process: lines to standard error, as the settings say.

mod json_line;

use std::io::{self, IsTerminal};

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use self::json_line::JsonLine;
use crate::config::LogFormat;

/// What must live as long as lines are logged.
#[derive(Debug, Default)]
pub(super) struct Log {
    #[cfg(feature = "otlp")]
    _exporter: Option<crate::telemetry::otlp::Exporter>,
}

/// Logs what `filter` lets through.
///
/// # Errors
/// When spans are to be sent to a collector and cannot be.
pub(super) fn to_stderr(filter: &str, format: LogFormat) -> anyhow::Result<Log> {
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
        LogFormat::Text => begin(lines.finish()),
        LogFormat::Json => {
            begin(lines.fmt_fields(JsonFields::new()).event_format(JsonLine).finish())
        }
    }
}

/// Logs from now on.
#[cfg(not(feature = "otlp"))]
#[expect(clippy::unnecessary_wraps, reason = "with an exporter it can fail")]
fn begin<S>(lines: S) -> anyhow::Result<Log>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    lines.init();
    Ok(Log::default())
}

/// Logs from now on, and sends the spans to the collector if there is one.
#[cfg(feature = "otlp")]
fn begin<S>(lines: S) -> anyhow::Result<Log>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    use crate::telemetry::otlp::Exporter;
    use tracing_subscriber::layer::SubscriberExt;

    let exporter = Exporter::start()?;
    lines.with(exporter.as_ref().map(Exporter::layer)).init();
    Ok(Log { _exporter: exporter })
}
