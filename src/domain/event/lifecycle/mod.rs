//! The events of a job's turns. Pure: from the job as it stands after the turn to the events that
//! clients receive, each with its step in members and in a sentence.

mod download;
mod ending;

use super::{Event, Level, PARSED, ROWS_DONE, ReleaseCause, Step, percentage, rows_percentage};
use crate::domain::detected::{DateOrder, DecimalSeparator, Detected};
use crate::domain::download::Download;
use crate::domain::job::Job;
use crate::domain::memory_pressure::MemoryPressure;
use crate::domain::status::JobStatus;
use crate::domain::warning::{Warning, WarningCode, Warnings};
pub use download::{download_interrupted, downloaded, downloading, not_changed};
pub use ending::ended;

/// What the job is called at the start of a sentence.
fn noun(job: &Job) -> &'static str {
    match job.rollback_of {
        Some(_) => "Rollback",
        None if job.options.dry_run => "Dry run",
        None => "Import",
    }
}

/// The same within a sentence.
fn the_noun(job: &Job) -> &'static str {
    match job.rollback_of {
        Some(_) => "the rollback",
        None if job.options.dry_run => "the dry run",
        None => "the import",
    }
}

/// The upload was accepted, or a retry or a rollback was requested.
#[must_use]
pub fn received(job: &Job) -> Vec<Event> {
    let at = percentage(job);
    let mut events = vec![Event::log(Level::Info, at, received_step(job), received_message(job))];
    if job.rollback_of.is_none() {
        events.extend(read_as(job, at));
    }
    events
}

/// What was decided about the file, if it was looked at.
fn read_as(job: &Job, at: f64) -> Vec<Event> {
    let Some(layout) = &job.detected else { return Vec::new() };
    let (step, message) = detected(layout);
    let mut events = vec![Event::log(Level::Info, at, step, message)];
    let columns: Vec<String> = unused_headers(layout).map(str::to_owned).collect();
    if !columns.is_empty() {
        let message = format!("Columns that are not imported: {}", columns.join(", "));
        events.push(Event::log(Level::Warning, at, Step::UnusedColumns { columns }, message));
    }
    let of_file = job.warnings.of_file();
    events.extend(warned(&of_file, at, |it| it.code != WarningCode::UnusedColumns));
    if job.options.dry_run {
        let message = "Dry run: rows are checked and counted, nothing is stored";
        events.push(Event::log(Level::Warning, at, Step::DryRun, message));
    }
    events
}

/// One line for each warning that `is_due`.
fn warned(
    warnings: &Warnings,
    at: f64,
    is_due: impl Fn(&Warning) -> bool,
) -> impl Iterator<Item = Event> {
    warnings.iter().filter(move |it| is_due(it)).map(move |warning| {
        Event::log(Level::Warning, at, Step::Warning(warning.clone()), warning.message())
    })
}

fn received_step(job: &Job) -> Step {
    Step::Received {
        file_name: job.file_name.clone(),
        file_size: bytes(job),
        retry_of: job.retry_of,
        selection: job.selection.as_ref().map(|selection| selection.as_str().to_owned()),
        rollback_of: job.rollback_of,
        url: awaited(job).map(|download| download.url.shown()),
    }
}

/// The download that the job still waits for.
fn awaited(job: &Job) -> Option<&Download> {
    job.download.as_ref().filter(|download| download.is_awaited)
}

fn received_message(job: &Job) -> String {
    let file = format!("{} ({})", job.file_name, size(bytes(job)));
    if let Some(download) = awaited(job) {
        return format!("Download requested: {}", download.url.shown());
    }
    match (job.rollback_of, job.retry_of, &job.selection) {
        (Some(parent), ..) => format!("Rollback of job {parent} requested: {}", job.file_name),
        (None, None, _) => format!("File received: {file}"),
        (None, Some(parent), None) => format!("Retry of job {parent}: all rows of {file}"),
        (None, Some(parent), Some(selection)) => {
            format!("Retry of job {parent}: the {} rows of {file}", selection.as_str())
        }
    }
}

