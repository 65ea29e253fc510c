//! Loadbay's own rows about a chunk: its proof, its counts, its row errors. Built once with sea-orm
//! and run by each writer inside the chunk's transaction.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use entity::{
    import_chunk, import_error, import_error_group, import_event, import_log, import_superseded,
};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, DbBackend, EntityTrait, IdenStatic, QueryFilter, QueryTrait, Statement,
};

use super::events::numbered;
use super::notes::{Bounds, NewReference, RowNames};
use super::queue::ours;
use super::stored::signed;
use super::writer::{NotesLeft, WriterSettings};
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::counts::Counts;
use crate::domain::event::{Event, NOTES_PER_EVENT, NoteKind, RowNote, RowNotes, of_rows};
use crate::domain::job::Job;
use crate::domain::row_error::RowError;

/// Rows of one INSERT: well under the bind limit of both databases.
const ROWS_PER_INSERT: usize = 500;

/// The statements that close a chunk, in order. Each of `notes` may touch any number of rows,
/// `proof` and `fence` exactly one: a proof that is there already means that the chunk was
/// committed, a fence that touches nothing means that the job is no longer ours.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) notes: Vec<Statement>,
    pub(super) proof: Statement,
    /// Returns what [`Fenced`] holds.
    pub(super) fence: Statement,
    /// What is told about the rows.
    told: Vec<RowNote>,
    /// Row errors by code and column.
    groups: Vec<import_error_group::ActiveModel>,
    taken: Taken,
}

/// What this chunk took of the room that is left for notes.
#[derive(Debug, Default)]
struct Taken {
    errors: u64,
    superseded: u64,
    references: u64,
    say_no_more: bool,
}

/// The job as the fence left it: its row stays locked until the commit, so that the events which
/// follow have the next numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fenced {
    /// The number of the chunk's last event.
    pub(super) event_count: u64,
    /// Rows of the job with an outcome, this chunk's included.
    pub(super) processed: u64,
    /// Somebody wants to know what becomes of every row.
    pub(super) row_events: bool,
}

impl Account {
    pub(super) fn new(
        backend: DbBackend,
        now: &Expr,
        job: &Job,
        chunk: &Chunk,
        outcome: &Outcome,
        teller: &Teller<'_>,
    ) -> Self {
        let left = teller.left;
        let taken = Taken::new(left, chunk, outcome);
        let bounds = if teller.every_row { Bounds::NONE } else { taken.bounds() };
        let told = teller.names.notes(chunk, outcome, teller.every_row, bounds);
        // The last number is the chunk's own event.
        let numbers = told.len() as u64 + 1;
        let mut account = Self {
            notes: Vec::new(),
            proof: proof(backend, job, chunk, &outcome.counts),
            fence: fence(backend, now, job, &outcome.counts, numbers),
            told,
            groups: groups(job, &outcome.failed),
            taken,
        };
        account.add_errors(backend, job, &outcome.failed);
        account.add_superseded(backend, job, chunk);
        account
    }

    /// What is stored behind the fence: the chunk's events, and its row errors by code and column.
    pub(super) fn behind_the_fence(
        &mut self,
        backend: DbBackend,
        at: DateTime<Utc>,
        chunk: &Chunk,
        fenced: Fenced,
        settings: &WriterSettings,
    ) -> Vec<Statement> {
        let total = settings.job.total_rows.unwrap_or(fenced.processed);
        let told = std::mem::take(&mut self.told);
        let before = fenced.event_count.saturating_sub(told.len() as u64 + 1);
        let start = fenced.processed.saturating_sub(chunk.rows() as u64);
        let mut events = rows_told(told, start, total, settings.every_row);
        events.push(Event::Progress {
            message: format!("Rows {} to {} are in the table", chunk.first_row, chunk.last_row),
            percentage: of_rows(fenced.processed, total),
            current: fenced.processed,
            total,
        });
        let rows = numbered(settings.job.id, before, at, &events);
        let mut statements = vec![import_event::Entity::insert_many(rows).build(backend)];
        if !self.groups.is_empty() {
            statements.push(add_groups(backend, std::mem::take(&mut self.groups)));
        }
        statements
    }

    /// Gives the room for notes back: the transaction was rolled back.
    pub(super) fn undo(&self, left: &NotesLeft) {
        left.errors.fetch_add(self.taken.errors, Ordering::Relaxed);
        left.superseded.fetch_add(self.taken.superseded, Ordering::Relaxed);
        left.references.fetch_add(self.taken.references, Ordering::Relaxed);
        if self.taken.say_no_more {
            left.said_no_more.store(false, Ordering::Relaxed);
        }
    }

    fn add_errors(&mut self, backend: DbBackend, job: &Job, failed: &[FailedRow]) {
        let rows: Vec<_> = failed
            .iter()
            .flat_map(|row| &row.errors)
            .take(usize::try_from(self.taken.errors).unwrap_or(usize::MAX))
            .map(|error| import_error::ActiveModel {
                import_log_id: Set(job.id),
                row_number: Set(i64::from(error.row_number)),
                line: Set(signed(error.line)),
                column_name: Set(error.column.clone()),
                code: Set(error.code.as_str().to_owned()),
                message: Set(error.message.clone()),
                value: Set(error.value.clone()),
                ..Default::default()
            })
            .collect();
        for part in rows.chunks(ROWS_PER_INSERT) {
            self.notes.push(import_error::Entity::insert_many(part.to_vec()).build(backend));
        }
    }

