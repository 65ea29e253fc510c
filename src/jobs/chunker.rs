//! The reader's side of a running job: rows are converted and cut into chunks, one stream a partition.
//!
//! A partition is one writer's share of the keys. It continues behind the last row that it committed, so
//! each partition is its own checkpoint and the partitions need not wait for each other.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::error::RunError;
use super::memory::ChunkRoom;
use super::partitioning::partition_of;
use super::prescan::SupersededRows;
use super::row_input::RowInput;
use super::stop::Stop;
use crate::dataset::Converter;
use crate::domain::chunk::{Chunk, FailedRow, SupersededRow};
use crate::domain::limits::CHUNK_BYTES_MAX;
use crate::domain::options::Duplicates;
use crate::domain::record::Records;
use crate::domain::row::RawRow;
use crate::domain::row_error::{RowCode, RowError};
use crate::domain::row_number::RowNumber;
use crate::domain::warning::WarningCode;
use crate::faults::fault;

/// Where a partition continues.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PartitionCheckpoint {
    /// Chunks that are committed.
    pub(super) chunks: u32,
    /// The last row of them.
    pub(super) last_row: RowNumber,
}

/// What the chunker must know.
#[derive(Debug)]
pub(super) struct Chunker {
    pub(super) converter: Converter,
    /// Values of a record.
    pub(super) width: usize,
    /// Values of the key, where the keys of failed rows are needed.
    pub(super) key_width: Option<usize>,
    /// How many rows a chunk may have now.
    pub(super) room: ChunkRoom,
    pub(super) duplicates: Duplicates,
    pub(super) superseded: SupersededRows,
    pub(super) stop: Stop,
}

/// The two ends that the chunker holds of a partition.
#[derive(Debug)]
pub(super) struct PartitionChannels {
    pub(super) start: PartitionCheckpoint,
    /// Where finished chunks go.
    pub(super) out: mpsc::Sender<Arc<Chunk>>,
    /// Where written chunks come back, so that their memory serves again: taking it anew for every
    /// chunk was measured to cost as much as the conversion itself, and to leave holes.
    pub(super) used: std::sync::mpsc::Receiver<Chunk>,
}

struct PartitionBuffer {
    ends: PartitionChannels,
    next: Chunk,
    /// Rows of the next chunk.
    rows_max: usize,
}

impl Chunker {
    /// Reads the file to its end and sends the chunks; waits where the writers are slower.
    ///
    /// # Errors
    /// `Stopped` when the job is stopped or a writer has ended; the reader's.
    pub(super) fn run(
        mut self,
        source: &RowInput,
        partitions: Vec<PartitionChannels>,
    ) -> Result<(), RunError> {
        assert!(!partitions.is_empty(), "a job has at least one partition");
        let divisor = partitions.len();
        let count = u32::try_from(divisor).unwrap_or(u32::MAX);
        let mut partitions: Vec<PartitionBuffer> = partitions
            .into_iter()
            .enumerate()
            .map(|(index, ends)| {
                let partition = u32::try_from(index).unwrap_or(u32::MAX);
                let number = ends.start.chunks * count + partition;
                let rows_max = self.next_rows();
                PartitionBuffer { next: self.empty(number, partition), ends, rows_max }
            })
            .collect();
        let (mut row, mut key) = (RawRow::new(), String::new());
        let mut rows = source.rows()?;
        fault!("chunker.begin", RunError::Panicked);
        while rows.next(&mut row)? {
            let superseded = self.superseded.superseded_by(row.row_number)?;
            let index = partition_of(&mut self.converter, &row, &mut key, divisor);
            let Some(partition) = partitions.get_mut(index) else {
                unreachable!("row {} is in partition {index} of {divisor}", row.row_number);
            };
            if row.row_number <= partition.ends.start.last_row {
                continue;
            }
            self.add(&mut partition.next, &row, superseded);
            if partition.next.rows() >= partition.rows_max
                || partition.next.bytes >= CHUNK_BYTES_MAX
            {
                self.send(partition, count)?;
            }
        }
        for partition in &mut partitions {
            if !partition.next.is_empty() {
                self.send(partition, count)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, chunk: &mut Chunk, row: &RawRow, superseded: Option<SupersededRow>) {
        if chunk.is_empty() {
            chunk.first_row = row.row_number;
        } else {
            // The checkpoint is a row number: a row out of order would be skipped after a restart.
            assert!(row.row_number > chunk.last_row, "rows come in the order of the file");
        }
        chunk.last_row = row.row_number;
        if let Some(code) = self.converter.skips(row) {
            return chunk.warnings.add(code, None, Some(row.row_number), None);
        }
        match superseded.map(|superseded| (superseded, self.duplicates)) {
            Some((superseded, Duplicates::Last)) => return chunk.superseded.push(superseded),
            Some((superseded, Duplicates::Error)) => chunk.failed.push(duplicate(row, superseded)),
            None => self.convert(chunk, row),
        }
        chunk.bytes += row.text_bytes();
    }

    fn convert(&mut self, chunk: &mut Chunk, row: &RawRow) {
        match self.converter.convert(row, &mut chunk.records) {
            Ok(()) => {
                self.converter.count_warnings(row, &mut chunk.warnings);
                chunk.raw.push(row);
            }
            Err(errors) => {
                chunk.failed.push(failed(row, errors));
                if self.key_width.is_some()
                    && !self.converter.key_record(row, &mut chunk.failed_keys)
                {
                    chunk.warnings.add(WarningCode::KeyUnknown, None, Some(row.row_number), None);
                }
            }
        }
    }

    fn send(&mut self, partition: &mut PartitionBuffer, partitions: u32) -> Result<(), RunError> {
        if self.stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        let (number, index) = (partition.next.number + partitions, partition.next.partition);
        let next = match partition.ends.used.try_recv() {
            Ok(mut used) => {
                used.begin_again(number, index);
                used
            }
            Err(_) => self.empty(number, index),
        };
        let chunk = std::mem::replace(&mut partition.next, next);
        partition.ends.out.blocking_send(Arc::new(chunk)).map_err(|_| RunError::Stopped)?;
        partition.rows_max = self.next_rows();
        Ok(())
    }

    fn next_rows(&self) -> usize {
        self.room.rows(|| self.stop.is_stopped())
    }

    fn empty(&self, number: u32, partition: u32) -> Chunk {
        Chunk {
            number,
            partition,
            records: Records::new(self.width),
            failed_keys: Records::new(self.key_width.unwrap_or(0)),
            ..Chunk::default()
        }
    }
}

fn failed(row: &RawRow, errors: Vec<RowError>) -> FailedRow {
    let cells = row.cells().map(|(text, _)| text.to_owned()).collect();
    FailedRow { row_number: row.row_number, cells, errors }
}

fn duplicate(row: &RawRow, superseded: SupersededRow) -> FailedRow {
    let error = RowError {
        row_number: row.row_number,
        line: row.line,
        column: None,
        code: RowCode::DuplicateInFile,
        message: format!(
            "row {} has the same key and comes later; only that one is taken",
            superseded.by_row_number
        ),
        value: None,
    };
    failed(row, vec![error])
}
