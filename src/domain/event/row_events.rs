//! Notes about single rows: many of them are one stored event, and each has a number of its own.

use serde::{Deserialize, Serialize};

use super::rows_percentage;

/// What became of a row, or of something that the row brought with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowEventKind {
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
    ReferenceCreated,
    /// From this row on, notes of a kind are only counted.
    #[serde(rename = "…")]
    LimitReached,
}

impl RowEventKind {
    /// True of notes that only those receive who ask for every row.
    #[must_use]
    pub fn is_plain_row(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Unchanged)
    }
}

/// A note about one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, RowEventKind, String)", into = "(u32, RowEventKind, String)")]
pub struct RowEvent {
    /// The row as a spreadsheet shows it.
    pub row_number: u32,
    /// What kind of news.
    pub kind: RowEventKind,
    /// The part of the sentence that differs from row to row: `'Arnica 30C' (SKU: ARN-30)`,
    /// `category: Dilutions`, `SKU is required`, `12` (the row that overtook it).
    pub text: String,
}

impl From<(u32, RowEventKind, String)> for RowEvent {
    fn from((row_number, kind, text): (u32, RowEventKind, String)) -> Self {
        Self { row_number, kind, text }
    }
}

impl From<RowEvent> for (u32, RowEventKind, String) {
    fn from(note: RowEvent) -> Self {
        (note.row_number, note.kind, note.text)
    }
}

impl RowEvent {
    /// The sentence.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { row_number, kind, text } = self;
        match kind {
            RowEventKind::Created => format!("Row {row_number}: Created {text}"),
            RowEventKind::Updated => format!("Row {row_number}: Updated {text}"),
            RowEventKind::Unchanged => format!("Row {row_number}: Unchanged {text}"),
            RowEventKind::Superseded => {
                format!("Row {row_number}: Overtaken by row {text} with the same key")
            }
            RowEventKind::Failed => format!("Row {row_number}: {text}"),
            RowEventKind::ReferenceCreated => format!("Created {text}"),
            RowEventKind::LimitReached => text.clone(),
        }
    }
}

/// Notes about rows of one chunk, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowEventBatch {
    /// Rows of the job that had an outcome before these.
    pub processed: u64,
    /// Rows of the job.
    pub total: u64,
    /// Every row of the chunk has a note, so that each brings the job a bit further.
    pub every_row: bool,
    /// The notes; the n-th has the number `first + n` of the stored event.
    pub notes: Vec<RowEvent>,
}

impl RowEventBatch {
    /// Each note with its number, when the first one had `first`, and the percentage that the job
    /// has reached with it.
    pub fn numbered(&self, first: u64) -> impl Iterator<Item = (u64, &RowEvent, f64)> {
        let (mut processed, mut row) = (self.processed, 0);
        (first..).zip(&self.notes).map(move |(number, note)| {
            if self.ends_row(note, &mut row) {
                processed += 1;
            }
            (number, note, rows_percentage(processed, self.total))
        })
    }

    /// Rows of the job that have an outcome after these.
    #[must_use]
    pub fn processed_after(&self) -> u64 {
        let mut row = 0;
        self.processed
            + self.notes.iter().filter(|note| self.ends_row(note, &mut row)).count() as u64
    }

    /// True of the note that says what became of a row; `row` is the last one it was true of.
    fn ends_row(&self, note: &RowEvent, row: &mut u32) -> bool {
        let is_outcome =
            !matches!(note.kind, RowEventKind::ReferenceCreated | RowEventKind::LimitReached);
        let ends = self.every_row && is_outcome && note.row_number != *row;
        if ends {
            *row = note.row_number;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(row_number: u32, kind: RowEventKind, text: &str) -> RowEvent {
        RowEvent { row_number, kind, text: text.to_owned() }
    }

    #[test]
    fn every_note_is_a_sentence() {
        let texts = [
            note(2, RowEventKind::Created, "'Arnica Montana 30C' (SKU: ARM-30C-10ML)").message(),
            note(2, RowEventKind::ReferenceCreated, "category: Dilutions").message(),
            note(5, RowEventKind::Failed, "SKU is required").message(),
            note(7, RowEventKind::Superseded, "12").message(),
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
            note(2, RowEventKind::ReferenceCreated, "category: Dilutions"),
            note(2, RowEventKind::Created, ""),
            note(3, RowEventKind::Failed, "a"),
            note(3, RowEventKind::Failed, "b"),
        ];
        let rows = RowEventBatch { processed: 0, total: 100, every_row: true, notes };
        let percentages: Vec<f64> = rows.numbered(7).map(|(_, _, it)| it).collect();
        assert_eq!(percentages, [15.0, 15.75, 16.5, 16.5]);
    }
}
