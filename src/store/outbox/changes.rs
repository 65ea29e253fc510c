//! What a chunk changed, as one row of the outbox: the keys of its records, and how many of them changed.
//! Whoever passes them on reads the records as they are then.

use chrono::{DateTime, Utc};
use entity::import_outbox;
use sea_orm::ActiveValue::Set;
use sea_orm::{DbBackend, EntityTrait, QueryTrait, Statement};

use crate::domain::chunk::Chunk;
use crate::domain::record::Records;
use crate::store::Store;
use crate::store::chunk::key_json::{KeyField, push_keys};
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::writer::WriterSettings;
use crate::store::log::job_row::signed;
use crate::store::outbox::{CHANGED, SEARCH};

/// Notes what chunks of a job change.
#[derive(Debug, Clone)]
pub(in crate::store) struct ChangeNotes {
    dataset: String,
    job: i64,
    key: Vec<KeyField>,
}

impl Store {
    /// The notes of a job; `None` where nobody passes its records on.
    pub(in crate::store) fn change_notes(&self, settings: &WriterSettings) -> Option<ChangeNotes> {
        let WriterSettings { job, dataset, plan, .. } = settings;
        if job.options.dry_run || !self.noted.contains(&dataset.name) {
            return None;
        }
        let key = KeyField::all(dataset, &plan.columns, &plan.key);
        Some(ChangeNotes { dataset: dataset.name.clone(), job: job.id, key })
    }
}

impl ChangeNotes {
    /// The row of the outbox; `None` when the chunk changed nothing.
    pub(in crate::store) fn of_chunk(
        &self,
        backend: DbBackend,
        now: DateTime<Utc>,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
    ) -> Option<Statement> {
        let counts = &outcome.counts;
        let changed = counts.created + counts.updated + counts.removed;
        if changed == 0 {
            return None;
        }
        let keys = outcome.keys.clone().unwrap_or_else(|| self.keys(&chunk.records));
        let row = import_outbox::ActiveModel {
            topic: Set(SEARCH.to_owned()),
            dataset: Set(self.dataset.clone()),
            import_log_id: Set(self.job),
            kind: Set(CHANGED.to_owned()),
            records: Set(signed(changed)),
            keys: Set(Some(keys)),
            changed_at: Set(now),
            ..Default::default()
        };
        Some(import_outbox::Entity::insert(row).build(backend))
    }

    /// The keys of all records: which of them changed is seen when they are read.
    fn keys(&self, records: &Records) -> String {
        let mut json = String::with_capacity(records.len() * 24);
        json.push('[');
        push_keys(&mut json, &self.key, records, 0..records.len());
        json.push(']');
        json
    }
}
