//! The events of the rows of a chunk: references created, rows failed or superseded and, when a client
//! asks for them, every row. In the order of the file.

use crate::dataset::model::Dataset;
use crate::dataset::{Plan, ValueSource};
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::event::{CreatedReference, RecordLabel, RowEvent, RowEventKind, RowFacts};
use crate::domain::record::Records;
use crate::domain::row_error::shown;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::quota::QuotaUse;
use crate::store::chunk::rows::key_text;

/// By what people know the rows of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct RowLabels {
    /// The value of a record that people know it by.
    name: Option<usize>,
    /// The values of the key.
    key: Vec<usize>,
    /// Where the parts of the key come from.
    key_sources: Vec<ValueSource>,
    /// The title of the key's columns: `SKU`.
    key_title: String,
}

impl RowLabels {
    pub(in crate::store) fn new(dataset: &Dataset, plan: &Plan) -> Self {
        let column =
            |value: &usize| plan.columns.get(*value).and_then(|index| dataset.columns.get(*index));
        let titles: Vec<&str> =
            plan.key.iter().filter_map(column).map(|column| column.title.as_str()).collect();
        let is_name = |value: &usize| {
            !plan.key.contains(value)
                && column(value).is_some_and(|it| it.name == "name" && !it.sensitive)
        };
        Self {
            name: (0..plan.columns.len()).find(|value| is_name(value)),
            key: plan.key.clone(),
            key_sources: plan
                .key
                .iter()
                .filter_map(|value| plan.sources.get(*value))
                .cloned()
                .collect(),
            key_title: titles.join(", "),
        }
    }

    fn of(&self, records: &Records, record: usize) -> RecordLabel {
        let name = self.name.map(|name| key_text(records, record, &[name]));
        RecordLabel::Parts {
            key: shown(&key_text(records, record, &self.key)),
            key_title: self.key_title.clone(),
            name: name.filter(|name| !name.is_empty()).map(|name| shown(&name)),
        }
    }

    /// The key of a failed row as the file has it; `None` when the row does not have all of it.
    pub(in crate::store) fn key_in_file<'a>(&'a self, row: &'a FailedRow) -> Option<String> {
        let part = |source: &'a ValueSource| {
            let text = match source {
                ValueSource::Cell(cell) => row.cells.get(*cell)?.trim(),
                ValueSource::Constant(constant) => constant.text(),
                // No column of a key has a default.
                ValueSource::Default => return None,
            };
            Some(text).filter(|text| !text.is_empty())
        };
        let parts: Option<Vec<&str>> = self.key_sources.iter().map(part).collect();
        parts.filter(|parts| !parts.is_empty()).map(|parts| shown(&parts.join(", ")))
    }

    /// All events of the rows of the chunk.
    pub(in crate::store) fn row_events(
        &self,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
        every_row: bool,
        limits: &QuotaUse,
    ) -> Vec<RowEvent> {
        let mut row_events = Vec::new();
        for created in outcome.references.iter().take(limits.references) {
            let reference = CreatedReference {
                table: Some(created.table.clone()),
                column: created.column.clone(),
                name: shown(&created.name),
            };
            let row_number = chunk.records.row_number(created.record);
            row_events.push(RowEvent { row_number, facts: RowFacts::ReferenceCreated(reference) });
        }
        let errors = outcome.failed.iter().flat_map(|row| &row.errors);
        row_events.extend(errors.take(limits.errors).map(|error| RowEvent {
            row_number: error.row_number,
            facts: RowFacts::Failed(error.into()),
        }));
        row_events.extend(chunk.superseded.iter().take(limits.superseded).map(|row| RowEvent {
            row_number: row.row_number,
            facts: RowFacts::Superseded { by: Some(row.by_row_number) },
        }));
        if limits.sends_notice {
            let row_number =
                row_events.iter().map(|note| note.row_number).max().unwrap_or(RowNumber::NONE);
            row_events.push(RowEvent { row_number, facts: RowFacts::LimitReached });
        }
        if every_row {
            self.add_every_row(chunk, outcome, &mut row_events);
        }
        // Stable: a row's references come before the row, as they were created before it.
        row_events.sort_by_key(|note| note.row_number);
        row_events
    }

    fn add_every_row(&self, chunk: &Chunk, outcome: &ChunkOutcome, row_events: &mut Vec<RowEvent>) {
        let mut kinds = vec![RowEventKind::Unchanged; chunk.records.len()];
        for (record, kind) in &outcome.changed {
            if let Some(slot) = kinds.get_mut(*record) {
                *slot = *kind;
            }
        }
        // Both are in the order of the file.
        let mut failed = outcome.failed.iter().map(|row| row.row_number).peekable();
        row_events.reserve(kinds.len());
        for (record, kind) in kinds.into_iter().enumerate() {
            let row_number = chunk.records.row_number(record);
            while failed.next_if(|failed| *failed < row_number).is_some() {}
            if failed.peek() != Some(&row_number) {
                let label = self.of(&chunk.records, record);
                row_events.push(RowEvent { row_number, facts: RowFacts::of_record(kind, label) });
            }
        }
    }
}
