//! Events of single rows: many of them are one stored event, and each has a number of its own.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rows_percentage;
use crate::domain::row_error::{RowCode, RowError};
use crate::domain::row_number::RowNumber;

/// The outcome of a row, or something that the row brought with it.
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
    /// A later row with the same key was written instead.
    #[serde(rename = "s")]
    Superseded,
    /// The row failed.
    #[serde(rename = "e")]
    Failed,
    /// The row is the first to name a record of another table, which was created.
    #[serde(rename = "m")]
    ReferenceCreated,
    /// From this row on, some events of rows are only counted.
    #[serde(rename = "…")]
    LimitReached,
}

impl RowEventKind {
    /// True of events that only those receive who ask for every row.
    #[must_use]
    pub fn is_plain_row(self) -> bool {
        matches!(self, Self::Created | Self::Updated | Self::Unchanged)
    }

    /// The word for the outcome of a row; `None` when it is none.
    #[must_use]
    pub fn outcome(self) -> Option<&'static str> {
        Some(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::ReferenceCreated | Self::LimitReached => return None,
        })
    }
}

/// An event of one row. Stored as a list: the row, the kind, then texts that depend on the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowEvent {
    /// The row as a spreadsheet shows it.
    pub row_number: RowNumber,
    /// What happened.
    pub facts: RowFacts,
}

/// What happened to a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFacts {
    /// The row's record is new.
    Created(RecordLabel),
    /// The row's record was changed.
    Updated(RecordLabel),
    /// The row's record was the same already.
    Unchanged(RecordLabel),
    /// A later row with the same key was written instead.
    Superseded {
        /// The later row; `None` when what was stored is no number.
        by: Option<RowNumber>,
    },
    /// The row failed.
    Failed(RowFailure),
    /// The row is the first to name this record, which was created.
    ReferenceCreated(CreatedReference),
    /// From this row on, failed rows, superseded rows and new references are only counted.
    LimitReached,
}

impl RowFacts {
    /// What happened to the record of a row that did not fail and was not superseded.
    ///
    /// # Panics
    /// With a kind that is no outcome of a record.
    #[must_use]
    pub fn of_record(kind: RowEventKind, label: RecordLabel) -> Self {
        match kind {
            RowEventKind::Created => Self::Created(label),
            RowEventKind::Updated => Self::Updated(label),
            other => {
                assert!(other == RowEventKind::Unchanged, "{other:?} is no outcome of a record");
                Self::Unchanged(label)
            }
        }
    }
}

/// How people know a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordLabel {
    /// By its key and its name.
    Parts {
        /// The values of the key.
        key: String,
        /// The titles of the key's columns: `SKU`.
        key_title: String,
        /// The name, where records have one.
        name: Option<String>,
    },
    /// As a text: events that were stored before there were parts.
    Text(String),
}

impl fmt::Display for RecordLabel {
    /// `'Arnica Montana 30C' (SKU: ARM-30C-10ML)`, or `SKU: ARM-30C-10ML` without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts { key, key_title, name: Some(name) } => {
                write!(f, "'{name}' ({key_title}: {key})")
            }
            Self::Parts { key, key_title, name: None } => write!(f, "{key_title}: {key}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A record of another table that a row brought with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CreatedReference {
    /// The table; `None` of events that were stored without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The dataset's column that names the record: `category`.
    pub column: String,
    /// The record's name.
    pub name: String,
}

/// Why a row failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFailure {
    /// The reason in a sentence, with its column.
    pub message: String,
    /// The kind of fault; `None` of events that were stored without.
    pub code: Option<RowCode>,
    /// The column; `None` when the fault is the whole row's.
    pub column: Option<String>,
    /// The value.
    pub value: Option<String>,
}

impl From<&RowError> for RowFailure {
    fn from(error: &RowError) -> Self {
        Self {
            message: error.sentence(),
            code: Some(error.code),
            column: error.column.clone(),
            value: error.value.clone(),
        }
    }
}

impl RowEvent {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> RowEventKind {
        match self.facts {
            RowFacts::Created(_) => RowEventKind::Created,
            RowFacts::Updated(_) => RowEventKind::Updated,
            RowFacts::Unchanged(_) => RowEventKind::Unchanged,
            RowFacts::Superseded { .. } => RowEventKind::Superseded,
            RowFacts::Failed(_) => RowEventKind::Failed,
            RowFacts::ReferenceCreated(_) => RowEventKind::ReferenceCreated,
            RowFacts::LimitReached => RowEventKind::LimitReached,
        }
    }

