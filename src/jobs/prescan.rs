//! The prescan: the whole file is looked through before its first row is written.
//!
//! It counts the rows, so that progress has a total; it meets every fault of the file's structure,
//! so that such a file changes nothing; and it finds the rows that a later row with the same key
//! supersedes, so that each key is written once and the counts do not depend on how the file is cut
//! into chunks. A job that takes only rows that failed compares them with all others of the file: a
//! later one that was imported is not to be overwritten. Memory stays bounded whatever the size: keys are sorted as 96-bit hashes, in
//! temporary files beyond a million.

use std::io;
use std::iter::Peekable;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_128_with_seed;

use super::error::RunError;
use super::external_sort::{ExternalSort, SortedNumbers};
use super::row_input::RowInput;
use super::stop::Stop;
use crate::dataset::Converter;
use crate::domain::chunk::SupersededRow;
use crate::domain::limits::ROWS_MAX;
use crate::domain::row::RawRow;
use crate::domain::row_number::RowNumber;

/// Rows between two looks at the stop flag.
const ROWS_PER_LOOK: u64 = 1024;

/// What is known of a file once it was looked through.
#[derive(Debug)]
pub(super) struct Prescan {
    /// Rows that are taken, without header, blank ones and those without data.
    pub(super) total: u64,
    /// Records that the rows can stand for at most: each key counts once, and each row without one.
    pub(super) keys: u64,
    /// The superseded rows in the order of the file, also of those that are not taken.
    pub(super) superseded: SupersededRows,
}

/// Looks the file through.
pub(super) fn prescan(
    source: &RowInput,
    converter: &mut Converter,
    folder: &Path,
    stop: &Stop,
) -> Result<Prescan, RunError> {
    // The seed is new for every prescan: nobody can prepare keys whose hashes collide.
    let seed = rand_seed();
    let mut keys = ExternalSort::new(folder);
    let (mut total, mut read, mut distinct) = (0_u64, 0_u64, 0_u64);
    let (mut row, mut key) = (RawRow::new(), String::new());
    let (source, mut pass) = source.with_superseding_rows();
    let mut rows = source.rows()?;
    while rows.next(&mut row)? {
        read += 1;
        if read > ROWS_MAX {
            return Err(RunError::TooManyRows);
        }
        if read.is_multiple_of(ROWS_PER_LOOK) && stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        if converter.skips(&row).is_some() {
            continue;
        }
        if pass.as_mut().is_none_or(|pass| pass.takes(&row)) {
            total += 1;
        }
        if converter.key(&row, &mut key) {
            keys.push(tagged(&key, seed, row.row_number)).map_err(sorting)?;
        } else {
            distinct += 1;
        }
    }
    let mut repeated = ExternalSort::new(folder);
    let mut any = false;
    let mut previous: Option<(u128, bool)> = None;
    for number in keys.sorted().map_err(sorting)? {
        let number = number.map_err(sorting)?;
        let same_key = previous.is_some_and(|(before, _)| hash_of(before) == hash_of(number));
        distinct += u64::from(!same_key);
        if let Some((before, kept)) = previous
            && same_key
        {
            any = true;
            if !kept {
                repeated.push(by_row(before)).map_err(sorting)?;
            }
            repeated.push(by_row(number)).map_err(sorting)?;
        }
        previous = Some((number, same_key));
    }
    let superseded = if any {
        superseded(source, converter, folder, repeated, stop)?
    } else {
        ExternalSort::new(folder).sorted().map_err(sorting)?
    };
    Ok(Prescan { total, keys: distinct, superseded: SupersededRows(superseded.peekable()) })
}

/// Reads the file again to see which of the repeated rows are valid: only a valid row supersedes another,
/// and only a valid row is superseded.
fn superseded(
    source: &RowInput,
    converter: &mut Converter,
    folder: &Path,
    repeated: ExternalSort,
    stop: &Stop,
) -> Result<SortedNumbers, RunError> {
    let mut valid = ExternalSort::new(folder);
    let mut candidates = repeated.sorted().map_err(sorting)?.peekable();
    let mut row = RawRow::new();
    let mut rows = source.rows()?;
    while candidates.peek().is_some() && rows.next(&mut row)? {
        if u64::from(row.row_number).is_multiple_of(ROWS_PER_LOOK) && stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        let is_this = |next: &io::Result<u128>| match next {
            Ok(number) => row_of(by_key(*number)) == row.row_number,
            Err(_) => true,
        };
        if let Some(candidate) = candidates.next_if(is_this) {
            let tagged = by_key(candidate.map_err(sorting)?);
            if converter.accepts(&row) {
                valid.push(tagged ^ u128::from(u32::MAX)).map_err(sorting)?;
            }
        }
    }
    // Rows are turned round within a key: the last one, which supersedes the others, comes first.
    let mut superseded = ExternalSort::new(folder);
    let mut last_of_key: Option<u128> = None;
    for number in valid.sorted().map_err(sorting)? {
        let number = number.map_err(sorting)?;
        match last_of_key {
            Some(by) if hash_of(by) == hash_of(number) => {
                let (row, by) = (u128::from(!row_of(number).get()), u128::from(!row_of(by).get()));
                superseded.push(row << 32 | by).map_err(sorting)?;
            }
            _ => last_of_key = Some(number),
        }
    }
    superseded.sorted().map_err(sorting)
}

/// 96 bits of the key's hash, then the row.
fn tagged(key: &str, seed: u64, row_number: RowNumber) -> u128 {
    xxh3_128_with_seed(key.as_bytes(), seed) << 32 | u128::from(row_number)
}

fn row_of(tagged: u128) -> RowNumber {
    // No number is lost: the mask leaves 32 bits.
    RowNumber::new(u32::try_from(tagged & u128::from(u32::MAX)).unwrap_or_default())
}

fn hash_of(tagged: u128) -> u128 {
    tagged >> 32
}

/// Row first, so that sorting gives the order of the file; undone by [`by_key`].
fn by_row(tagged: u128) -> u128 {
    tagged.rotate_left(96)
}

fn by_key(number: u128) -> u128 {
    number.rotate_right(96)
}

fn sorting(source: io::Error) -> RunError {
    RunError::Io { doing: "sort the keys of the file", source }
}

fn rand_seed() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

/// The superseded rows in the order of the file.
#[derive(Debug)]
pub(super) struct SupersededRows(Peekable<SortedNumbers>);

impl SupersededRows {
    /// The row that supersedes `row_number`, if one does. To be asked with growing row numbers.
    pub(super) fn superseded_by(
        &mut self,
        row_number: RowNumber,
    ) -> Result<Option<SupersededRow>, RunError> {
        let (is_this, is_before) = (
            |next: &u128| next >> 32 == u128::from(row_number),
            |next: &u128| next >> 32 < u128::from(row_number),
        );
        while let Some(next) = self.0.next_if(|next| match next {
            Ok(next) => is_this(next) || is_before(next),
            Err(_) => true,
        }) {
            let next = next.map_err(sorting)?;
            if is_this(&next) {
                return Ok(Some(SupersededRow { row_number, by_row_number: row_of(next) }));
            }
        }
        Ok(None)
    }
}
