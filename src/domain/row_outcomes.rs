//! What became of each row of a chunk, as a few bytes: runs of rows with the same outcome. Rows that
//! are none of the chunk, such as those of another partition, are runs without one.

use super::event::RowEventKind;
use super::row_number::RowNumber;

/// Bits of a run's first byte that hold its outcome.
const OUTCOME_BITS: u32 = 3;

/// Set in a byte behind which the length goes on.
const GOES_ON: u8 = 0x80;

/// Bits of the length in the first byte of a run.
const FIRST_BITS: u32 = 4;

/// The outcomes as their codes, from 1.
const OUTCOMES: [RowEventKind; 5] = [
    RowEventKind::Created,
    RowEventKind::Updated,
    RowEventKind::Unchanged,
    RowEventKind::Superseded,
    RowEventKind::Failed,
];

/// Writes the outcomes of rows, which come in the order of the file; `first` is the first of them.
#[must_use]
pub fn encode(
    first: RowNumber,
    rows: impl IntoIterator<Item = (RowNumber, RowEventKind)>,
) -> Vec<u8> {
    let mut runs = Runs { bytes: Vec::new(), code: 0, length: 0 };
    let mut next = first.get();
    for (row_number, kind) in rows {
        let gap = row_number.get().saturating_sub(next);
        runs.add(0, gap);
        let code = OUTCOMES.iter().position(|outcome| *outcome == kind).map_or(0, |at| at + 1);
        runs.add(u8::try_from(code).unwrap_or(0), 1);
        next = row_number.get().saturating_add(1);
    }
    runs.end();
    runs.bytes
}

struct Runs {
    bytes: Vec<u8>,
    code: u8,
    length: u32,
}

impl Runs {
    fn add(&mut self, code: u8, length: u32) {
        if length > 0 && code != self.code {
            self.end();
            self.code = code;
        }
        self.length += length;
    }

    fn end(&mut self) {
        let length = std::mem::take(&mut self.length);
        let Some(mut rest) = length.checked_sub(1) else { return };
        let mut low = |bits: u32| {
            let part = u8::try_from(rest & ((1 << bits) - 1)).unwrap_or(0);
            rest >>= bits;
            (part, if rest > 0 { GOES_ON } else { 0 })
        };
        let (part, mut more) = low(FIRST_BITS);
        self.bytes.push(self.code | part << OUTCOME_BITS | more);
        while more > 0 {
            let (part, goes_on) = low(7);
            self.bytes.push(part | goes_on);
            more = goes_on;
        }
    }
}

/// Reads the outcomes again, in the order of the file.
#[derive(Debug)]
pub struct RowOutcomes {
    bytes: std::vec::IntoIter<u8>,
    kind: Option<RowEventKind>,
    /// Rows of the run that are left.
    left: u32,
    next: u32,
}

impl RowOutcomes {
    /// Of bytes that [`encode`] made for rows from `first` on.
    #[must_use]
    pub fn new(first: RowNumber, bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into_iter(), kind: None, left: 0, next: first.get() }
    }

    /// The outcome of a row, if it is one of the chunk. To be asked with growing row numbers.
    pub fn of(&mut self, row_number: RowNumber) -> Option<RowEventKind> {
        let wanted = row_number.get();
        if wanted < self.next {
            return None;
        }
        loop {
            let skipped = wanted - self.next;
            if skipped < self.left {
                self.left -= skipped;
                self.next = wanted;
                return self.kind;
            }
            self.next += self.left;
            (self.kind, self.left) = self.run()?;
        }
    }

    fn run(&mut self) -> Option<(Option<RowEventKind>, u32)> {
        let first = self.bytes.next()?;
        let mut length = u32::from((first & !GOES_ON) >> OUTCOME_BITS);
        let (mut more, mut shift) = (first & GOES_ON, FIRST_BITS);
        while more > 0 {
            let byte = self.bytes.next()?;
            length |= u32::from(byte & !GOES_ON).checked_shl(shift).unwrap_or(0);
            (more, shift) = (byte & GOES_ON, shift + 7);
        }
        let code = usize::from(first & ((1 << OUTCOME_BITS) - 1));
        let kind = code.checked_sub(1).and_then(|at| OUTCOMES.get(at)).copied();
        Some((kind, length.saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chunk_of_equal_outcomes_is_a_few_bytes() {
        let row = |number| (RowNumber::new(number), RowEventKind::Created);
        assert_eq!(encode(RowNumber::new(2), (2..10_002).map(row)).len(), 3);
        assert_eq!(encode(RowNumber::new(1), (0..10_000).map(|n| row(n * 2 + 1))).len(), 19_999);
    }

    proptest! {
        #[test]
        fn outcomes_are_read_as_they_were_written(
            first in 1_u32..1 << 31,
            steps in prop::collection::vec((prop_oneof![Just(1_u32), 1_u32..4, 1_u32..5_000_000], 0_usize..5), 1..300),
        ) {
            let mut number = first - 1;
            let mut rows = Vec::new();
            for (step, outcome) in steps {
                number += if rows.is_empty() { 1 } else { step };
                rows.push((RowNumber::new(number), OUTCOMES[outcome]));
            }
            let mut read = RowOutcomes::new(RowNumber::new(first), encode(RowNumber::new(first), rows.clone()));
            for (row_number, kind) in &rows {
                if let Some(before) = row_number.get().checked_sub(1).filter(|before| *before >= first) {
                    let is_listed = rows.iter().any(|(other, _)| other.get() == before);
                    prop_assert!(is_listed || read.of(RowNumber::new(before)).is_none());
                }
                prop_assert_eq!(read.of(*row_number), Some(*kind));
                prop_assert_eq!(read.of(*row_number), Some(*kind));
            }
            prop_assert_eq!(read.of(RowNumber::new(number + 1)), None);
        }
    }
}
