//! A chunk: the rows that are committed in one transaction, converted and ready to write.

use super::row_number::RowNumber;
use serde::{Deserialize, Serialize};

use super::record::Records;
use super::row::RawRows;
use super::row_error::RowError;
use super::warning::Warnings;

/// A row that failed, with its cells, so that it can be handed back for correction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailedRow {
    /// The row as a spreadsheet shows it.
    pub row_number: RowNumber,
    /// The cells as they stood in the file.
    pub cells: Vec<String>,
    /// Every fault of the row; at least one.
    pub errors: Vec<RowError>,
}

/// Which list of failed rows: those of one chunk, as the owner with this epoch kept them. Only the
/// epoch that committed the chunk counts: an owner that lost the job may still have kept its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedPart {
    /// The chunk's number.
    pub chunk: u32,
    /// The epoch of the job.
    pub epoch: i64,
}

/// A valid row that a later row of the file with the same key supersedes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupersededRow {
    /// The row that is superseded.
    pub row_number: RowNumber,
    /// The last row with the same key: the one that is written.
    pub by_row_number: RowNumber,
}

/// Up to 10,000 rows of one partition, cut in file order.
///
/// A partition is one writer's share of the file: rows with equal keys are in the same partition, so that
/// two writers never meet at a key. SQLite has one partition, PostgreSQL two.
#[derive(Debug, Default)]
pub struct Chunk {
    /// Unique within the job: `index within the partition × partitions + partition`.
    pub number: u32,
    /// Which partition, from 0.
    pub partition: u32,
    /// The first row of the chunk.
    pub first_row: RowNumber,
    /// The last row of the chunk; the partition's checkpoint once it is committed.
    pub last_row: RowNumber,
    /// The rows to be written, in file order, each key once.
    pub records: Records,
    /// The raw rows of `records`, one for one: what is handed back if the database refuses one.
    pub raw: RawRows,
    /// Rows that failed mapping or validation.
    pub failed: Vec<FailedRow>,
    /// Mirror: the keys of those of them whose key can be read.
    pub failed_keys: Records,
    /// Valid rows that a later row of the file supersedes.
    pub superseded: Vec<SupersededRow>,
    /// What a person should see of its rows.
    pub warnings: Warnings,
    /// Bytes of text in the cells of `raw` and `failed`.
    pub bytes: usize,
}

impl Chunk {
    /// Makes an empty chunk of a used one; its memory serves again.
    pub fn begin_again(&mut self, number: u32, partition: u32) {
        self.number = number;
        self.partition = partition;
        self.records.clear();
        self.raw.clear();
        self.failed.clear();
        self.failed_keys.clear();
        self.superseded.clear();
        self.warnings.clear();
        self.bytes = 0;
    }

    /// What is left of a chunk that is undone because a row of it failed: its place, behind those of
    /// its partitions, since no row of it is done.
    #[must_use]
    pub fn undone(&self) -> Self {
        Self {
            number: self.number,
            partition: self.partition + 1,
            first_row: self.first_row,
            last_row: self.last_row,
            ..Self::default()
        }
    }

    /// True without any row, also of those that are passed over with a warning.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows() == 0 && self.warnings.is_empty()
    }

    /// Rows of the file that this chunk accounts for.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.records.len() + self.failed.len() + self.superseded.len()
    }
}