    /// The sentence.
    #[must_use]
    pub fn message(&self) -> String {
        let row = self.row_number;
        match &self.facts {
            RowFacts::Created(record) => format!("Row {row}: Created {record}"),
            RowFacts::Updated(record) => format!("Row {row}: Updated {record}"),
            RowFacts::Unchanged(record) => format!("Row {row}: Unchanged {record}"),
            RowFacts::Superseded { by: Some(by) } => {
                format!("Row {row}: Superseded by row {by} with the same key")
            }
            RowFacts::Superseded { by: None } => {
                format!("Row {row}: Superseded by a later row with the same key")
            }
            RowFacts::Failed(fault) => format!("Row {row}: {}", fault.message),
            RowFacts::ReferenceCreated(it) => format!("Created {}: {}", it.column, it.name),
            RowFacts::LimitReached => {
                "From here on failed rows, superseded rows and new references \
                                       are only counted; the list of failed rows has them all"
                    .to_owned()
            }
        }
    }

    /// The texts that are stored behind row and kind.
    fn parts(&self) -> Vec<Option<&str>> {
        match &self.facts {
            RowFacts::Created(record) | RowFacts::Updated(record) | RowFacts::Unchanged(record) => {
                match record {
                    RecordLabel::Parts { key, key_title, name } => {
                        vec![Some(key), Some(key_title), name.as_deref()]
                    }
                    RecordLabel::Text(text) => vec![Some(text)],
                }
            }
            RowFacts::Failed(fault) => match fault.code {
                Some(code) => vec![
                    Some(&fault.message),
                    Some(code.as_str()),
                    fault.column.as_deref(),
                    fault.value.as_deref(),
                ],
                None => vec![Some(&fault.message)],
            },
            RowFacts::ReferenceCreated(it) => {
                vec![Some(&it.column), Some(&it.name), it.table.as_deref()]
            }
            RowFacts::Superseded { .. } | RowFacts::LimitReached => Vec::new(),
        }
    }
}

impl Serialize for RowEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element(&self.row_number)?;
        list.serialize_element(&self.kind())?;
        if let RowFacts::Superseded { by: Some(by) } = self.facts {
            list.serialize_element(&by.to_string())?;
        }
        for part in self.parts() {
            list.serialize_element(&part)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for RowEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowEventVisitor)
    }
}

struct RowEventVisitor;

impl<'de> Visitor<'de> for RowEventVisitor {
    type Value = RowEvent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a row number, a kind and texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RowEvent, A::Error> {
        let missing = |what| serde::de::Error::missing_field(what);
        let row_number = list.next_element()?.ok_or_else(|| missing("row number"))?;
        let kind = list.next_element()?.ok_or_else(|| missing("kind"))?;
        let mut parts: [Option<String>; 4] = Default::default();
        let mut count = 0;
        while let Some(text) = list.next_element()? {
            if let Some(part) = parts.get_mut(count) {
                *part = text;
            }
            count += 1;
        }
        Ok(RowEvent { row_number, facts: facts(kind, parts, count) })
    }
}

/// The facts of a stored event. Events that were stored before there were parts have one text.
fn facts(kind: RowEventKind, parts: [Option<String>; 4], count: usize) -> RowFacts {
    let [first, second, third, fourth] = parts;
    let first = first.unwrap_or_default();
    let label = |key: String| match second.clone() {
        Some(key_title) if count > 1 => RecordLabel::Parts { key, key_title, name: third.clone() },
        _ => RecordLabel::Text(key),
    };
    match kind {
        RowEventKind::Created => RowFacts::Created(label(first)),
        RowEventKind::Updated => RowFacts::Updated(label(first)),
        RowEventKind::Unchanged => RowFacts::Unchanged(label(first)),
        RowEventKind::Superseded => RowFacts::Superseded { by: first.parse().ok() },
        RowEventKind::Failed => RowFacts::Failed(RowFailure {
            message: first,
            code: second.as_deref().and_then(RowCode::parse),
            column: third,
            value: fourth,
        }),
        RowEventKind::ReferenceCreated => {
            RowFacts::ReferenceCreated(reference(first, second, third))
        }
        RowEventKind::LimitReached => RowFacts::LimitReached,
    }
}

