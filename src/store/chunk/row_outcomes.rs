//! What a chunk has to tell about its rows: references created, rows failed or overtaken and, when
//! somebody wants to know, every row. In the order of the file.

use crate::dataset::Plan;
use crate::dataset::model::Dataset;
use crate::domain::chunk::Chunk;
use crate::domain::event::{RecordLabel, Reference, RowEvent, RowEventKind, RowFacts};
use crate::domain::record::Records;
use crate::domain::row_error::shown;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::rows::key_text;

/// How many notes of each kind may be told.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct EventLimits {
    pub(in crate::store) errors: usize,
    pub(in crate::store) superseded: usize,
    pub(in crate::store) references: usize,
    /// The bound is reached in this chunk for the first time.
    pub(in crate::store) send_quota_notice: bool,
}

impl EventLimits {
    /// Everything is told.
    pub(in crate::store) const NONE: Self = Self {
        errors: usize::MAX,
        superseded: usize::MAX,
        references: usize::MAX,
        send_quota_notice: false,
    };
}

/// How the rows of a dataset are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct RowLabels {
    /// The value of a record that people know it by.
    name: Option<usize>,
    /// The values of the key.
    key: Vec<usize>,
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
            !plan.key.contains(value) && column(value).is_some_and(|column| column.name == "name")
        };
        Self {
            name: (0..plan.columns.len()).find(|value| is_name(value)),
            key: plan.key.clone(),
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

    /// Everything that the chunk has to tell.
    pub(in crate::store) fn notes(
        &self,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
        every_row: bool,
        bounds: EventLimits,
    ) -> Vec<RowEvent> {
        let mut notes = Vec::new();
        for created in outcome.references.iter().take(bounds.references) {
            let reference = Reference {
                table: Some(created.table.clone()),
                column: created.column.clone(),
                name: shown(&created.name),
            };
            let row_number = chunk.records.row_number(created.record);
            notes.push(RowEvent { row_number, facts: RowFacts::ReferenceCreated(reference) });
        }
        let errors = outcome.failed.iter().flat_map(|row| &row.errors);
        notes.extend(errors.take(bounds.errors).map(|error| RowEvent {
            row_number: error.row_number,
            facts: RowFacts::Failed(error.into()),
        }));
        notes.extend(chunk.superseded.iter().take(bounds.superseded).map(|row| RowEvent {
            row_number: row.row_number,
            facts: RowFacts::Superseded { by: Some(row.by_row_number) },
        }));
        if bounds.send_quota_notice {
            let row_number = notes.iter().map(|note| note.row_number).max().unwrap_or(0);
            notes.push(RowEvent { row_number, facts: RowFacts::LimitReached });
        }
        if every_row {
            self.add_every_row(chunk, outcome, &mut notes);
        }
        // Stable: a row's references come before the row, as they were created before it.
        notes.sort_by_key(|note| note.row_number);
        notes
    }

    fn add_every_row(&self, chunk: &Chunk, outcome: &ChunkOutcome, notes: &mut Vec<RowEvent>) {
        let mut kinds = vec![RowEventKind::Unchanged; chunk.records.len()];
        for (record, kind) in &outcome.changed {
            if let Some(slot) = kinds.get_mut(*record) {
                *slot = *kind;
            }
        }
        // Both are in the order of the file.
        let mut failed = outcome.failed.iter().map(|row| row.row_number).peekable();
        notes.reserve(kinds.len());
        for (record, kind) in kinds.into_iter().enumerate() {
            let row_number = chunk.records.row_number(record);
            while failed.next_if(|failed| *failed < row_number).is_some() {}
            if failed.peek() != Some(&row_number) {
                let label = self.of(&chunk.records, record);
                notes.push(RowEvent { row_number, facts: RowFacts::of_record(kind, label) });
            }
        }
    }
}
