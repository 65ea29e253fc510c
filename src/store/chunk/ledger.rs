//! Loadbay's own rows about a chunk: its commit_record, its counts, its row errors. Built once with sea-orm
//! and run by each writer inside the chunk's transaction.

use chrono::{DateTime, Utc};
use entity::{import_chunk, import_error, import_log, import_superseded};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait, QueryFilter, QueryTrait, Statement};

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::counts::Counts;
use crate::domain::event::RowEventKind;
use crate::domain::job::Job;
use crate::store::chunk::events::{ChunkEvents, EventWriter, Fenced};
use crate::store::chunk::row_outcomes::{NewReference, RowLabels};
use crate::store::chunk::writer::WriterSettings;
use crate::store::error::StoreError;
use crate::store::log::job_row::{lease_runs_on_postgres, signed};
use crate::store::log::lease::ours;

/// Rows of one INSERT: well under the bind limit of both databases.
const ROWS_PER_INSERT: usize = 500;

/// The statements that close a chunk, in order. Each of `notes` may touch any number of rows,
/// `commit_record` and `fence` exactly one: a commit_record that is there already means that the chunk was
/// committed, a fence that touches nothing means that the job is no longer ours.
#[derive(Debug)]
pub(in crate::store) struct ChunkLedger {
    pub(in crate::store) commit_record: Statement,
    pub(in crate::store) notes: Vec<Statement>,
    /// Returns what [`Fenced`] holds.
    pub(in crate::store) fence: Statement,
    /// What follows it.
    pub(in crate::store) events: ChunkEvents,
}

impl ChunkLedger {
    pub(in crate::store) fn new(
        backend: DbBackend,
        now: DateTime<Utc>,
        settings: &WriterSettings,
        names: &RowLabels,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
    ) -> Self {
        let job = &settings.job;
        let left = &settings.event_quota;
        let events = ChunkEvents::new(
            job,
            chunk,
            outcome,
            &EventWriter { names, left, every_row: settings.every_row },
        );
        let mut ledger = Self {
            notes: Vec::new(),
            commit_record: commit_record(backend, now, job, chunk, &outcome.counts),
            fence: fence(backend, now, job, &outcome.counts, events.numbers()),
            events,
        };
        ledger.add_errors(backend, job, &outcome.failed);
        ledger.add_superseded(backend, job, chunk);
        ledger
    }

    /// Takes note of how the transaction ended.
    pub(in crate::store) fn finish(
        &self,
        ended: Result<Fenced, StoreError>,
        settings: &mut WriterSettings,
    ) -> Result<(), StoreError> {
        match ended {
            Ok(fenced) => {
                settings.asked(fenced.row_events);
                Ok(())
            }
            Err(error) => {
                self.events.undo(&settings.event_quota);
                Err(error)
            }
        }
    }

    fn add_errors(&mut self, backend: DbBackend, job: &Job, failed: &[FailedRow]) {
        let rows: Vec<_> = failed
            .iter()
            .flat_map(|row| &row.errors)
            .take(usize::try_from(self.events.taken.errors).unwrap_or(usize::MAX))
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
            .take(usize::try_from(self.events.taken.superseded).unwrap_or(usize::MAX))
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
pub(in crate::store) struct ChunkOutcome {
    pub(in crate::store) counts: Counts,
    /// All failed rows of the chunk: those of the file and those that the database refused.
    pub(in crate::store) failed: Vec<FailedRow>,
    /// Records of the chunk that were created or updated, when every row is events.
    pub(in crate::store) changed: Vec<(usize, RowEventKind)>,
    /// References that were created.
    pub(in crate::store) references: Vec<NewReference>,
}

fn commit_record(
    backend: DbBackend,
    now: DateTime<Utc>,
    job: &Job,
    chunk: &Chunk,
    counts: &Counts,
) -> Statement {
    let row = import_chunk::ActiveModel {
        import_log_id: Set(job.id),
        number: Set(i32::try_from(chunk.number).unwrap_or(i32::MAX)),
        lane: Set(i32::try_from(chunk.partition).unwrap_or(i32::MAX)),
        first_row: Set(i64::from(chunk.first_row)),
        last_row: Set(i64::from(chunk.last_row)),
        created_count: Set(signed(counts.created)),
        updated_count: Set(signed(counts.updated)),
        unchanged_count: Set(signed(counts.unchanged)),
        superseded_count: Set(signed(counts.superseded)),
        failed_count: Set(signed(counts.failed)),
        removed_count: Set(signed(counts.removed)),
        lease_epoch: Set(job.lease_epoch),
        committed_at: Set(now),
    };
    import_chunk::Entity::insert(row).build(backend)
}

/// Adds the counts to the job if it is still ours. The row stays locked until the commit, so an
/// owner with a newer epoch waits for it and then sees it.
///
/// Where other servers are, its lease must run as well: the place of a job whose lease ran out may be
/// a later job's by now. Its owner finds out when it renews it, and goes on if it is not.
fn fence(
    backend: DbBackend,
    now: DateTime<Utc>,
    job: &Job,
    counts: &Counts,
    numbers: u64,
) -> Statement {
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
        grown(C::RemovedCount, counts.removed),
        grown(C::EventCount, numbers),
        (C::UpdatedAt, Expr::value(now)),
        // The job moves: attempts count those that ended without a word since it last did.
        (C::Attempts, Expr::value(1)),
    ] {
        update = update.col_expr(column, value);
    }
    let mut which = ours(job);
    if backend == DbBackend::Postgres {
        which = which.add(lease_runs_on_postgres());
    }
    let mut update = update.filter(which).into_query();
    update.returning(Query::returning().columns([C::EventCount, C::ProcessedRows, C::RowEvents]));
    backend.build(&update)
}
