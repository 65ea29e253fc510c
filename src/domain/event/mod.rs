//! What happened to a job, told in numbered events that can be told again.
//!
//! Events get their numbers from `import_log.event_count`, in the transaction that makes them true:
//! without gaps, rising in the order of the commits, whichever server writes. The words of the
//! events about a job's life are in [`lifecycle`]; how clients receive them is the HTTP layer's.

pub mod lifecycle;
mod row_events;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::job::Job;
use super::options::RowEventMode;
use super::row_error::RowCode;
use super::status::JobStatus;
pub use row_events::{RowEvent, RowEventBatch, RowEventKind};

/// Percentage once the file is received.
pub const RECEIVED: f64 = 5.0;
/// Percentage once the file can be read as rows.
pub const PARSED: f64 = 10.0;
/// Percentage once the rows are counted and looked through.
pub const FOUND: f64 = 15.0;
/// Percentage once every row has its outcome.
pub const ROWS_DONE: f64 = 90.0;
/// Percentage of a completed job.
pub const DONE: f64 = 100.0;

/// Jobs of up to so many rows tell what became of every row unless they are asked not to.
pub const EVERY_ROW_MAX: u64 = 10_000;

/// Notes of one stored event at most: what is read, held in memory and pruned at a time.
pub const ROW_EVENTS_PER_BATCH: usize = 1_000;

/// How good or bad the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Neither good nor bad.
    Info,
    /// Something was reached.
    Success,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
}

/// The figures that a job ends with, as the older clients know them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Rows of the file, as far as they were counted.
    pub total_rows: u64,
    /// Rows that created a record.
    pub inserted: u64,
    /// Rows whose values are in the table without creating a record: updated, unchanged,
    /// superseded.
    pub updated: u64,
    /// Rows that failed.
    pub skipped: u64,
    /// The first row errors, each with its row.
    pub errors: Vec<String>,
    /// Percentage of the processed rows that did not fail, with one digit after the point.
    pub success_rate: f64,
    /// From the start to the end: `43.2s`.
    pub process_time: String,
    /// The five counts.
    pub counts: Counts,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Event {
    /// A line of the job's log.
    Log {
        /// How good or bad it is.
        level: Level,
        /// The line.
        message: String,
        /// How far the job is.
        #[serde(skip_serializing_if = "Option::is_none")]
        percentage: Option<f64>,
    },
    /// A chunk was committed.
    Progress {
        /// What was.
        message: String,
        /// How far the job is.
        percentage: f64,
        /// Rows that have an outcome.
        current: u64,
        /// Rows of the job.
        total: u64,
    },
    /// The job cannot go on.
    Error {
        /// Why.
        message: String,
    },
    /// What became of rows: as many events as there are notes.
    Rows(RowEventBatch),
    /// The job is over; always the last event.
    Complete {
        /// How it ended.
        status: JobStatus,
        /// The same in a sentence.
        message: String,
        /// How far it came: 100 when it is completed.
        percentage: f64,
        /// The figures.
        results: Box<Results>,
    },
}

impl Event {
    /// The word by which the table knows it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Log { .. } => "log",
            Self::Progress { .. } => "progress",
            Self::Error { .. } => "error",
            Self::Rows(_) => "rows",
            Self::Complete { .. } => "complete",
        }
    }

    /// How many numbers it takes.
    #[must_use]
    pub fn numbers(&self) -> u64 {
        match self {
            Self::Rows(rows) => rows.notes.len() as u64,
            _ => 1,
        }
    }

    /// A line of the log.
    #[must_use]
    pub fn log(level: Level, percentage: f64, message: impl Into<String>) -> Self {
        Self::Log { level, message: message.into(), percentage: Some(percentage) }
    }
}

/// An event with its numbers and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The number of its first note; the same as `number` for everything but rows.
    pub first: u64,
    /// Its number; of rows the number of the last note.
    pub number: u64,
    /// When it became true.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
}

/// Row errors of one kind in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorGroup {
    /// What kind of fault.
    pub code: RowCode,
    /// The column; `None` when the fault is the whole row's.
    pub column: Option<String>,
    /// How many there are.
    pub count: u64,
    /// The first row with one, as far as it is known.
    pub first_row: u32,
    /// What was said of that row.
    pub message: String,
    /// The value that stood there.
    pub value: Option<String>,
}

/// How far a job is that has `processed` of its `total` rows, with two digits after the point.
#[must_use]
pub fn rows_percentage(processed: u64, total: u64) -> f64 {
    if total == 0 {
        return ROWS_DONE;
    }
    // Hundredths of a percent between 15 and 90.
    let steps = u128::from(processed.min(total)) * 7_500 / u128::from(total);
    FOUND + f64::from(u32::try_from(steps).unwrap_or(7_500)) / 100.0
}

/// How far the job is.
#[must_use]
pub fn percentage(job: &Job) -> f64 {
    match job.total_rows {
        _ if job.status == JobStatus::Completed => DONE,
        Some(total) => rows_percentage(job.counts.processed(), total),
        // Taken up again: the file was parsed before, and a percentage never goes back.
        None if job.lease_epoch > 1 => PARSED,
        None => RECEIVED,
    }
}

/// True when the job tells what became of every row.
#[must_use]
pub fn records_every_row(job: &Job) -> bool {
    match job.options.rows {
        RowEventMode::All => true,
        RowEventMode::None => false,
        RowEventMode::Auto => {
            job.row_events || job.total_rows.is_some_and(|total| total <= EVERY_ROW_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_the_job_from_fifteen_to_ninety_percent() {
        assert!((rows_percentage(0, 100) - 15.0).abs() < f64::EPSILON);
        assert!((rows_percentage(1, 100) - 15.75).abs() < f64::EPSILON);
        assert!((rows_percentage(100, 100) - 90.0).abs() < f64::EPSILON);
        assert!((rows_percentage(0, 0) - 90.0).abs() < f64::EPSILON);
        assert!((rows_percentage(u64::MAX, u64::MAX) - 90.0).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let note = RowEvent {
            row_number: 2,
            kind: RowEventKind::Unchanged,
            text: "'a' (SKU: 1)".to_owned(),
        };
        let notes = vec![note];
        let event = Event::Rows(RowEventBatch { processed: 1, total: 2, every_row: true, notes });
        let stored = serde_json::to_string(&event).unwrap();
        assert_eq!(
            stored,
            r#"{"type":"rows","processed":1,"total":2,"every_row":true,"notes":[[2,"=","'a' (SKU: 1)"]]}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event);
    }
}
