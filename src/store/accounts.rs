//! Loadbay's own rows about a chunk: its proof, its counts, its row errors. Built once with sea-orm
//! and run by each writer inside the chunk's transaction.

use std::sync::atomic::{AtomicU64, Ordering};

use entity::{import_chunk, import_error, import_log, import_superseded};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait, QueryFilter, QueryTrait, Statement};

use super::queue::ours;
use super::stored::signed;
use super::writer::NotesLeft;
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::counts::Counts;
use crate::domain::job::Job;

/// Rows of one INSERT: well under the bind limit of both databases.
const ROWS_PER_INSERT: usize = 500;

/// The statements that close a chunk, in order. Each of `notes` may touch any number of rows,
/// `proof` and `fence` exactly one: a proof that is there already means that the chunk was
/// committed, a fence that touches nothing means that the job is no longer ours.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) notes: Vec<Statement>,
    pub(super) proof: Statement,
    pub(super) fence: Statement,
    errors_taken: u64,
    superseded_taken: u64,
}

impl Account {
    pub(super) fn new(
        backend: DbBackend,
        now: &Expr,
        job: &Job,
        chunk: &Chunk,
        outcome: &Outcome,
        left: &NotesLeft,
    ) -> Self {
        let mut account = Self {
            notes: Vec::new(),
            proof: proof(backend, job, chunk, &outcome.counts),
            fence: fence(backend, now, job, &outcome.counts),
            errors_taken: 0,
            superseded_taken: 0,
        };
        account.add_errors(backend, job, &outcome.failed, left);
        account.add_superseded(backend, job, chunk, left);
        account
    }

    /// Gives the room for notes back: the transaction was rolled back.
    pub(super) fn undo(&self, left: &NotesLeft) {
        left.errors.fetch_add(self.errors_taken, Ordering::Relaxed);
        left.superseded.fetch_add(self.superseded_taken, Ordering::Relaxed);
    }

    fn add_errors(
        &mut self,
        backend: DbBackend,
        job: &Job,
        failed: &[FailedRow],
        left: &NotesLeft,
    ) {
        let all: u64 = failed.iter().map(|row| row.errors.len() as u64).sum();
        self.errors_taken = take(&left.errors, all);
        let rows: Vec<_> = failed
            .iter()
            .flat_map(|row| &row.errors)
            .take(usize::try_from(self.errors_taken).unwrap_or(usize::MAX))
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

    fn add_superseded(&mut self, backend: DbBackend, job: &Job, chunk: &Chunk, left: &NotesLeft) {
        self.superseded_taken = take(&left.superseded, chunk.superseded.len() as u64);
        let rows: Vec<_> = chunk
            .superseded
            .iter()
            .take(usize::try_from(self.superseded_taken).unwrap_or(usize::MAX))
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
fn fence(backend: DbBackend, now: &Expr, job: &Job, counts: &Counts) -> Statement {
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
        (C::UpdatedAt, now.clone()),
        // The job moves: attempts count those that ended without a word since it last did.
        (C::Attempts, Expr::value(1)),
    ] {
        update = update.col_expr(column, value);
    }
    update.filter(ours(job)).build(backend)
}
