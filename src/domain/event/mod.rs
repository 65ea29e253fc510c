//! What happened to a job, told in numbered events that can be told again.
//!
//! Events get their numbers from `import_log.event_count`, in the transaction that makes them true:
//! without gaps, rising in the order of the commits, whichever server writes. The words of the
//! events about a job's life are in [`story`]; how clients receive them is the HTTP layer's.

pub mod story;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::job::Job;
use super::options::RowEvents;
use super::row_error::RowCode;
use super::status::JobStatus;

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

/// Notes of one stored event at most: what is read, kept in memory and thinned out at a time.
pub const NOTES_PER_EVENT: usize = 1_000;

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

/// What became of a row, or of something that the row brought with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoteKind {
    /// The row's record is new.
    #[serde(rename = "c")]
    Created,
    /// The row's record was changed.
    #[serde(rename = "u")]
    Updated,
    /// The row's record was the same already.
    #[serde(rename = "=")]
    Unchanged,
    /// A later row with the same key was taken instead.
    #[serde(rename = "s")]
    Superseded,
    /// The row failed.
    #[serde(rename = "e")]
    Failed,
    /// The row is the first to name a record of another table, which was created.
    #[serde(rename = "m")]
    Master,
    /// From this row on, notes of a kind are only counted.
    #[serde(rename = "…")]
    NoMore,
}

impl NoteKind {
    /// True of notes that only those receive who ask for every row.
    #[must_use]
    pub fn is_every_row(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Unchanged)
    }
}

/// A note about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, NoteKind, String)", into = "(u32, NoteKind, String)")]
pub struct RowNote {
    /// The row as a spreadsheet shows it.
    pub row_number: u32,
    /// What kind of news.
    pub kind: NoteKind,
    /// The part of the sentence that differs from row to row: `'Arnica 30C' (SKU: ARN-30)`,
    /// `category: Dilutions`, `SKU is required`, `12` (the row that overtook it).
    pub text: String,
}

impl From<(u32, NoteKind, String)> for RowNote {
    fn from((row_number, kind, text): (u32, NoteKind, String)) -> Self {
        Self { row_number, kind, text }
    }
}

impl From<RowNote> for (u32, NoteKind, String) {
    fn from(note: RowNote) -> Self {
        (note.row_number, note.kind, note.text)
    }
}

impl RowNote {
    /// The sentence.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { row_number, kind, text } = self;
        match kind {
            NoteKind::Created => format!("Row {row_number}: Created {text}"),
            NoteKind::Updated => format!("Row {row_number}: Updated {text}"),
            NoteKind::Unchanged => format!("Row {row_number}: Unchanged {text}"),
            NoteKind::Superseded => {
                format!("Row {row_number}: Overtaken by row {text} with the same key")
            }
            NoteKind::Failed => format!("Row {row_number}: {text}"),
            NoteKind::Master => format!("Created {text}"),
            NoteKind::NoMore => text.clone(),
        }
    }
}

/// Notes about rows of one chunk, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowNotes {
    /// Rows of the job that had an outcome before these.
    pub processed: u64,
    /// Rows of the job.
    pub total: u64,
    /// Every row of the chunk has a note, so that each brings the job a bit further.
    pub every_row: bool,
    /// The notes; the n-th has the number `first + n` of the stored event.
    pub notes: Vec<RowNote>,
    /// Once notes were thinned out: which n each of those that are left had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<u32>,
}

impl RowNotes {
    /// Each note with its number, when the first one had `first`, and the percentage that the job
    /// has reached with it.
    pub fn numbered(&self, first: u64) -> impl Iterator<Item = (u64, &RowNote, f64)> {
        let (mut processed, mut row) = (self.processed, 0);
        self.notes.iter().enumerate().map(move |(index, note)| {
            if self.ends_row(note, &mut row) {
                processed += 1;
            }
            let place = self.places.get(index).map_or(index as u64, |place| u64::from(*place));
            (first + place, note, of_rows(processed, self.total))
        })
    }

    /// Leaves out what became of rows one by one; the other notes keep their numbers.
    pub fn drop_plain_rows(&mut self) {
        let (notes, places) = self
            .numbered(0)
            .filter(|(_, note, _)| !note.kind.is_every_row())
            .map(|(place, note, _)| (note.clone(), u32::try_from(place).unwrap_or(u32::MAX)))
            .unzip();
        (self.notes, self.places, self.every_row) = (notes, places, false);
    }

