//! The keys of the table that the file of a mirror has: which rows of a chunk stand for them. How they
//! are looked up in the table is the business of each database's own writer.

use std::collections::BTreeSet;

use sea_orm::DbBackend;

use crate::dataset::model::ColumnType;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::options::Mode;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::target::Target;

/// True of a job that removes what its file does not have: it must see the whole file.
pub(in crate::store) fn notes_keys(job: &Job) -> bool {
    job.options.mode == Mode::Mirror && job.selection.is_none() && job.rollback_of.is_none()
}

/// The key of a row of the table `t` as one text that is the same for the same key, whichever session
/// asks.
pub(in crate::store) fn key_text(backend: DbBackend, target: &Target) -> String {
    let part = |field: &usize| {
        let name = format!("t.{}", target.field(*field));
        let kind = target.fields.get(*field).map(|field| field.kind);
        match (backend, kind) {
            (DbBackend::Sqlite, _) => format!("quote({name})"),
            // As text it depends on the time zone of the session.
            (_, Some(ColumnType::DateTime)) => format!("extract(epoch FROM {name})"),
            _ => name,
        }
    };
    let parts: Vec<String> = target.key.iter().map(part).collect();
    match backend {
        DbBackend::Sqlite => parts.join(" || ',' || "),
        _ => format!("jsonb_build_array({})::text", parts.join(", ")),
    }
}

/// Records of a chunk that the table must have now: all but those that failed, and in a dry run all but
/// those that would be created as well.
#[derive(Debug)]
pub(in crate::store) struct WrittenRecords {
    /// Records that did not fail.
    pub(in crate::store) written: Vec<usize>,
    /// The others.
    pub(in crate::store) failed: Vec<usize>,
    /// How many of `written` must be found.
    pub(in crate::store) expected: u64,
}

impl WrittenRecords {
    pub(in crate::store) fn of(chunk: &Chunk, outcome: &ChunkOutcome, is_dry_run: bool) -> Self {
        let failed: BTreeSet<RowNumber> = outcome.failed.iter().map(|row| row.row_number).collect();
        let (failed, written): (Vec<usize>, Vec<usize>) = (0..chunk.records.len())
            .partition(|record| failed.contains(&chunk.records.row_number(*record)));
        let counts = &outcome.counts;
        let there = counts.updated + counts.unchanged;
        let expected = if is_dry_run { there } else { there + counts.created };
        Self { written, failed, expected }
    }
}