/// A reference; one that was stored as a text is a column and a name with a colon between them.
fn reference(first: String, name: Option<String>, table: Option<String>) -> CreatedReference {
    match (name, first.split_once(": ")) {
        (Some(name), _) => CreatedReference { table, column: first, name },
        (None, Some((column, name))) => {
            CreatedReference { table: None, column: column.to_owned(), name: name.to_owned() }
        }
        (None, None) => CreatedReference { table: None, column: String::new(), name: first },
    }
}

/// Events of rows of one chunk, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowEventBatch {
    /// Rows of the job that had an outcome before these.
    pub processed: u64,
    /// Rows of the job.
    pub total: u64,
    /// Every row of the chunk has an event, so that each brings the job a bit further.
    pub every_row: bool,
    /// The events; the n-th has the number `first + n` of the stored event.
    pub notes: Vec<RowEvent>,
}

impl RowEventBatch {
    /// Each event with its number, when the first one had `first`, and the percentage that the job
    /// has reached with it.
    pub fn numbered(&self, first: u64) -> impl Iterator<Item = (u64, &RowEvent, f64)> {
        let (mut processed, mut row) = (self.processed, RowNumber::NONE);
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
        let mut row = RowNumber::NONE;
        self.processed
            + self.notes.iter().filter(|note| self.ends_row(note, &mut row)).count() as u64
    }

    /// True of the event that has the outcome of a row; `row` is the last one it was true of.
    fn ends_row(&self, note: &RowEvent, row: &mut RowNumber) -> bool {
        let ends = self.every_row && note.kind().outcome().is_some() && note.row_number != *row;
        if ends {
            *row = note.row_number;
        }
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stored: &str) -> RowEvent {
        serde_json::from_str(stored).unwrap()
    }

    #[test]
    fn every_row_event_is_stored_with_its_parts_and_read_back() {
        let events = [
            (
                r#"[2,"c","ARM-30C-10ML","SKU","Arnica Montana 30C"]"#,
                "Row 2: Created 'Arnica Montana 30C' (SKU: ARM-30C-10ML)",
            ),
            (r#"[3,"=","7","SKU",null]"#, "Row 3: Unchanged SKU: 7"),
            (r#"[2,"m","category","Dilutions","categories"]"#, "Created category: Dilutions"),
            (r#"[5,"e","SKU is required","required","sku",null]"#, "Row 5: SKU is required"),
            (r#"[7,"s","12"]"#, "Row 7: Superseded by row 12 with the same key"),
        ];
        for (stored, message) in events {
            assert_eq!(read(stored).message(), message);
            assert_eq!(serde_json::to_string(&read(stored)).unwrap(), stored);
        }
    }

    #[test]
    fn row_events_that_were_stored_as_texts_are_read() {
        let events = [
            (r#"[2,"u","'Arnica' (SKU: ARN)"]"#, "Row 2: Updated 'Arnica' (SKU: ARN)"),
            (r#"[2,"m","category: Dilutions"]"#, "Created category: Dilutions"),
            (r#"[5,"e","SKU is required"]"#, "Row 5: SKU is required"),
        ];
        for (stored, message) in events {
            assert_eq!(read(stored).message(), message);
        }
        let RowFacts::ReferenceCreated(reference) = read(events[1].0).facts else { panic!() };
        assert_eq!((reference.column.as_str(), reference.name.as_str()), ("category", "Dilutions"));
        let RowFacts::Failed(fault) = read(events[2].0).facts else { panic!() };
        assert_eq!(fault.code, None);
    }

    #[test]
    fn each_row_brings_the_job_a_bit_further_however_many_events_it_has() {
        let notes = [
            r#"[2,"m","category: Dilutions"]"#,
            r#"[2,"c","1","SKU",null]"#,
            r#"[3,"e","a"]"#,
            r#"[3,"e","b"]"#,
        ];
        let notes = notes.map(read).to_vec();
        let rows = RowEventBatch { processed: 0, total: 100, every_row: true, notes };
        let percentages: Vec<f64> = rows.numbered(7).map(|(_, _, it)| it).collect();
        assert_eq!(percentages, [15.0, 15.75, 16.5, 16.5]);
    }
}
