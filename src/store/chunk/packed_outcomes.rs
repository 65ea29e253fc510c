//! The outcomes of the rows of a chunk as `import_chunks` has them: packed with zlib, since the rows of
//! two partitions alternate.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::domain::chunk::Chunk;
use crate::domain::event::RowEventKind;
use crate::domain::row_number::RowNumber;
use crate::domain::row_outcomes::{RowOutcomes, encode};
use crate::store::chunk::outcome::ChunkOutcome;

/// The outcomes of all rows of a chunk, packed.
pub(in crate::store) fn pack(chunk: &Chunk, outcome: &ChunkOutcome) -> Vec<u8> {
    let mut kinds = vec![RowEventKind::Unchanged; chunk.records.len()];
    for (record, kind) in &outcome.changed {
        if let Some(slot) = kinds.get_mut(*record) {
            *slot = *kind;
        }
    }
    let mut failed = outcome.failed.iter().map(|row| row.row_number).peekable();
    let mut rows: Vec<(RowNumber, RowEventKind)> = Vec::with_capacity(chunk.rows());
    for (record, kind) in kinds.into_iter().enumerate() {
        let row_number = chunk.records.row_number(record);
        while failed.next_if(|failed| *failed < row_number).is_some() {}
        if failed.peek() != Some(&row_number) {
            rows.push((row_number, kind));
        }
    }
    rows.extend(outcome.failed.iter().map(|row| (row.row_number, RowEventKind::Failed)));
    let superseded = chunk.superseded.iter();
    rows.extend(superseded.map(|row| (row.row_number, RowEventKind::Superseded)));
    rows.sort_by_key(|(row_number, _)| *row_number);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    let runs = encode(chunk.first_row, rows);
    let written = packed.write_all(&runs).and_then(|()| packed.finish());
    // A vector takes every byte.
    written.unwrap_or_default()
}

/// Reads what [`pack`] made of a chunk that begins with row `first`.
pub(in crate::store) fn unpack(first: RowNumber, packed: &[u8]) -> std::io::Result<RowOutcomes> {
    let mut runs = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut runs)?;
    Ok(RowOutcomes::new(first, runs))
}
