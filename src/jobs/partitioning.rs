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
    partitions: usize,
) -> usize {
    if partitions <= 1 || !converter.key(row, key) {
        return 0;
    }
    // A fixed hash: a job that continues after a restart must divide its rows as before. The defaults
    // are never taken: a remainder fits where its divisor does.
    let divisor = u64::try_from(partitions).unwrap_or(u64::MAX);
    usize::try_from(xxh3_64(key.as_bytes()) % divisor).unwrap_or(0)
}
