//! Sorting more numbers than should be in memory: full blocks go sorted to a temporary file and are
//! merged when all are there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::domain::limits::PRESCAN_KEYS_IN_MEMORY;

const BYTES: usize = size_of::<u128>();

/// Numbers on their way to being sorted.
#[derive(Debug)]
pub(super) struct ExternalSort {
    folder: PathBuf,
    in_memory_max: usize,
    block: Vec<u128>,
    runs: Vec<File>,
}

impl ExternalSort {
    /// An empty one; temporary files go into `folder` and vanish with the process.
    pub(super) fn new(folder: &Path) -> Self {
        Self::with_block(folder, PRESCAN_KEYS_IN_MEMORY)
    }

    fn with_block(folder: &Path, in_memory_max: usize) -> Self {
        Self { folder: folder.to_owned(), in_memory_max, block: Vec::new(), runs: Vec::new() }
    }

    /// Adds a number.
    pub(super) fn push(&mut self, number: u128) -> io::Result<()> {
        if self.block.len() == self.in_memory_max {
            self.write_block()?;
        }
        self.block.push(number);
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        self.block.sort_unstable();
        let mut file = BufWriter::with_capacity(256 << 10, tempfile::tempfile_in(&self.folder)?);
        for number in self.block.drain(..) {
            file.write_all(&number.to_le_bytes())?;
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        Ok(())
    }

    /// All numbers in ascending order.
    pub(super) fn sorted(mut self) -> io::Result<SortedNumbers> {
        if self.runs.is_empty() {
            self.block.sort_unstable();
            return Ok(SortedNumbers::Memory(self.block.into_iter()));
        }
        self.write_block()?;
        // The block's memory is given back before the readers take theirs.
        drop(self.block);
        let mut runs = Vec::with_capacity(self.runs.len());
        let mut heads = BinaryHeap::with_capacity(self.runs.len());
        for (index, file) in self.runs.into_iter().enumerate() {
            let mut run = BufReader::with_capacity(64 << 10, file);
            if let Some(number) = read(&mut run)? {
                heads.push(Reverse((number, index)));
            }
            runs.push(run);
        }
        Ok(SortedNumbers::Merge { runs, heads })
    }
}

fn read(run: &mut BufReader<File>) -> io::Result<Option<u128>> {
    let mut bytes = [0; BYTES];
    match run.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(u128::from_le_bytes(bytes))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Numbers in ascending order.
#[derive(Debug)]
pub(super) enum SortedNumbers {
    /// All fitted into memory.
    Memory(std::vec::IntoIter<u128>),
    /// Merged from sorted runs.
    Merge {
        /// The runs, each ascending.
        runs: Vec<BufReader<File>>,
        /// The next number of each run.
        heads: BinaryHeap<Reverse<(u128, usize)>>,
    },
}

impl Iterator for SortedNumbers {
    type Item = io::Result<u128>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Memory(numbers) => numbers.next().map(Ok),
            Self::Merge { runs, heads } => {
                let Reverse((number, index)) = heads.pop()?;
                match runs.get_mut(index).map(read) {
                    Some(Ok(Some(next))) => heads.push(Reverse((next, index))),
                    Some(Err(error)) => return Some(Err(error)),
                    Some(Ok(None)) | None => {}
                }
                Some(Ok(number))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_sorted_whether_or_not_they_fit(
            numbers in proptest::collection::vec(any::<u128>(), 0..60),
            block in 1_usize..20,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut sort = ExternalSort::with_block(folder.path(), block);
            for number in &numbers {
                sort.push(*number).unwrap();
            }
            let sorted: Vec<u128> = sort.sorted().unwrap().map(Result::unwrap).collect();
            let mut expected = numbers;
            expected.sort_unstable();
            prop_assert_eq!(sorted, expected);
        }
    }
}
