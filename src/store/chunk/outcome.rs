//! What became of the rows of a chunk, as the writers of both databases answer it.

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::counts::Counts;
use crate::domain::difference::Difference;
use crate::domain::event::RowEventKind;
use crate::domain::new_reference::NewReferences;

/// What the data part of a chunk's transaction came to.
#[derive(Debug, Default)]
pub(in crate::store) struct ChunkOutcome {
    pub(in crate::store) counts: Counts,
    /// All failed rows of the chunk: those of the file and those that the database refused.
    pub(in crate::store) failed: Vec<FailedRow>,
    /// Records of the chunk that were created or updated.
    pub(in crate::store) changed: Vec<(usize, RowEventKind)>,
    /// What a dry run found, as far as it may be stored.
    pub(in crate::store) differences: Vec<Difference>,
    /// Records that differ from what is stored, which is as new or newer.
    pub(in crate::store) not_newer: Vec<usize>,
    /// Mirror: records that were written and are not found in the table by their keys.
    pub(in crate::store) lost_keys: u64,
    /// Mirror: the keys of records that the file does not have and the database refused to remove.
    pub(in crate::store) not_removed: Vec<String>,
    /// Of a dry run: the references that its rows would create.
    pub(in crate::store) new_references: NewReferences,
    /// References that were created.
    pub(in crate::store) references: Vec<NewReference>,
    /// The keys of the rows that changed, as JSON, where they are not those of the chunk's records.
    pub(in crate::store) keys: Option<String>,
}

impl ChunkOutcome {
    /// What is left when everything but the failed rows is undone.
    pub(in crate::store) fn undone(self) -> Self {
        let counts = Counts { failed: self.counts.failed, ..Counts::default() };
        Self { counts, failed: self.failed, ..Self::default() }
    }

    /// Adds what was known of the chunk's rows before the database saw them.
    pub(in crate::store) fn complete(&mut self, chunk: &Chunk) {
        self.failed.extend(chunk.failed.iter().cloned());
        self.failed.sort_by_key(|row| row.row_number);
        self.counts.failed = self.failed.len() as u64;
        self.counts.superseded = chunk.superseded.len() as u64;
        assert_eq!(
            self.counts.processed(),
            chunk.rows() as u64,
            "every row of a chunk has exactly one outcome"
        );
    }
}

/// A record of another table that a chunk created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct NewReference {
    /// The dataset's column: `category`.
    pub(in crate::store) column: String,
    /// The table that has the new record.
    pub(in crate::store) table: String,
    /// The new record's name.
    pub(in crate::store) name: String,
    /// The first record of the chunk that names it.
    pub(in crate::store) record: usize,
}
