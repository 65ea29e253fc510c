//! Loadbay's own rows about a chunk, as statements: the record of its commit, the outcomes of its rows,
//! its counts, its events. They run inside the chunk's transaction.

use chrono::{DateTime, Utc};
use entity::{import_chunk, import_difference, import_error, import_superseded};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait, QueryTrait, Statement};

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::difference::{Difference, DifferenceOutcome};
use crate::domain::job::Job;
use crate::store::chunk::events::ChunkEvents;
use crate::store::chunk::fence::fence;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::packed_outcomes;
use crate::store::chunk::quota::QuotaUse;
use crate::store::chunk::row_outcomes::RowLabels;
use crate::store::chunk::writer::WriterSettings;
use crate::store::log::job_row::{as_text, signed, small};

/// Rows of one INSERT: well under the bind limit of both databases.
const ROWS_PER_INSERT: usize = 500;

/// The statements that close a chunk, in order. `commit_record` and `fence` touch exactly one row.
#[derive(Debug)]
pub(in crate::store) struct ChunkLedger {
    /// Touches no row when the chunk is committed already.
    pub(in crate::store) commit_record: Statement,
    /// Row errors, superseded rows and differences.
    pub(in crate::store) row_outcomes: Vec<Statement>,
    /// The row of the outbox, where somebody passes the records on.
    pub(in crate::store) changes: Option<Statement>,
    /// Touches no row when the job is no longer ours. Returns a [`FencedJob`](super::fence::FencedJob).
    pub(in crate::store) fence: Statement,
    /// What follows the fence.
    pub(in crate::store) events: ChunkEvents,
    /// Goes back to the quota of the job when the chunk is not committed.
    pub(in crate::store) taken: QuotaUse,
}

impl ChunkLedger {
    pub(in crate::store) fn new(
        backend: DbBackend,
        now: DateTime<Utc>,
        settings: &WriterSettings,
        labels: &RowLabels,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
    ) -> Self {
        let job = &settings.job;
        let taken = settings.event_quota.take(chunk, outcome);
        let events = ChunkEvents::new(settings, labels, chunk, outcome, &taken);
        let mut ledger = Self {
            row_outcomes: Vec::new(),
            changes: None,
            commit_record: commit_record(backend, now, job, chunk, outcome),
            fence: fence(backend, job, &outcome.counts, events.numbers()),
            events,
            taken,
        };
        ledger.add_errors(backend, job, labels, &outcome.failed);
        ledger.add_superseded(backend, job, chunk);
        ledger.add_differences(backend, job, &outcome.differences);
        ledger
    }

    fn add_errors(
        &mut self,
        backend: DbBackend,
        job: &Job,
        labels: &RowLabels,
        failed: &[FailedRow],
    ) {
        let rows: Vec<_> = failed
            .iter()
            .flat_map(|row| row.errors.iter().map(move |error| (row, error)))
            .take(self.taken.errors)
            .map(|(row, error)| import_error::ActiveModel {
                import_log_id: Set(job.id),
                row_number: Set(i64::from(error.row_number)),
                line: Set(signed(error.line)),
                column_name: Set(error.column.clone()),
                code: Set(error.code.as_str().to_owned()),
                message: Set(error.message.clone()),
                value: Set(error.value.clone()),
                key: Set(labels.key_in_file(row)),
                ..Default::default()
            })
            .collect();
        for part in rows.chunks(ROWS_PER_INSERT) {
            self.row_outcomes.push(import_error::Entity::insert_many(part.to_vec()).build(backend));
        }
    }

    fn add_superseded(&mut self, backend: DbBackend, job: &Job, chunk: &Chunk) {
        let rows: Vec<_> = chunk
            .superseded
            .iter()
            .take(self.taken.superseded)
            .map(|row| import_superseded::ActiveModel {
                import_log_id: Set(job.id),
                row_number: Set(i64::from(row.row_number)),
                by_row_number: Set(i64::from(row.by_row_number)),
            })
            .collect();
        for part in rows.chunks(ROWS_PER_INSERT) {
            self.row_outcomes
                .push(import_superseded::Entity::insert_many(part.to_vec()).build(backend));
        }
    }

    fn add_differences(&mut self, backend: DbBackend, job: &Job, differences: &[Difference]) {
        let row = |it: &Difference| import_difference::ActiveModel {
            import_log_id: Set(job.id),
            row_number: Set(i64::from(it.row_number)),
            created: Set(it.outcome == DifferenceOutcome::Created),
            removed: Set(it.outcome == DifferenceOutcome::Removed),
            key: Set(it.key.clone()),
            changes: Set(as_text(&it.changes)),
        };
        let taken = differences.get(..self.taken.differences).unwrap_or(differences);
        for part in taken.chunks(ROWS_PER_INSERT) {
            let rows = part.iter().map(row);
            self.row_outcomes.push(import_difference::Entity::insert_many(rows).build(backend));
        }
    }
}

fn commit_record(
    backend: DbBackend,
    now: DateTime<Utc>,
    job: &Job,
    chunk: &Chunk,
    outcome: &ChunkOutcome,
) -> Statement {
    let counts = &outcome.counts;
    let outcomes = job.rollback_of.is_none().then(|| packed_outcomes::pack(chunk, outcome));
    let row = import_chunk::ActiveModel {
        import_log_id: Set(job.id),
        number: Set(small(chunk.number)),
        lane: Set(small(chunk.partition)),
        first_row: Set(i64::from(chunk.first_row)),
        last_row: Set(i64::from(chunk.last_row)),
        created_count: Set(signed(counts.created)),
        updated_count: Set(signed(counts.updated)),
        unchanged_count: Set(signed(counts.unchanged)),
        superseded_count: Set(signed(counts.superseded)),
        failed_count: Set(signed(counts.failed)),
        removed_count: Set(signed(counts.removed)),
        outcomes: Set(outcomes),
        lease_epoch: Set(job.lease_epoch),
        committed_at: Set(now),
    };
    // Waits for another commit of the same chunk and touches nothing if that one took effect.
    let once =
        OnConflict::columns([import_chunk::Column::ImportLogId, import_chunk::Column::Number])
            .do_nothing()
            .to_owned();
    import_chunk::Entity::insert(row).on_conflict(once).build(backend)
}
