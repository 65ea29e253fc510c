//! The reader's side of a running job: rows are converted and cut into chunks, one stream a lane.
//!
//! A lane is one writer's share of the keys. It goes on behind the last row that it committed, so
//! each lane is its own checkpoint and the lanes need not wait for each other.

use std::sync::Arc;

use tokio::sync::mpsc;
use xxhash_rust::xxh3::xxh3_64;

use super::error::RunError;
use super::source::Source;
use super::stop::Stop;
use super::survey::SupersededRows;
use crate::dataset::Converter;
use crate::domain::chunk::{Chunk, FailedRow, Superseded};
use crate::domain::limits::CHUNK_BYTES_MAX;
use crate::domain::options::Duplicates;
use crate::domain::record::Records;
use crate::domain::row::RawRow;
use crate::domain::row_error::{RowCode, RowError};
use crate::faults::fault;

/// Where a lane goes on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LaneStart {
    /// Chunks that are committed.
    pub(super) chunks: u32,
    /// The last row of them.
    pub(super) last_row: u32,
}

/// What the cutter must know.
#[derive(Debug)]
pub(super) struct Cutter {
    pub(super) converter: Converter,
    /// Values of a record.
    pub(super) width: usize,
    pub(super) chunk_rows: usize,
    pub(super) duplicates: Duplicates,
    pub(super) superseded: SupersededRows,
    pub(super) stop: Stop,
}

/// The two ends that the cutter holds of a lane.
#[derive(Debug)]
pub(super) struct LaneEnds {
    pub(super) start: LaneStart,
    /// Where finished chunks go.
    pub(super) out: mpsc::Sender<Arc<Chunk>>,
    /// Where written chunks come back, so that their memory serves again: taking it anew for every
    /// chunk was measured to cost as much as the conversion itself, and to leave holes.
    pub(super) used: std::sync::mpsc::Receiver<Chunk>,
}

struct Lane {
    ends: LaneEnds,
    next: Chunk,
}

impl Cutter {
    /// Reads the file to its end and sends the chunks; waits where the writers are slower.
    ///
    /// # Errors
    /// `Stopped` when asked to, or when a writer has gone; the reader's.
    pub(super) fn cut(mut self, source: &Source, lanes: Vec<LaneEnds>) -> Result<(), RunError> {
        let count = u32::try_from(lanes.len()).unwrap_or(1).max(1);
        let mut lanes: Vec<Lane> = lanes
            .into_iter()
            .enumerate()
            .map(|(index, ends)| {
                let lane = u32::try_from(index).unwrap_or(0);
                let number = ends.start.chunks * count + lane;
                Lane { next: self.empty(number, lane), ends }
            })
            .collect();
        let (mut row, mut key) = (RawRow::new(), String::new());
        let mut rows = source.rows()?;
        fault!("cut.begin", RunError::Panicked);
        while rows.next(&mut row)? {
            let superseded = self.superseded.overtakes(row.row_number)?;
            let lane = lane_of(&mut self.converter, &row, &mut key, count);
            let Some(lane) = lanes.get_mut(lane) else { continue };
            if row.row_number <= lane.ends.start.last_row {
                continue;
            }
            self.add(&mut lane.next, &row, superseded);
            if lane.next.rows() >= self.chunk_rows || lane.next.bytes >= CHUNK_BYTES_MAX {
                self.send(lane, count)?;
            }
        }
        for lane in &mut lanes {
            if lane.next.rows() > 0 {
                self.send(lane, count)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, chunk: &mut Chunk, row: &RawRow, superseded: Option<Superseded>) {
        if chunk.rows() == 0 {
            chunk.first_row = row.row_number;
        }
        chunk.last_row = row.row_number;
        match superseded.map(|superseded| (superseded, self.duplicates)) {
            Some((superseded, Duplicates::Last)) => return chunk.superseded.push(superseded),
            Some((superseded, Duplicates::Error)) => chunk.failed.push(duplicate(row, superseded)),
            None => self.convert(chunk, row),
        }
        chunk.bytes += row.text_bytes();
    }

    fn convert(&mut self, chunk: &mut Chunk, row: &RawRow) {
        match self.converter.convert(row, &mut chunk.records) {
            Ok(()) => chunk.raw.push(row),
            Err(errors) => chunk.failed.push(failed(row, errors)),
        }
    }

    fn send(&mut self, lane: &mut Lane, lanes: u32) -> Result<(), RunError> {
        if self.stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        let (number, index) = (lane.next.number + lanes, lane.next.lane);
        let next = match lane.ends.used.try_recv() {
            Ok(mut used) => {
                used.begin_again(number, index);
                used
            }
            Err(_) => self.empty(number, index),
        };
        let chunk = std::mem::replace(&mut lane.next, next);
        lane.ends.out.blocking_send(Arc::new(chunk)).map_err(|_| RunError::Stopped)
    }

    fn empty(&self, number: u32, lane: u32) -> Chunk {
        Chunk { number, lane, records: Records::new(self.width), ..Chunk::default() }
    }
}

/// The lane of a row: rows with equal keys go the same way; rows without one go the first. `key` lends
/// its memory.
pub(super) fn lane_of(
    converter: &mut Converter,
    row: &RawRow,
    key: &mut String,
    lanes: u32,
) -> usize {
    if lanes <= 1 || !converter.key(row, key) {
        return 0;
    }
    // A fixed hash: a job that goes on after a restart must divide its rows as before.
    usize::try_from(xxh3_64(key.as_bytes()) % u64::from(lanes)).unwrap_or(0)
}

fn failed(row: &RawRow, errors: Vec<RowError>) -> FailedRow {
    let cells = row.cells().map(|(text, _)| text.to_owned()).collect();
    FailedRow { row_number: row.row_number, cells, errors }
}

fn duplicate(row: &RawRow, superseded: Superseded) -> FailedRow {
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
