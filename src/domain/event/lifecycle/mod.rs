//! The words for the turns of a job's life. Pure: from the job as it stands after the turn to the
//! events that tell it.

mod ending;

use super::{Event, Level, PARSED, ROWS_DONE, percentage};
use crate::domain::detected::{DecimalSeparator, Detected, Format};
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
pub use ending::ended;

/// What the job is called in its lifecycle.
fn noun(job: &Job) -> &'static str {
    if job.rollback_of.is_some() { "Rollback" } else { "Import" }
}

/// The same within a sentence.
fn the_noun(job: &Job) -> &'static str {
    if job.rollback_of.is_some() { "the rollback" } else { "the import" }
}

/// The upload was accepted, or it was asked to take an import back.
#[must_use]
pub fn received(job: &Job) -> Vec<Event> {
    let at = percentage(job);
    if let Some(undone) = job.rollback_of {
        let message = format!("Rollback of job {undone} received: {}", job.file_name);
        return vec![Event::log(Level::Info, at, message)];
    }
    let file = format!("{} ({})", job.file_name, size(job.file_size));
    let from = match (job.retry_of, &job.selection) {
        (None, _) => format!("File received: {file}"),
        (Some(parent), None) => format!("Rows of job {parent} again: all of {file}"),
        (Some(parent), Some(selection)) => {
            format!("Rows of job {parent} again: the {} ones of {file}", selection.as_str())
        }
    };
    let mut events = vec![
        Event::log(Level::Info, at, from),
        Event::log(Level::Info, at, detected(&job.detected)),
    ];
    let left_out: Vec<&str> = unused_headers(&job.detected).collect();
    if !left_out.is_empty() {
        let message = format!("Columns that are not imported: {}", left_out.join(", "));
        events.push(Event::log(Level::Warning, at, message));
    }
    if job.options.dry_run {
        let message = "Dry run: the counts say what would happen, nothing is kept";
        events.push(Event::log(Level::Warning, at, message));
    }
    events
}

/// `Read as CSV: delimiter `;`, encoding utf-8, header in row 1, 22 of 23 columns used`.
fn detected(detected: &Detected) -> String {
    let mut facts = Vec::new();
    if let Some(delimiter) = detected.delimiter {
        let shown = if delimiter == '\t' { "tab".to_owned() } else { format!("`{delimiter}`") };
        facts.push(format!("delimiter {shown}"));
    }
    if let Some(encoding) = &detected.encoding {
        facts.push(format!("encoding {encoding}"));
    }
    if let Some(sheet) = &detected.sheet {
        facts.push(format!("sheet `{sheet}`"));
    }
    if detected.decimal == DecimalSeparator::Comma {
        facts.push("decimal comma".to_owned());
    }
    facts.push(format!("header in row {}", detected.header_row));
    let used = detected.columns.iter().filter(|column| column.is_some()).count();
    facts.push(format!("{used} of {} columns used", detected.header.len()));
    let format = match detected.format {
        Format::Csv => "CSV",
        Format::Xlsx => "XLSX",
        Format::Xlsb => "XLSB",
        Format::Xls => "XLS",
        Format::Ods => "ODS",
    };
    format!("Read as {format}: {}", facts.join(", "))
}

fn unused_headers(detected: &Detected) -> impl Iterator<Item = &str> {
    let cells = detected.header.iter().zip(&detected.columns);
    cells
        .filter(|(header, column)| column.is_none() && !header.trim().is_empty())
        .map(|(header, _)| header.trim())
}

/// A server took the job up.
#[must_use]
pub fn claimed(job: &Job) -> Vec<Event> {
    let message = match (job.lease_epoch, job.counts.processed()) {
        (..=1, _) => format!("{} started", noun(job)),
        (_, 0) => format!("{} taken up again", noun(job)),
        (_, rows) => format!("{} goes on after {rows} rows", noun(job)),
    };
    vec![Event::log(Level::Info, percentage(job), message)]
}

/// The file can be read as rows; they are looked through now.
#[must_use]
pub fn parsed(job: &Job) -> Vec<Event> {
    let message = "Parsing file: looking through all rows";
    vec![Event::log(Level::Info, percentage(job).max(PARSED), message)]
}

/// The rows are counted. Told once, however often a job is taken up.
#[must_use]
pub fn counted(job: &Job) -> Vec<Event> {
    let total = job.total_rows.unwrap_or(0);
    let rows = if total == 1 { "row" } else { "rows" };
    let work = if job.rollback_of.is_some() { "take back" } else { "import" };
    let message = format!("Found {total} {rows} to {work}");
    vec![Event::log(Level::Success, percentage(job), message)]
}

/// Every row has its outcome.
#[must_use]
pub fn rows_done() -> Vec<Event> {
    let message = "All rows have their outcome; checking that the counts add up";
    vec![Event::log(Level::Info, ROWS_DONE, message)]
}

/// How far a job is that was taken up once: it may have been parsed already, and a percentage never
/// goes back.
fn reached(job: &Job) -> f64 {
    let at = percentage(job);
    if job.started_at.is_some() { at.max(PARSED) } else { at }
}

/// The job was set aside: on request, or because there is no room.
#[must_use]
pub fn paused(job: &Job) -> Vec<Event> {
    let message = match &job.error_message {
        Some(reason) => {
            format!("Paused: {reason}; {} goes on when there is room", the_noun(job))
        }
        None => format!("Paused after {} rows", job.counts.processed()),
    };
    vec![Event::log(Level::Warning, reached(job), message)]
}

/// The job may go on.
#[must_use]
pub fn resumed(job: &Job) -> Vec<Event> {
    let message = format!("Resumed: {} goes on as soon as a server has a place", the_noun(job));
    vec![Event::log(Level::Info, reached(job), message)]
}

/// The job goes next.
#[must_use]
pub fn forced(job: &Job) -> Vec<Event> {
    let message = match job.status {
        JobStatus::Processing => {
            format!("Forced: {} was stuck and is taken from its server", the_noun(job))
        }
        _ => format!("Forced: {} goes next", the_noun(job)),
    };
    vec![Event::log(Level::Info, reached(job), message)]
}

/// The job's priority is another.
#[must_use]
pub fn prioritised(job: &Job) -> Vec<Event> {
    let message = format!("Priority is {} now", job.priority);
    vec![Event::log(Level::Info, reached(job), message)]
}

/// The job is given back unfinished because its server stops.
#[must_use]
pub fn server_stopping(job: &Job) -> Vec<Event> {
    goes_on_elsewhere(job, "The server stops")
}

/// The same because its server was out of touch with the database for longer than its lease.
#[must_use]
pub fn lease_lost(job: &Job) -> Vec<Event> {
    goes_on_elsewhere(job, "The server was out of touch with the database for too long")
}

/// The same because something in its server broke.
#[must_use]
pub fn crashed(job: &Job) -> Vec<Event> {
    goes_on_elsewhere(job, "Something broke in the server")
}

fn goes_on_elsewhere(job: &Job, why: &str) -> Vec<Event> {
    let message = format!("{why}; {} goes on when a server takes it up again", the_noun(job));
    vec![Event::log(Level::Warning, reached(job), message)]
}

/// A size as people read it, in steps of 1,000: `12.3 MB`.
fn size(bytes: i64) -> String {
    let bytes = u64::try_from(bytes).unwrap_or(0);
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