    /// Rows of the job that have an outcome after these.
    #[must_use]
    pub fn processed_after(&self) -> u64 {
        let mut row = 0;
        self.processed
            + self.notes.iter().filter(|note| self.ends_row(note, &mut row)).count() as u64
    }

    /// True of the note that says what became of a row; `row` is the last one it was true of.
    fn ends_row(&self, note: &RowNote, row: &mut u32) -> bool {
        let is_outcome = !matches!(note.kind, NoteKind::Master | NoteKind::NoMore);
        let ends = self.every_row && is_outcome && note.row_number != *row;
        if ends {
            *row = note.row_number;
        }
        ends
    }
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
    Rows(RowNotes),
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
    pub fn word(&self) -> &'static str {
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
pub fn of_rows(processed: u64, total: u64) -> f64 {
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
        Some(total) => of_rows(job.counts.processed(), total),
        // Taken up again: the file was parsed before, and a percentage never goes back.
        None if job.lease_epoch > 1 => PARSED,
        None => RECEIVED,
    }
}

/// True when the job tells what became of every row.
#[must_use]
pub fn tells_every_row(job: &Job) -> bool {
    match job.options.rows {
        RowEvents::All => true,
        RowEvents::None => false,
        RowEvents::Auto => {
            job.row_events || job.total_rows.is_some_and(|total| total <= EVERY_ROW_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(row_number: u32, kind: NoteKind, text: &str) -> RowNote {
        RowNote { row_number, kind, text: text.to_owned() }
    }

    #[test]
    fn rows_take_the_job_from_fifteen_to_ninety_percent() {
        assert!((of_rows(0, 100) - 15.0).abs() < f64::EPSILON);
        assert!((of_rows(1, 100) - 15.75).abs() < f64::EPSILON);
        assert!((of_rows(100, 100) - 90.0).abs() < f64::EPSILON);
        assert!((of_rows(0, 0) - 90.0).abs() < f64::EPSILON);
        assert!((of_rows(u64::MAX, u64::MAX) - 90.0).abs() < f64::EPSILON);
    }

    #[test]
    fn every_note_is_a_sentence() {
        let texts = [
            note(2, NoteKind::Created, "'Arnica Montana 30C' (SKU: ARM-30C-10ML)").message(),
            note(2, NoteKind::Master, "category: Dilutions").message(),
            note(5, NoteKind::Failed, "SKU is required").message(),
            note(7, NoteKind::Superseded, "12").message(),
        ];
        assert_eq!(
            texts,
            [
                "Row 2: Created 'Arnica Montana 30C' (SKU: ARM-30C-10ML)",
                "Created category: Dilutions",
                "Row 5: SKU is required",
                "Row 7: Overtaken by row 12 with the same key",
            ]
        );
    }

    #[test]
    fn each_row_brings_the_job_a_bit_further_however_many_notes_it_has() {
        let notes = vec![
            note(2, NoteKind::Master, "category: Dilutions"),
            note(2, NoteKind::Created, ""),
            note(3, NoteKind::Failed, "a"),
            note(3, NoteKind::Failed, "b"),
        ];
        let mut rows =
            RowNotes { processed: 0, total: 100, every_row: true, notes, places: vec![] };
        let percentages: Vec<f64> = rows.numbered(7).map(|(_, _, it)| it).collect();
        assert_eq!(percentages, [15.0, 15.75, 16.5, 16.5]);
        rows.drop_plain_rows();
        let left: Vec<_> = rows.numbered(7).map(|(number, note, _)| (number, note.kind)).collect();
        let failed = NoteKind::Failed;
        assert_eq!(left, [(7, NoteKind::Master), (9, failed), (10, failed)]);
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let notes = vec![note(2, NoteKind::Unchanged, "'a' (SKU: 1)")];
        let event = Event::Rows(RowNotes {
            processed: 1,
            total: 2,
            every_row: true,
            notes,
            places: vec![],
        });
        let stored = serde_json::to_string(&event).unwrap();
        assert_eq!(
            stored,
            r#"{"type":"rows","processed":1,"total":2,"every_row":true,"notes":[[2,"=","'a' (SKU: 1)"]]}"#
        );
        assert_eq!(serde_json::from_str::<Event>(&stored).unwrap(), event);
    }
}