/// The sentence is `Read as CSV: delimiter `;`, encoding utf-8, header in row 1, 22 of 23 columns
/// used`.
fn detected(detected: &Detected) -> (Step, String) {
    let used = detected.columns.iter().filter(|column| column.is_some()).count();
    let step = Step::Detected {
        format: detected.format,
        delimiter: detected.delimiter,
        quote: detected.quote,
        escape: detected.escape,
        encoding: detected.encoding.clone(),
        encoding_guessed: detected.encoding_guessed,
        sheet: detected.sheet.clone(),
        decimal: detected.decimal,
        dates: detected.dates,
        header_row: detected.header_row,
        used_columns: used as u64,
        total_columns: detected.header.len() as u64,
    };
    let mut facts = Vec::new();
    if let Some(delimiter) = detected.delimiter {
        let shown = if delimiter == '\t' { "tab".to_owned() } else { format!("`{delimiter}`") };
        facts.push(format!("delimiter {shown}"));
    }
    if let Some(quote) = detected.quote {
        facts.push(format!("texts in `{quote}`"));
    }
    if let Some(escape) = detected.escape {
        facts.push(format!("quotes escaped by `{escape}`"));
    }
    if let Some(encoding) = &detected.encoding {
        let guessed = if detected.encoding_guessed { " (a guess)" } else { "" };
        facts.push(format!("encoding {encoding}{guessed}"));
    }
    if let Some(sheet) = &detected.sheet {
        facts.push(format!("sheet `{sheet}`"));
    }
    if detected.decimal == DecimalSeparator::Comma {
        facts.push("decimal comma".to_owned());
    }
    match detected.dates {
        Some(DateOrder::Dmy) => facts.push("dates with the day first".to_owned()),
        Some(DateOrder::Mdy) => facts.push("dates with the month first".to_owned()),
        Some(DateOrder::Ymd) | None => {}
    }
    if detected.header_row > 0 {
        facts.push(format!("header in row {}", detected.header_row));
    }
    facts.push(format!("{used} of {} columns used", detected.header.len()));
    let format = detected.format.as_str().to_uppercase();
    (step, format!("Read as {format}: {}", facts.join(", ")))
}

fn unused_headers(detected: &Detected) -> impl Iterator<Item = &str> {
    let cells = detected.header.iter().zip(&detected.columns);
    cells
        .filter(|(header, column)| column.is_none() && !header.trim().is_empty())
        .map(|(header, _)| header.trim())
}

/// A server started the job, or continues it.
#[must_use]
pub fn claimed(job: &Job) -> Vec<Event> {
    if awaited(job).is_some() {
        return downloading(job);
    }
    let is_first = match &job.download {
        // The claims before were those of the download.
        Some(_) => job.attempts <= 1 && job.total_rows.is_none(),
        None => job.lease_epoch <= 1,
    };
    let (step, message) = match (is_first, job.counts.processed()) {
        (true, _) => (Step::Started, format!("{} started", noun(job))),
        (_, 0) => (Step::Continued { rows: 0 }, format!("{} started again", noun(job))),
        (_, rows) => {
            (Step::Continued { rows }, format!("{} continues after {rows} rows", noun(job)))
        }
    };
    vec![Event::log(Level::Info, percentage(job), step, message)]
}

/// The file can be read as rows; they are scanned now.
#[must_use]
pub fn parsed(job: &Job) -> Vec<Event> {
    let at = percentage(job).max(PARSED);
    vec![Event::log(Level::Info, at, Step::Parsing, "Parsing file: scanning all rows")]
}

/// The rows are counted. Emitted once, however often a job is claimed.
#[must_use]
pub fn counted(job: &Job) -> Vec<Event> {
    let total = job.total_rows.unwrap_or(0);
    let rows = if total == 1 { "row" } else { "rows" };
    let work = if job.rollback_of.is_some() { "roll back" } else { "import" };
    let message = format!("Found {total} {rows} to {work}");
    vec![Event::log(Level::Success, percentage(job), Step::Counted { total }, message)]
}

/// The memory of the server is used up more or less than before, which changes the chunks of the job;
/// without pressure they have `chunk_rows`.
#[must_use]
pub fn memory_pressure(job: &Job, pressure: MemoryPressure, chunk_rows: u32) -> Vec<Event> {
    let memory_percent = pressure.percent();
    let chunk_rows = (u64::from(chunk_rows) * u64::from(pressure.chunk_percent()) / 100).max(1);
    let is_waiting = pressure.is_critical();
    let (level, then) = if is_waiting {
        (Level::Warning, "the reader waits".to_owned())
    } else {
        (Level::Info, format!("chunks have {chunk_rows} rows"))
    };
    let message = format!("Memory is used up to {memory_percent} %: {then}");
    let step = Step::MemoryPressure { memory_percent, chunk_rows, is_waiting };
    vec![Event::log(level, reached(job), step, message)]
}

