//! What the records of an XLSB sheet say that calamine does not hand on: styles, formulas, their
//! errors, codes of errors that it does not know (MS-XLSB 2.1.7.62), texts with formats of their own,
//! hidden rows and columns, and merged cells. Reads the sheet's part in step with calamine and keeps one cell.

use std::io::Read;

use super::records::{XlsbRecords, text};
use crate::reader::error::WorkbookFault;
use crate::reader::merged::Region;
use crate::reader::spool::SheetFacts;
use crate::reader::workbook::little_endian::u32_at;

/// `BrtRowHdr`: the cells of the row follow.
const ROW: u32 = 0x0000;
const CELL_ERROR: u32 = 0x0003;
/// `BrtFmlaString` to `BrtFmlaError`.
const FORMULAS: std::ops::RangeInclusive<u32> = 0x0008..=0x000B;
const FORMULA_ERROR: u32 = 0x000B;
/// `BrtCellBlank` to `BrtFmlaError`.
const CELLS: std::ops::RangeInclusive<u32> = 0x0001..=0x000B;
/// `BrtCellRString`: a text of which parts have formats of their own, in the cell itself.
const RICH_TEXT: u32 = 0x003E;
const COLUMNS: u32 = 0x003C;
const MERGED: u32 = 0x00B0;

/// The byte of a row's flags, and the one that says that it is hidden (MS-XLSB 2.4.739).
const ROW_FLAGS: usize = 11;
const ROW_HIDDEN: u8 = 0x10;

/// The value of a cell that calamine leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// What the cell shows of it.
    Error(&'static str),
    Text(String),
}

/// A cell as its record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScannedCell {
    /// Row and column, from 0.
    pub(super) place: (u32, u32),
    pub(super) style: usize,
    pub(super) is_formula: bool,
    pub(super) in_hidden_row: bool,
    pub(super) left_out: Option<LeftOut>,
}

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scanned {
    Cell(ScannedCell),
    Other,
    End,
}

/// Reads the records of a sheet. Where they are broken they end; the error is that of calamine when it reads
/// them.
pub(super) struct SheetScan<R: Read> {
    records: XlsbRecords<R>,
    row: u32,
    is_hidden: bool,
    next: Option<ScannedCell>,
    pub(super) facts: SheetFacts,
}

impl<R: Read> SheetScan<R> {
    pub(super) fn new(part: R) -> Self {
        Self {
            records: XlsbRecords::new(part),
            row: 0,
            is_hidden: false,
            next: None,
            facts: SheetFacts::default(),
        }
    }

    /// The next cell, if it stands before `place`, or at it, or if there is no place.
    pub(super) fn next_up_to(
        &mut self,
        place: Option<(u32, u32)>,
    ) -> Result<Option<ScannedCell>, WorkbookFault> {
        if self.next.is_none() {
            self.next = self.read_cell()?;
        }
        Ok(self.next.take_if(|cell| place.is_none_or(|place| cell.place <= place)))
    }

    /// Looks for merged cells in at most so many bytes.
    pub(super) fn finish(mut self, bytes_max: u64) -> Result<SheetFacts, WorkbookFault> {
        let end = self.records.bytes_read().saturating_add(bytes_max);
        while self.records.bytes_read() < end && self.read_record()? != Scanned::End {}
        Ok(self.facts)
    }

    fn read_cell(&mut self) -> Result<Option<ScannedCell>, WorkbookFault> {
        loop {
            match self.read_record()? {
                Scanned::Cell(cell) => return Ok(Some(cell)),
                Scanned::Other => {}
                Scanned::End => return Ok(None),
            }
        }
    }

    /// Reads one record.
    fn read_record(&mut self) -> Result<Scanned, WorkbookFault> {
        let Some((kind, body)) = self.records.next() else { return Ok(Scanned::End) };
        match kind {
            ROW => {
                self.row = u32_at(body, 0).unwrap_or(self.row);
                self.is_hidden = body.get(ROW_FLAGS).is_some_and(|it| it & ROW_HIDDEN != 0);
            }
            kind if CELLS.contains(&kind) || kind == RICH_TEXT => {
                let (Some(column), Some(style)) = (u32_at(body, 0), u32_at(body, 4)) else {
                    return Ok(Scanned::End);
                };
                return Ok(Scanned::Cell(ScannedCell {
                    place: (self.row, column),
                    style: usize::try_from(style & 0x00FF_FFFF).unwrap_or_default(),
                    is_formula: FORMULAS.contains(&kind),
                    in_hidden_row: self.is_hidden,
                    left_out: left_out(kind, body),
                }));
            }
            COLUMNS => {
                let is_hidden = body.get(16).is_some_and(|flags| flags & 1 != 0);
                if let (Some(first), Some(last), true) =
                    (u32_at(body, 0), u32_at(body, 4), is_hidden)
                {
                    self.facts.hidden_columns.push((first, last));
                }
            }
            MERGED => {
                if let Some(region) = region(body) {
                    self.facts.add_merged(region)?;
                }
            }
            _ => {}
        }
        Ok(Scanned::Other)
    }
}

/// `UncheckedRfX` (MS-XLSB 2.5.154).
fn region(body: &[u8]) -> Option<Region> {
    let (first_row, last_row) = (u32_at(body, 0)?, u32_at(body, 4)?);
    let (first_column, last_column) = (u32_at(body, 8)?, u32_at(body, 12)?);
    let is_area = first_row <= last_row && first_column <= last_column;
    is_area.then_some(Region { first_row, last_row, first_column, last_column })
}

/// The value of a record that calamine does not give.
fn left_out(kind: u32, body: &[u8]) -> Option<LeftOut> {
    if kind == RICH_TEXT {
        // Behind the cell stands a byte of flags (`RichStr`, MS-XLSB 2.5.121).
        return Some(
            text(body, 9).map_or(LeftOut::Error("#UNKNOWN!"), |(it, _)| LeftOut::Text(it)),
        );
    }
    let known = shown(*body.get(8)?);
    let is_left_out = kind == FORMULA_ERROR || kind == CELL_ERROR && known.is_none();
    is_left_out.then(|| LeftOut::Error(known.unwrap_or("#UNKNOWN!")))
}

/// `BErr` (MS-XLSB 2.5.97.2).
fn shown(code: u8) -> Option<&'static str> {
    Some(match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        0x2B => "#GETTING_DATA",
        _ => return None,
    })
}
