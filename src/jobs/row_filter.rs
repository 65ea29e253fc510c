//! Only some rows of a file: those that an earlier job over the same file left. Cut and totals see no
//! others; the prescan does where they may supersede selected rows. Row numbers stay those of the file.

use std::sync::Arc;

use super::partitioning::partition_of;
use super::stop::Stop;
use crate::dataset::model::Dataset;
use crate::dataset::{CellRules, Converter, Plan};
use crate::domain::row::RawRow;
use crate::domain::row_number::RowNumber;
use crate::domain::selection::Selection;
use crate::reader::{ReadError, RowSource};

/// Rows between two looks at the stop flag: a selection may pass over most of a file.
const ROWS_PER_LOOK: u32 = 1024;

/// What separates the rows of a selection from the others.
#[derive(Debug)]
pub(super) struct RowFilter {
    selection: Selection,
    numbers: Option<Arc<[u8]>>,
    dataset: Arc<Dataset>,
    plan: Plan,
    rules: CellRules,
    stop: Stop,
}

impl RowFilter {
    /// For rows of a file of this plan; with `numbers` only rows that they name.
    pub(super) fn new(
        selection: Selection,
        numbers: Option<Vec<u8>>,
        dataset: &Arc<Dataset>,
        plan: &Plan,
        rules: CellRules,
        stop: &Stop,
    ) -> Self {
        Self {
            selection,
            numbers: numbers.map(Into::into),
            dataset: Arc::clone(dataset),
            plan: plan.clone(),
            rules,
            stop: stop.clone(),
        }
    }

    /// Passes on what the selection names of `rows`.
    pub(super) fn pick(&self, rows: Box<dyn RowSource>) -> Box<dyn RowSource> {
        Box::new(SelectedRows { rows, passed: 0, pass: self.pass(), stop: self.stop.clone() })
    }

    /// True when rows outside of the selection may supersede rows in it. A selection of rows that were
    /// not reached includes every later row with the same key; a selection of failed rows need not.
    pub(super) fn has_superseding_rows(&self) -> bool {
        self.selection.has_numbers()
    }

    /// For one pass through the file.
    pub(super) fn pass(&self) -> FilterPass {
        FilterPass {
            numbers: self.numbers.as_ref().map(|bytes| RowNumbers { bytes: bytes.clone(), at: 0 }),
            partitions: self.selection.partitions().to_vec(),
            converter: Converter::new(&self.dataset, &self.plan, self.rules.clone()),
            key: String::new(),
        }
    }
}

/// Separates the rows that are taken from the others, in one pass through the file.
pub(super) struct FilterPass {
    numbers: Option<RowNumbers>,
    /// The last row of each partition that is not taken.
    partitions: Vec<RowNumber>,
    /// Finds the partition of a row.
    converter: Converter,
    key: String,
}

impl FilterPass {
    /// To be asked with growing row numbers.
    pub(super) fn takes(&mut self, row: &RawRow) -> bool {
        if self.numbers.as_mut().is_some_and(|numbers| !numbers.have(row.row_number)) {
            return false;
        }
        if self.partitions.is_empty() {
            return true;
        }
        let count = self.partitions.len();
        let partition = partition_of(&mut self.converter, row, &mut self.key, count);
        let Some(last_row) = self.partitions.get(partition) else {
            unreachable!("row {} is in partition {partition} of {count}", row.row_number);
        };
        row.row_number > *last_row
    }
}

struct SelectedRows {
    rows: Box<dyn RowSource>,
    passed: u32,
    pass: FilterPass,
    stop: Stop,
}

impl RowSource for SelectedRows {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        while self.rows.next(row)? {
            self.passed = self.passed.wrapping_add(1);
            if self.passed.is_multiple_of(ROWS_PER_LOOK) && self.stop.is_stopped() {
                return Err(ReadError::Stopped);
            }
            if self.pass.takes(row) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Row numbers as they are stored: sorted, four bytes each, little-endian.
struct RowNumbers {
    bytes: Arc<[u8]>,
    at: usize,
}

impl RowNumbers {
    /// True when `row_number` is among them. To be asked with growing row numbers.
    fn have(&mut self, row_number: RowNumber) -> bool {
        while let Some(number) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<4>) {
            let number = RowNumber::new(u32::from_le_bytes(*number));
            if number > row_number {
                return false;
            }
            self.at += 4;
            if number == row_number {
                return true;
            }
        }
        false
    }
}

/// Row numbers as [`RowFilter`] reads them.
pub(super) fn stored(mut numbers: Vec<RowNumber>) -> Vec<u8> {
    numbers.sort_unstable();
    numbers.iter().flat_map(|number| number.get().to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_numbers_are_found_again_in_the_order_of_the_file() {
        let bytes: Arc<[u8]> = stored([900, 2, 70_000].map(RowNumber::new).to_vec()).into();
        let mut numbers = RowNumbers { bytes, at: 0 };
        let asked = [2, 3, 900, 901, 70_000, 70_001].into_iter();
        let found: Vec<u32> = asked.filter(|n| numbers.have(RowNumber::new(*n))).collect();
        assert_eq!(found, [2, 900, 70_000]);
    }
}
