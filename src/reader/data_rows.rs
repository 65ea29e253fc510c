//! The rows of a CSV file behind its header. Looks a few rows ahead where one is short: rows that a
//! line break made of one row are reported as such, and none of them passes for a row.

use std::collections::VecDeque;
use std::io::Read;

use super::RowSource;
use super::csv_rows::CsvRows;
use super::error::ReadError;
use crate::domain::row::{RawRow, RowFault};

/// Rows behind a short one that are looked at.
const ROWS_AHEAD: usize = 16;

/// Reads the data rows one by one.
#[derive(Debug)]
pub(super) struct DataRows<R> {
    rows: CsvRows<R>,
    columns: usize,
    /// Rows that were read already.
    ahead: VecDeque<RawRow>,
    /// Rows whose memory is used again.
    spare: Vec<RawRow>,
}

impl<R: Read> DataRows<R> {
    /// The rows behind the header, which was read last and has so many `columns`.
    pub(super) fn new(mut rows: CsvRows<R>, columns: usize) -> Self {
        rows.set_header_cells(columns);
        Self { rows, columns, ahead: VecDeque::new(), spare: Vec::new() }
    }

    /// The next row that is not blank. False at the end.
    pub(super) fn next_row(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        if let Some(mut read) = self.ahead.pop_front() {
            std::mem::swap(row, &mut read);
            self.spare.push(read);
        } else if !self.rows.next_row(row)? {
            return Ok(false);
        }
        if self.is_short(row)
            && let Some(others) = self.parts_behind(row)?
        {
            self.mark(row, others);
        }
        Ok(true)
    }

    fn is_short(&self, row: &RawRow) -> bool {
        row.len() < self.columns && row.fault.is_none()
    }

    /// How many of the next rows are short, too, and together with `row` as long as the header: the
    /// other parts of one row, unless each looks like a row of its own.
    fn parts_behind(&mut self, row: &RawRow) -> Result<Option<usize>, ReadError> {
        let mut cells = row.len();
        for index in 0..ROWS_AHEAD {
            if index == self.ahead.len() && !self.read_ahead()? {
                return Ok(None);
            }
            let next = self.ahead.get(index).filter(|next| self.is_short(next));
            let Some(next) = next else { return Ok(None) };
            // The break stands inside of a cell, which both rows have a part of.
            cells += next.len() - 1;
            if cells == self.columns {
                let others = index + 1;
                let is_alike = self.ahead.iter().take(others).all(|other| are_alike(row, other));
                return Ok((!is_alike).then_some(others));
            }
            if cells > self.columns {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Reads one row more. False at the end.
    fn read_ahead(&mut self) -> Result<bool, ReadError> {
        let mut row = self.spare.pop().unwrap_or_default();
        let is_row = self.rows.next_row(&mut row)?;
        if is_row {
            self.ahead.push_back(row);
        }
        Ok(is_row)
    }

    /// Makes `row` and the `others` behind it parts of a broken row.
    fn mark(&mut self, row: &mut RawRow, others: usize) {
        let last = self.ahead.get(others - 1).map_or(row.row_number, |last| last.row_number);
        let (first, columns) = (row.row_number, self.columns);
        let fault = RowFault::BrokenRow { first, last, columns };
        for part in std::iter::once(row).chain(self.ahead.iter_mut().take(others)) {
            part.fault = Some(fault.clone());
        }
    }
}

impl<R: Read + Send> RowSource for DataRows<R> {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        self.next_row(row)
    }
}

/// Two rows of the same kind: numbers stand in the same places, and in one place at least. Rows of
/// which a program left the last cells out look so; parts of one row do not.
fn are_alike(one: &RawRow, other: &RawRow) -> bool {
    let mut has_number = false;
    one.len() == other.len()
        && one.cells().zip(other.cells()).all(|((one, _), (other, _))| {
            let is_number = is_number(one);
            has_number |= is_number;
            is_number == self::is_number(other)
        })
        && has_number
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    let is_digit = |byte: u8| byte.is_ascii_digit();
    text.bytes().any(is_digit)
        && text.bytes().all(|byte| is_digit(byte) || b".,+-% '".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::csv_record::Dialect;

    /// The row numbers that are parts of a broken row, as first and last, and the number of rows.
    fn broken(text: &str, columns: usize) -> (Vec<(u32, u32)>, usize) {
        let rows = CsvRows::new(text.as_bytes(), Dialect::new(b','));
        let mut rows = DataRows::new(rows, columns);
        let (mut row, mut broken, mut read) = (RawRow::new(), Vec::new(), 0);
        let mut before = 0;
        while rows.next_row(&mut row).unwrap() {
            read += 1;
            assert!(row.row_number.get() > before, "rows come in their order");
            before = row.row_number.get();
            if let Some(RowFault::BrokenRow { first, last, .. }) = row.fault {
                assert!((first..=last).contains(&row.row_number));
                broken.push((first.get(), last.get()));
            }
        }
        (broken, read)
    }

    #[test]
    fn short_rows_that_add_up_to_a_row_are_parts_of_it() {
        let text = "A,Lamp,warm\n40 W,2.50,4\nB,Table,oak,9,1\n";
        assert_eq!(broken(text, 5), (vec![(1, 2), (1, 2)], 3));
        let text = "A,Lamp,warm\nwhite\n\n40 W,2.50,4\nB,Table,oak\nbrown,9,1";
        assert_eq!(broken(text, 5), (vec![(1, 4), (1, 4), (1, 4), (5, 6), (5, 6)], 5));
        let text = "A,Lamp,warm,2\n,4\n";
        assert_eq!(broken(text, 5), (vec![(1, 2), (1, 2)], 2));
    }

    #[test]
    fn rows_of_which_the_end_is_left_out_are_rows() {
        assert_eq!(broken("A,Lamp,2.50\nB,Table,9\nC,Chair,4\n", 5), (vec![], 3));
        assert_eq!(broken("A,Lamp,2.50\nB,Table,oak,9,1\nC,Chair,4\n", 5), (vec![], 3));
        assert_eq!(broken("A,Lamp\nB,Table\n", 5), (vec![], 2));
        assert_eq!(broken("A\nB\n", 1), (vec![], 2));
    }

    #[test]
    fn a_row_that_was_looked_at_may_begin_a_broken_one() {
        let text = "A,Lamp,2.50,1\nB,Lamp,warm\n40 W,2.50,4\nC,Table,oak,9,1\n";
        assert_eq!(broken(text, 5), (vec![(2, 3), (2, 3)], 4));
    }
}