    fn add_superseded(&mut self, backend: DbBackend, job: &Job, chunk: &Chunk) {
        let rows: Vec<_> = chunk
            .superseded
            .iter()
            .take(usize::try_from(self.taken.superseded).unwrap_or(usize::MAX))
            .map(|row| import_superseded::ActiveModel {
                import_log_id: Set(job.id),
                row_number: Set(i64::from(row.row_number)),
                by_row_number: Set(i64::from(row.by_row_number)),
            })
            .collect();
        for part in rows.chunks(ROWS_PER_INSERT) {
            self.notes.push(import_superseded::Entity::insert_many(part.to_vec()).build(backend));
        }
    }
}

/// What the data part of a chunk's transaction came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) counts: Counts,
    /// All failed rows of the chunk: those of the file and those that the database refused.
    pub(super) failed: Vec<FailedRow>,
    /// Records of the chunk that were created or updated, when every row is told.
    pub(super) changed: Vec<(usize, NoteKind)>,
    /// References that were created.
    pub(super) references: Vec<NewReference>,
}

/// What is needed to tell what became of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Teller<'a> {
    pub(super) names: &'a RowNames,
    pub(super) left: &'a NotesLeft,
    pub(super) every_row: bool,
}

impl Taken {
    fn new(left: &NotesLeft, chunk: &Chunk, outcome: &Outcome) -> Self {
        let errors: u64 = outcome.failed.iter().map(|row| row.errors.len() as u64).sum();
        let superseded = chunk.superseded.len() as u64;
        let references = outcome.references.len() as u64;
        let mut taken = Self {
            errors: take(&left.errors, errors),
            superseded: take(&left.superseded, superseded),
            references: take(&left.references, references),
            say_no_more: false,
        };
        let all_taken = taken.errors == errors
            && taken.superseded == superseded
            && taken.references == references;
        taken.say_no_more = !all_taken && !left.said_no_more.swap(true, Ordering::Relaxed);
        taken
    }

    fn bounds(&self) -> Bounds {
        let bound = |taken: u64| usize::try_from(taken).unwrap_or(usize::MAX);
        Bounds {
            errors: bound(self.errors),
            superseded: bound(self.superseded),
            references: bound(self.references),
            say_no_more: self.say_no_more,
        }
    }
}

/// The notes in events of a size that can be read, kept and thinned out at a time. `start` rows had
/// an outcome before.
fn rows_told(notes: Vec<RowNote>, start: u64, total: u64, every_row: bool) -> Vec<Event> {
    let (mut events, mut notes) = (Vec::new(), notes.into_iter().peekable());
    let mut processed = start;
    while notes.peek().is_some() {
        let part: Vec<RowNote> = notes.by_ref().take(NOTES_PER_EVENT).collect();
        let rows = RowNotes { processed, total, every_row, notes: part };
        processed = rows.processed_after();
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

fn proof(backend: DbBackend, job: &Job, chunk: &Chunk, counts: &Counts) -> Statement {
    let row = import_chunk::ActiveModel {
        import_log_id: Set(job.id),
        number: Set(i32::try_from(chunk.number).unwrap_or(i32::MAX)),
        lane: Set(i32::try_from(chunk.lane).unwrap_or(i32::MAX)),
        first_row: Set(i64::from(chunk.first_row)),
        last_row: Set(i64::from(chunk.last_row)),
        created_count: Set(signed(counts.created)),
        updated_count: Set(signed(counts.updated)),
        unchanged_count: Set(signed(counts.unchanged)),
        superseded_count: Set(signed(counts.superseded)),
        failed_count: Set(signed(counts.failed)),
        committed_at: Set(super::stored::now_utc()),
    };
    import_chunk::Entity::insert(row).build(backend)
}

/// Adds the counts to the job if it is still ours. The row stays locked until the commit, so an
/// owner with a newer epoch waits for it and then sees it.
fn fence(backend: DbBackend, now: &Expr, job: &Job, counts: &Counts, numbers: u64) -> Statement {
    use import_log::Column as C;
    let grown = |column: C, by: u64| (column, Expr::col(column).add(signed(by)));
    let mut update = import_log::Entity::update_many();
    for (column, value) in [
        grown(C::ProcessedRows, counts.processed()),
        grown(C::CreatedCount, counts.created),
        grown(C::UpdatedCount, counts.updated),
        grown(C::UnchangedCount, counts.unchanged),
        grown(C::SupersededCount, counts.superseded),
        grown(C::SuccessCount, counts.succeeded()),
        grown(C::ErrorCount, counts.failed),
        grown(C::EventCount, numbers),
        (C::UpdatedAt, now.clone()),
        // The job moves: attempts count those that ended without a word since it last did.
        (C::Attempts, Expr::value(1)),
    ] {
        update = update.col_expr(column, value);
    }
    let mut update = update.filter(ours(job)).into_query();
    update.returning(Query::returning().columns([C::EventCount, C::ProcessedRows, C::RowEvents]));
    backend.build(&update)
}
