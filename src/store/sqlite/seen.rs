//! Notes which keys of the table the rows of a chunk have.

use rusqlite::Connection;
use sea_orm::DbBackend;

use super::bind::BoundValue;
use crate::domain::chunk::Chunk;
use crate::domain::record::Records;
use crate::store::chunk::seen::{WrittenRecords, key_text};
use crate::store::chunk::target::{Target, quoted_table};

/// The statements of the notes.
pub(super) struct SqliteSeen {
    job: i64,
    /// Parameters: the key. Column: the stored key as a text.
    find: String,
}

impl SqliteSeen {
    pub(super) fn new(job: i64, target: &Target) -> Self {
        let same = target.key.iter().map(|field| format!("t.{} = ?", target.field(*field)));
        let find = format!(
            "SELECT {} FROM {} AS t WHERE {}",
            key_text(DbBackend::Sqlite, target),
            quoted_table(&target.table),
            same.collect::<Vec<_>>().join(" AND ")
        );
        Self { job, find }
    }

    /// Notes the keys of all rows of a chunk that have one; how many of the written records were found.
    pub(super) fn note(
        &self,
        connection: &Connection,
        target: &Target,
        chunk: &Chunk,
        records: &WrittenRecords,
    ) -> rusqlite::Result<u64> {
        let found =
            self.note_some(connection, target, &chunk.records, &target.key, &records.written)?;
        self.note_some(connection, target, &chunk.records, &target.key, &records.failed)?;
        let places: Vec<usize> = (0..target.key.len()).collect();
        let of_failed: Vec<usize> = (0..chunk.failed_keys.len()).collect();
        self.note_some(connection, target, &chunk.failed_keys, &places, &of_failed)?;
        Ok(found)
    }

    /// `places` are the values of the key in the records.
    fn note_some(
        &self,
        connection: &Connection,
        target: &Target,
        records: &Records,
        places: &[usize],
        which: &[usize],
    ) -> rusqlite::Result<u64> {
        if which.is_empty() {
            return Ok(0);
        }
        let mut find = connection.prepare_cached(&self.find)?;
        let note = "INSERT OR IGNORE INTO import_seen (import_log_id, key) VALUES (?, ?)";
        let mut note = connection.prepare_cached(note)?;
        let mut count = 0;
        for record in which {
            for (position, (place, field)) in places.iter().zip(&target.key).enumerate() {
                let Some(field) = target.fields.get(*field) else { continue };
                let value = BoundValue::Value(records.value(*record, *place), field.kind);
                value.bind(&mut find, position + 1)?;
            }
            let mut found = find.raw_query();
            if let Some(row) = found.next()? {
                count += 1;
                note.execute((self.job, row.get_ref(0)?.as_str()?))?;
            }
        }
        Ok(count)
    }
}