/// The file of a mirror is imported, and records that it does not have are removed.
#[must_use]
pub fn removing(job: &Job, records: u64) -> Vec<Event> {
    let what = if records == 1 { "1 record" } else { &format!("{records} records") };
    let message = format!("Removing {what} that the file does not have");
    vec![Event::log(Level::Info, percentage(job), Step::Removing { records }, message)]
}

/// So many of them are removed by now.
#[must_use]
pub fn removed(processed: u64, total: u64, records: u64) -> Event {
    let what = if records == 1 { "1 record" } else { &format!("{records} records") };
    let message = format!("Removed {what} that the file does not have");
    let at = rows_percentage(processed, total);
    Event::log(Level::Info, at, Step::Removed { records }, message)
}

/// Every row has its outcome.
#[must_use]
pub fn rows_done() -> Vec<Event> {
    let message = "All rows processed; checking the counts";
    vec![Event::log(Level::Info, ROWS_DONE, Step::RowsDone, message)]
}

/// How far a job is that was claimed once: it may have been parsed already, and a percentage never
/// goes back.
fn reached(job: &Job) -> f64 {
    let at = percentage(job);
    if job.started_at.is_some() && !job.awaits_file() { at.max(PARSED) } else { at }
}

/// The job was paused: on request, or automatically because something is missing.
#[must_use]
pub fn paused(job: &Job) -> Vec<Event> {
    let rows = job.counts.processed();
    let message = match &job.error_message {
        Some(reason) => format!("Paused automatically: {reason}"),
        None => format!("Paused after {rows} rows"),
    };
    let (code, reason) = (job.error_code.clone(), job.error_message.clone());
    vec![Event::log(Level::Warning, reached(job), Step::Paused { rows, code, reason }, message)]
}

/// The job may go on.
#[must_use]
pub fn resumed(job: &Job) -> Vec<Event> {
    let message = format!("Resumed: {} continues on the next free server", the_noun(job));
    vec![Event::log(Level::Info, reached(job), Step::Resumed, message)]
}

/// The job is the next.
#[must_use]
pub fn forced(job: &Job) -> Vec<Event> {
    let was_stuck = job.status == JobStatus::Processing;
    let message = if was_stuck {
        format!("Taken from its server, where {} made no progress", the_noun(job))
    } else {
        "Moved to the front of the queue".to_owned()
    };
    vec![Event::log(Level::Info, reached(job), Step::Forced { was_stuck }, message)]
}

/// The job has another priority.
#[must_use]
pub fn prioritised(job: &Job) -> Vec<Event> {
    let priority = job.priority;
    let message = format!("Priority set to {priority}");
    vec![Event::log(Level::Info, reached(job), Step::PriorityChanged { priority }, message)]
}

/// The job is given back unfinished because its server stops.
#[must_use]
pub fn server_stopping(job: &Job) -> Vec<Event> {
    released(job, ReleaseCause::ServerStopping, "The server stops")
}

/// The same because its server did not reach the database for longer than its lease.
#[must_use]
pub fn lease_lost(job: &Job) -> Vec<Event> {
    released(job, ReleaseCause::LeaseLost, "The server did not reach the database for too long")
}

/// The same because its task panicked.
#[must_use]
pub fn crashed(job: &Job) -> Vec<Event> {
    released(job, ReleaseCause::Crashed, "The server met an internal error")
}

fn released(job: &Job, cause: ReleaseCause, why: &str) -> Vec<Event> {
    let message = format!("{why}; {} continues on the next free server", the_noun(job));
    vec![Event::log(Level::Warning, reached(job), Step::Released { cause }, message)]
}

fn bytes(job: &Job) -> u64 {
    // The table holds no negative size.
    u64::try_from(job.file_size).unwrap_or(0)
}

/// A size as people read it, in steps of 1,000: `12.3 MB`.
fn size(bytes: u64) -> String {
    for (step, unit) in [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")] {
        if bytes >= step {
            return format!("{}.{} {unit}", bytes / step, bytes % step * 10 / step);
        }
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_234), "1.2 kB");
        assert_eq!(size(136_600_000), "136.6 MB");
        assert_eq!(size(2_000_000_000), "2.0 GB");
    }
}
