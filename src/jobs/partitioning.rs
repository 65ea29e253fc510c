//! Which partition of a job a row belongs to.

use xxhash_rust::xxh3::xxh3_64;

use crate::dataset::Converter;
use crate::domain::row::RawRow;

/// The partition of a row: rows with equal keys go the same way; rows without one go the first. `key` lends
/// its memory.
pub(super) fn partition_of(
    converter: &mut Converter,
    row: &RawRow,
    key: &mut String,
    partitions: u32,
) -> usize {
    if partitions <= 1 || !converter.key(row, key) {
        return 0;
    }
    // A fixed hash: a job that goes on after a restart must divide its rows as before.
    usize::try_from(xxh3_64(key.as_bytes()) % u64::from(partitions)).unwrap_or(0)
}
