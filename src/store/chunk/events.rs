//! The events of a chunk, which get the next numbers of the job, and its row errors by code and
//! column. They are made from the outcomes of its rows and stored behind the fence.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{import_error_group, import_event};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait, IdenStatic, QueryTrait, Statement};

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::event::{
    Event, ROW_EVENTS_PER_BATCH, RowEvent, RowEventBatch, RowEventKind, lifecycle,
};
use crate::domain::job::Job;
use crate::domain::row_error::RowError;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::quota::QuotaUse;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::writer::WriterSettings;
use crate::store::events::numbered;
use crate::store::log::job_row::unsigned;

/// The events of a chunk and its row errors in groups.
#[derive(Debug)]
pub(in crate::store) struct ChunkEvents {
    /// Of its rows.
    row_events: Vec<RowEvent>,
    /// Row errors by code and column.
    groups: Vec<import_error_group::ActiveModel>,
    /// Rows of the chunk.
    rows: u64,
    /// The chunk removed records that the file does not have.
    is_removal: bool,
}

impl ChunkEvents {
    pub(in crate::store) fn new(
        settings: &WriterSettings,
        labels: &RowLabels,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
        taken: &QuotaUse,
    ) -> Self {
        let every_row = settings.every_row;
        let limits = if every_row { &QuotaUse::UNLIMITED } else { taken };
        Self {
            row_events: labels.row_events(chunk, outcome, every_row, limits),
            groups: groups(&settings.job, &outcome.failed),
            rows: outcome.counts.processed(),
            is_removal: outcome.counts.absent > 0,
        }
    }

    /// Numbers that its events take; the last one is the chunk's own.
    pub(in crate::store) fn numbers(&self) -> u64 {
        self.row_events.len() as u64 + 1
    }

    /// What is stored behind the fence: the chunk's events, and its row errors by code and column.
    pub(in crate::store) fn after_fence(
        &mut self,
        backend: DbBackend,
        at: DateTime<Utc>,
        rows: (RowNumber, RowNumber),
        fenced: &FencedJob,
        settings: &WriterSettings,
    ) -> Vec<Statement> {
        let (processed, last_number) =
            (unsigned(fenced.processed_rows), unsigned(fenced.event_count));
        assert!(last_number >= self.numbers(), "the fence counts the events of its chunk");
        assert!(processed >= self.rows, "the fence counts the rows of its chunk");
        let total = settings.job.total_rows.unwrap_or(processed);
        let before = last_number - self.numbers();
        let row_events = std::mem::take(&mut self.row_events);
        let start = processed - self.rows;
        let mut events = row_events_of(row_events, start, total, settings.every_row);
        let is_rollback = settings.job.rollback_of.is_some();
        events.push(if self.is_removal {
            lifecycle::removed(processed, total, unsigned(fenced.removed_count))
        } else {
            Event::progress(is_rollback, processed, total, rows)
        });
        let rows = numbered(settings.job.id, before, at, &events);
        let mut statements = vec![import_event::Entity::insert_many(rows).build(backend)];
        if !self.groups.is_empty() {
            statements.push(add_groups(backend, std::mem::take(&mut self.groups)));
        }
        statements
    }
}

/// The row events in batches of a size that can be read, held in memory and pruned at a time. `start`
/// rows had an outcome before.
fn row_events_of(row_events: Vec<RowEvent>, start: u64, total: u64, every_row: bool) -> Vec<Event> {
    let (mut events, mut row_events) = (Vec::new(), row_events.into_iter().peekable());
    let mut processed = start;
    while row_events.peek().is_some() {
        let part: Vec<RowEvent> = row_events.by_ref().take(ROW_EVENTS_PER_BATCH).collect();
        let rows = RowEventBatch { processed, total, every_row, notes: part };
        processed = rows.processed_after();
        let is_split = rows.notes.last().zip(row_events.peek()).is_some_and(|(last, next)| {
            last.row_number == next.row_number && last.kind() == RowEventKind::Failed
        });
        if is_split && every_row {
            // The next part counts the row once more.
            processed -= 1;
        }
        events.push(Event::Rows(rows));
    }
    events
}

/// The row errors of a chunk by code and column, each with its first row.
fn groups(job: &Job, failed: &[FailedRow]) -> Vec<import_error_group::ActiveModel> {
    let mut groups: BTreeMap<(&str, &str), (i64, &RowError)> = BTreeMap::new();
    for error in failed.iter().flat_map(|row| &row.errors) {
        let key = (error.code.as_str(), error.column.as_deref().unwrap_or_default());
        groups.entry(key).or_insert((0, error)).0 += 1;
    }
    let group = |((code, column), (count, first)): ((&str, &str), (i64, &RowError))| {
        import_error_group::ActiveModel {
            import_log_id: Set(job.id),
            code: Set(code.to_owned()),
            column_name: Set(column.to_owned()),
            count: Set(count),
            first_row: Set(i64::from(first.row_number)),
            message: Set(first.message.clone()),
            value: Set(first.value.clone()),
        }
    };
    groups.into_iter().map(group).collect()
}

/// Adds groups to those of the chunks before.
fn add_groups(backend: DbBackend, groups: Vec<import_error_group::ActiveModel>) -> Statement {
    use import_error_group::Column as C;
    let mut add = OnConflict::columns([C::ImportLogId, C::Code, C::ColumnName]);
    add.value(C::Count, Expr::cust("import_error_groups.error_count + excluded.error_count"));
    // Two writers commit their chunks in any order.
    for column in [C::Message, C::Value, C::FirstRow] {
        let name = column.as_str();
        let earlier = format!(
            "CASE WHEN excluded.first_row < import_error_groups.first_row \
             THEN excluded.{name} ELSE import_error_groups.{name} END"
        );
        add.value(column, Expr::cust(earlier));
    }
    import_error_group::Entity::insert_many(groups).on_conflict(add).build(backend)
}
