//! The events of a chunk, which get the next numbers of the job, and its row errors by code and
//! column. They are made from the outcomes of its rows and stored behind the fence.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use entity::{import_error_group, import_event};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait, IdenStatic, QueryTrait, Statement};

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::event::{Event, ROW_EVENTS_PER_BATCH, RowEvent, RowEventBatch, RowEventKind};
use crate::domain::job::Job;
use crate::domain::row_error::RowError;
use crate::store::chunk::fence::FencedJob;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::row_outcomes::{EventLimits, RowLabels};
use crate::store::chunk::writer::{EventQuota, WriterSettings};
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
    pub(in crate::store) taken: QuotaUse,
}

/// What this chunk took of the quota of its job.
#[derive(Debug, Default)]
pub(in crate::store) struct QuotaUse {
    pub(in crate::store) errors: u64,
    pub(in crate::store) superseded: u64,
    references: u64,
    send_quota_notice: bool,
}

/// What the events of rows are made with.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct EventWriter<'a> {
    pub(in crate::store) names: &'a RowLabels,
    pub(in crate::store) left: &'a EventQuota,
    pub(in crate::store) every_row: bool,
}

impl ChunkEvents {
    pub(in crate::store) fn new(
        job: &Job,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
        writer: &EventWriter<'_>,
    ) -> Self {
        let taken = QuotaUse::new(writer.left, chunk, outcome);
        let bounds = if writer.every_row { EventLimits::NONE } else { taken.bounds() };
        Self {
            row_events: writer.names.row_events(chunk, outcome, writer.every_row, bounds),
            groups: groups(job, &outcome.failed),
            rows: outcome.counts.processed(),
            taken,
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
        chunk: &Chunk,
        fenced: FencedJob,
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
        let rows = (chunk.first_row, chunk.last_row);
        events.push(Event::progress(is_rollback, processed, total, rows));
        let rows = numbered(settings.job.id, before, at, &events);
        let mut statements = vec![import_event::Entity::insert_many(rows).build(backend)];
        if !self.groups.is_empty() {
            statements.push(add_groups(backend, std::mem::take(&mut self.groups)));
        }
        statements
    }

    /// Returns what the chunk took of the quota: its transaction was rolled back.
    pub(in crate::store) fn return_quota(&self, left: &EventQuota) {
        left.errors.fetch_add(self.taken.errors, Ordering::Relaxed);
        left.superseded.fetch_add(self.taken.superseded, Ordering::Relaxed);
        left.references.fetch_add(self.taken.references, Ordering::Relaxed);
        if self.taken.send_quota_notice {
            left.quota_notice_sent.store(false, Ordering::Relaxed);
        }
    }
}

impl QuotaUse {
    fn new(left: &EventQuota, chunk: &Chunk, outcome: &ChunkOutcome) -> Self {
        let errors: u64 = outcome.failed.iter().map(|row| row.errors.len() as u64).sum();
        let superseded = chunk.superseded.len() as u64;
        let references = outcome.references.len() as u64;
        let mut taken = Self {
            errors: take(&left.errors, errors),
            superseded: take(&left.superseded, superseded),
            references: take(&left.references, references),
            send_quota_notice: false,
        };
        let all_taken = taken.errors == errors
            && taken.superseded == superseded
            && taken.references == references;
        taken.send_quota_notice =
            !all_taken && !left.quota_notice_sent.swap(true, Ordering::Relaxed);
        taken
    }

    fn bounds(&self) -> EventLimits {
        let bound = |taken: u64| usize::try_from(taken).unwrap_or(usize::MAX);
        EventLimits {
            errors: bound(self.errors),
            superseded: bound(self.superseded),
            references: bound(self.references),
            send_quota_notice: self.send_quota_notice,
        }
    }
}

fn take(left: &AtomicU64, wanted: u64) -> u64 {
    let mut taken = 0;
    let take = |left: u64| {
        taken = Ord::min(left, wanted);
        Some(left - taken)
    };
    // The closure always answers; the previous value is of no interest.
    let _previous = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
    taken
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
