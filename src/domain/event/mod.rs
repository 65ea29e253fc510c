//! What happened to a job, as numbered events that can be replayed.
//!
//! Events get their numbers from `import_log.event_count`, in the transaction that makes them true:
//! without gaps, rising in the order of the commits, whichever server writes. Each event carries
//! its facts as typed members beside its sentence; programs read the members, people the sentence.
//! [`lifecycle`] makes the events of a job's turns; how clients receive them is the HTTP layer's.

pub mod lifecycle;
mod notice;
mod row_events;
mod step;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::job::Job;
use super::options::RowEventMode;
use super::row_error::RowCode;
use super::status::JobStatus;
use crate::domain::row_number::RowNumber;
pub use notice::Notice;
pub use row_events::{
    CreatedReference, RecordLabel, RowEvent, RowEventBatch, RowEventKind, RowFacts, RowFailure,
};
pub use step::{ErrorSummary, ReleaseCause, Step};

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

/// Jobs of up to so many rows record the outcome of every row unless the upload asks otherwise.
pub const EVERY_ROW_MAX: u64 = 10_000;

/// Row events of one stored event at most: what is read, kept in memory and pruned at a time.
pub const ROW_EVENTS_PER_BATCH: usize = 1_000;

/// How good or bad the news is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EventLevel)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = EventResults)]
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
    /// A step of the job.
    Log {
        /// How good or bad it is.
        level: Level,
        /// The step in a sentence.
        message: String,
        /// How far the job is.
        #[serde(skip_serializing_if = "Option::is_none")]
        percentage: Option<f64>,
        /// The step in members; `None` of events that were stored without.
        #[serde(flatten)]
        step: Option<Step>,
    },
    /// A chunk was committed.
    Progress {
        /// The same in a sentence.
        message: String,
        /// How far the job is.
        percentage: f64,
        /// Rows that have an outcome.
        current: u64,
        /// Rows of the job.
        total: u64,
        /// The chunk's first row as a spreadsheet shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_row: Option<RowNumber>,
        /// The chunk's last row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_row: Option<RowNumber>,
    },
    /// The job cannot go on.
    Error {
        /// Why, in a sentence.
        message: String,
        /// Why, as a code of the table of error codes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Events of rows: as many numbers as there are rows in the batch.
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

    /// A step of the job.
    #[must_use]
    pub fn log(level: Level, percentage: f64, step: Step, message: impl Into<String>) -> Self {
        let (message, percentage, step) = (message.into(), Some(percentage), Some(step));
        Self::Log { level, message, percentage, step }
    }

    /// A committed chunk of the rows `first_row` to `last_row`, after which `current` of the `total`
    /// rows have an outcome.
    #[must_use]
    pub fn progress(
        is_rollback: bool,
        current: u64,
        total: u64,
        (first_row, last_row): (RowNumber, RowNumber),
    ) -> Self {
        let done = if is_rollback { "rolled back" } else { "written" };
        Self::Progress {
            message: format!("{current} of {total} rows {done}"),
            percentage: rows_percentage(current, total),
            current,
            total,
            first_row: Some(first_row),
            last_row: Some(last_row),
        }
    }
}

/// An event with its numbers and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The number of its first row's event; the same as `number` for everything but rows.
    pub first: u64,
    /// Its number; of rows the number of the last one.
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
    pub first_row: RowNumber,
    /// The message of that row's error.
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

/// How far a download is, with one digit after the point: it ends where an upload begins.
fn downloaded_percentage(job: &Job) -> f64 {
    let progress = job.download.as_ref().map(|download| &download.progress);
    let tenths = progress.and_then(|it| {
        let tenths = it.received_bytes.saturating_mul(50).checked_div(it.total_bytes?)?;
        u32::try_from(tenths.min(50)).ok()
    });
    f64::from(tenths.unwrap_or(0)) / 10.0
}

/// How far the job is.
#[must_use]
pub fn percentage(job: &Job) -> f64 {
    match job.total_rows {
        _ if job.status == JobStatus::Completed => DONE,
        Some(total) => rows_percentage(job.counts.processed(), total),
        None if job.awaits_file() => downloaded_percentage(job),
        None if job.download.is_some() => PARSED,
        // Taken up again: the file was parsed before, and a percentage never goes back.
        None if job.lease_epoch > 1 => PARSED,
        None => RECEIVED,
    }
}

/// True when the job records the outcome of every row.
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
    fn stored_events_are_read_back() {
        let label = RecordLabel::Parts {
            key: "1".to_owned(),
            key_title: "SKU".to_owned(),
            name: Some("a".to_owned()),
        };
        let event = Event::Rows(RowEventBatch {
            processed: 1,
            total: 2,
            every_row: true,
            notes: vec![RowEvent {
                row_number: RowNumber::new(2),
                facts: RowFacts::Unchanged(label),
            }],
        });
        let stored = serde_json::to_string(&event).unwrap();
        assert_eq!(
            stored,
            r#"{"type":"rows","processed":1,"total":2,"every_row":true,"notes":[[2,"=","1","SKU","a"]]}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event);
        for step in [Step::Resumed, Step::Counted { total: 3 }] {
            let event = Event::log(Level::Info, 15.0, step, "x");
            let stored = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event, "{stored}");
        }
    }

    #[test]
    fn events_that_were_stored_without_members_are_read() {
        let log = r#"{"type":"log","level":"info","message":"Import started","percentage":5.0}"#;
        let Event::Log { message, step, .. } = serde_json::from_str(log).unwrap() else {
            panic!("{log}");
        };
        assert_eq!((message.as_str(), step), ("Import started", None));
        let progress =
            r#"{"type":"progress","message":"x","percentage":15.0,"current":1,"total":9}"#;
        assert!(matches!(
            serde_json::from_str(progress).unwrap(),
            Event::Progress { first_row: None, current: 1, .. }
        ));
        let error = r#"{"type":"error","message":"x"}"#;
        assert!(matches!(serde_json::from_str(error).unwrap(), Event::Error { code: None, .. }));
    }
}
