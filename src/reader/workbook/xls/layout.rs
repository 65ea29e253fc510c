//! What the records of an XLS sheet say that calamine does not hand on: the styles of numbers, hidden
//! rows and columns, merged cells ([MS-XLS] 2.1.7.20.5).

use std::collections::HashSet;

use super::records::XlsRecords;
use crate::reader::error::WorkbookFault;
use crate::reader::merged::Region;
use crate::reader::spool::SheetFacts;
use crate::reader::workbook::little_endian::u16_at;
use crate::reader::workbook::number_format::{NumberFormat, NumberKind};

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000A;
const ROW: u16 = 0x0208;
const COLUMNS: u16 = 0x007D;
const NUMBER: u16 = 0x0203;
const SHORT_NUMBER: u16 = 0x027E;
const SHORT_NUMBERS: u16 = 0x00BD;
const FORMULA: u16 = 0x0006;
const MERGED: u16 = 0x00E5;

/// Bytes of each number of `MulRk`: its style and itself.
const SHORT_NUMBER_BYTES: usize = 6;

/// The style of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberStyle {
    pub(super) style: u16,
    pub(super) is_formula: bool,
}

/// How a sheet shows its cells.
#[derive(Debug, Default)]
pub(super) struct SheetLayout {
    /// By row and column, in order; only of those whose format says something.
    styles: Vec<((u16, u16), NumberStyle)>,
    hidden_rows: HashSet<u16>,
    pub(super) facts: SheetFacts,
}

impl SheetLayout {
    /// Reads the sheet that begins at byte `at` of the stream. What is broken here is broken for
    /// calamine too.
    pub(super) fn read(
        stream: &[u8],
        at: usize,
        formats: &[NumberFormat],
    ) -> Result<Self, WorkbookFault> {
        let (mut layout, mut depth) = (Self::default(), 0_u32);
        for (_, kind, body) in XlsRecords::from(stream, at) {
            match kind {
                // A chart on the sheet has records of its own.
                BEGIN => depth += 1,
                END if depth <= 1 => break,
                END => depth -= 1,
                _ if depth > 1 => {}
                // `fDyZero`.
                ROW if body.get(12).is_some_and(|flags| flags & 0x20 != 0) => {
                    layout.hidden_rows.extend(u16_at(body, 0));
                }
                COLUMNS if body.get(8).is_some_and(|flags| flags & 1 != 0) => {
                    let columns = u16_at(body, 0).zip(u16_at(body, 2));
                    let columns = columns.map(|(first, last)| (first.into(), last.into()));
                    layout.facts.hidden_columns.extend(columns);
                }
                NUMBER | SHORT_NUMBER | SHORT_NUMBERS | FORMULA => {
                    layout.add_numbers(kind, body, formats);
                }
                MERGED => {
                    for area in body.get(2..).unwrap_or_default().chunks_exact(8) {
                        if let Some(region) = region(area) {
                            layout.facts.add_merged(region)?;
                        }
                    }
                }
                _ => {}
            }
        }
        layout.styles.sort_by_key(|(place, _)| *place);
        Ok(layout)
    }

    fn add_numbers(&mut self, kind: u16, body: &[u8], formats: &[NumberFormat]) {
        let Some((row, first)) = u16_at(body, 0).zip(u16_at(body, 2)) else { return };
        // One place behind the first number stands its style; then come the others.
        let numbers = body.get(4..).unwrap_or_default().chunks(SHORT_NUMBER_BYTES);
        let count = if kind == SHORT_NUMBERS {
            body.len().saturating_sub(6) / SHORT_NUMBER_BYTES
        } else {
            1
        };
        for (column, number) in (first..).zip(numbers.take(count)) {
            let Some(style) = u16_at(number, 0) else { return };
            let format = formats.get(usize::from(style));
            if format.is_some_and(|format| format.kind() != NumberKind::General) {
                let is_formula = kind == FORMULA;
                self.styles.push(((row, column), NumberStyle { style, is_formula }));
            }
        }
    }

    /// The style of the number at `row` and `column`, from 0.
    pub(super) fn style(&self, (row, column): (u32, u32)) -> Option<NumberStyle> {
        let place = (u16::try_from(row).ok()?, u16::try_from(column).ok()?);
        let index = self.styles.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        self.styles.get(index).map(|(_, style)| *style)
    }

    pub(super) fn is_hidden(&self, row: u32) -> bool {
        u16::try_from(row).is_ok_and(|row| self.hidden_rows.contains(&row))
    }
}

/// `Ref8` ([MS-XLS] 2.5.211).
fn region(area: &[u8]) -> Option<Region> {
    let (first_row, last_row) = (u16_at(area, 0)?, u16_at(area, 2)?);
    let (first_column, last_column) = (u16_at(area, 4)?, u16_at(area, 6)?);
    let is_area = first_row <= last_row && first_column <= last_column;
    is_area.then_some(Region {
        first_row: first_row.into(),
        last_row: last_row.into(),
        first_column: first_column.into(),
        last_column: last_column.into(),
    })
}
