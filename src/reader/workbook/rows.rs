//! Cells, one after another, gathered into rows.

use std::ops::ControlFlow;

use super::cell::{CellValue, Written, write};
use super::fault::{corrupt, place};
use super::shown::Shown;
use crate::domain::limits::FIELD_BYTES_MAX;
use crate::domain::row::CellKind;
use crate::domain::row_error::shown;
use crate::reader::csv_rows::CELLS_PAST_HEADER;
use crate::reader::error::WorkbookFault;

/// Rows of a worksheet (ECMA-376 18.3.1.73).
const ROWS_MAX: u32 = 1_048_576;

/// Columns of a worksheet.
const COLUMNS_MAX: u32 = 16_384;

/// Bytes of text of one row, so that its frame in the spool stays within bounds.
const ROW_BYTES_MAX: usize = 32 << 20;

/// Bytes that are looked through for merged areas after an inspection has seen enough rows.
pub(super) const AFTER_SAMPLE_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, Copy)]
struct Placed {
    column: u32,
    kind: CellKind,
    /// Where its number begins; empty but for [`CellKind::Labelled`].
    number: usize,
    start: usize,
    end: usize,
}

/// A cell as it is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellText<'a> {
    pub(crate) kind: CellKind,
    pub(crate) text: &'a str,
    /// The number of a [`CellKind::Labelled`].
    pub(crate) number: &'a str,
}

impl CellText<'_> {
    const EMPTY: Self = Self { kind: CellKind::Text, text: "", number: "" };
}

/// The cells of one row that are not empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowCells {
    text: String,
    cells: Vec<Placed>,
    is_hidden: bool,
}

impl RowCells {
    /// Hands out the cells from the left, gaps as empty texts. Past `header_cells` only so many
    /// are handed out as the report of a long row needs.
    pub(crate) fn each(&self, header_cells: usize, mut take: impl FnMut(CellText<'_>)) {
        let most = header_cells + CELLS_PAST_HEADER;
        let mut next = 0;
        for cell in &self.cells {
            let column = cell.column as usize;
            let last = most.saturating_sub(1);
            // What lies past the bound stands in the last place, so that it is not overlooked.
            let column = if column > last && next <= last { last } else { column };
            if column > last {
                break;
            }
            for _ in next..column {
                take(CellText::EMPTY);
            }
            take(CellText {
                kind: cell.kind,
                text: self.text.get(cell.start..cell.end).unwrap_or_default(),
                number: self.text.get(cell.number..cell.start).unwrap_or_default(),
            });
            next = column + 1;
        }
    }

    /// Bytes of text in all cells.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The sheet hides the row.
    pub(crate) fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
        self.is_hidden = false;
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| {
            let text = self.text.get(cell.start..cell.end).unwrap_or_default();
            cell.kind == CellKind::Text && text.trim().is_empty()
        })
    }

    /// Puts the cells of a row that came in any order from left to right.
    fn order(&mut self, sheet: &str, row: u32) -> Result<(), WorkbookFault> {
        let columns = |cells: &[Placed]| {
            cells.windows(2).all(|pair| match pair {
                [left, right] => left.column < right.column,
                _ => true,
            })
        };
        if columns(&self.cells) {
            return Ok(());
        }
        self.cells.sort_by_key(|cell| cell.column);
        if columns(&self.cells) {
            return Ok(());
        }
        let twice = self.cells.windows(2).find_map(|pair| match pair {
            [left, right] if left.column == right.column => Some(left.column),
            _ => None,
        });
        let cell = place((row, twice.unwrap_or_default()));
        Err(corrupt(format_args!("cell {cell} of sheet `{}` stands in it twice", shown(sheet))))
    }
}

/// Takes a row that is not blank, with its number; says whether more are wanted.
type OnRow<'a> = dyn FnMut(u32, &RowCells) -> Result<ControlFlow<()>, WorkbookFault> + 'a;

/// Gathers cells and gives each row to `on_row`.
pub(crate) struct RowGatherer<'a> {
    sheet: String,
    current: u32,
    /// The last row of which the sheet said that it is hidden.
    hidden: Option<u32>,
    row: RowCells,
    on_row: &'a mut OnRow<'a>,
}

impl<'a> RowGatherer<'a> {
    pub(crate) fn new(sheet: &str, on_row: &'a mut OnRow<'a>) -> Self {
        Self { sheet: sheet.to_owned(), current: 0, hidden: None, row: RowCells::default(), on_row }
    }

    /// The sheet hides `row`, whose cells come next.
    pub(crate) fn hide(&mut self, row: u32) {
        self.hidden = Some(row);
    }

    /// The last cell that came, from 0.
    pub(crate) fn place(&self) -> (u32, u32) {
        (self.current, self.row.cells.last().map_or(0, |cell| cell.column))
    }

    /// Takes the cell at `row` and `column`, from 0.
    pub(crate) fn cell(
        &mut self,
        (row, column): (u32, u32),
        value: CellValue<'_>,
        look: Shown<'_>,
    ) -> Result<ControlFlow<()>, WorkbookFault> {
        if row != self.current {
            if row < self.current {
                return Err(corrupt(format_args!(
                    "in sheet `{}` cell {} comes after row {}",
                    shown(&self.sheet),
                    place((row, column)),
                    u64::from(self.current) + 1
                )));
            }
            if self.end_row()?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
            self.current = row;
        }
        if matches!(value, CellValue::Empty) {
            return Ok(ControlFlow::Continue(()));
        }
        if row >= ROWS_MAX {
            return Err(WorkbookFault::TooManyRows { sheet: self.sheet.clone() });
        }
        if column >= COLUMNS_MAX {
            return Err(corrupt(format_args!(
                "cell {} of sheet `{}` stands past column XFD, the last one",
                place((row, column)),
                shown(&self.sheet)
            )));
        }
        let start = self.row.text.len();
        let Written { kind, text_start } = write(value, look, &mut self.row.text);
        if self.row.text.len() - start > FIELD_BYTES_MAX {
            return Err(WorkbookFault::Expands {
                detail: format!(
                    "cell {} of sheet `{}` has more than {} MiB of text",
                    place((row, column)),
                    shown(&self.sheet),
                    FIELD_BYTES_MAX >> 20
                ),
            });
        }
        if self.row.text.len() > ROW_BYTES_MAX {
            return Err(WorkbookFault::Expands {
                detail: format!(
                    "row {} of sheet `{}` has more than {} MiB of text",
                    u64::from(row) + 1,
                    shown(&self.sheet),
                    ROW_BYTES_MAX >> 20
                ),
            });
        }
        let (number, start, end) = (start, text_start, self.row.text.len());
        self.row.cells.push(Placed { column, kind, number, start, end });
        Ok(ControlFlow::Continue(()))
    }

    /// Ends the last row.
    pub(crate) fn end_row(&mut self) -> Result<ControlFlow<()>, WorkbookFault> {
        self.row.order(&self.sheet, self.current)?;
        self.row.is_hidden = self.hidden == Some(self.current);
        let flow = if self.row.is_blank() {
            ControlFlow::Continue(())
        } else {
            (self.on_row)(self.current.saturating_add(1), &self.row)?
        };
        self.row.clear();
        Ok(flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = Vec<(u32, Vec<String>)>;

    fn gathered(cells: &[(u32, u32, &str)]) -> Result<Rows, WorkbookFault> {
        let mut rows = Rows::new();
        let mut on_row = |number, row: &RowCells| {
            let mut texts = Vec::new();
            row.each(2, |cell| texts.push(cell.text.to_owned()));
            rows.push((number, texts));
            Ok(ControlFlow::Continue(()))
        };
        let mut gatherer = RowGatherer::new("a", &mut on_row);
        for (row, column, text) in cells {
            let _ = gatherer.cell((*row, *column), CellValue::Text(text), Shown::Plain)?;
        }
        let _ = gatherer.end_row()?;
        Ok(rows)
    }

    #[test]
    fn gaps_are_empty_cells_and_blank_rows_are_left_out() {
        let rows = gathered(&[(0, 0, "a"), (0, 2, "c"), (3, 1, " "), (5, 0, "x")]).unwrap();
        let expected: Rows =
            vec![(1, vec!["a".into(), String::new(), "c".into()]), (6, vec!["x".into()])];
        assert_eq!(rows, expected);
    }

    #[test]
    fn cells_of_a_row_may_come_in_any_order_but_rows_may_not_go_back() {
        assert_eq!(gathered(&[(0, 1, "b"), (0, 0, "a")]).unwrap()[0].1, ["a", "b"]);
        for cells in [&[(1, 0, "a"), (0, 0, "b")], &[(0, 0, "a"), (0, 0, "b")]] {
            assert_eq!(gathered(cells).unwrap_err().code().as_str(), "corrupt_workbook");
        }
    }

    #[test]
    fn places_outside_a_worksheet_are_refused() {
        let code = |row, column| gathered(&[(row, column, "x")]).unwrap_err().code().as_str();
        assert_eq!(code(1_048_576, 0), "too_many_rows");
        assert_eq!(code(u32::MAX, 0), "too_many_rows");
        assert_eq!(code(0, 16_384), "corrupt_workbook");
    }

    #[test]
    fn a_far_cell_does_not_fill_the_row_with_gaps() {
        let row = &gathered(&[(0, 0, "a"), (0, 16_383, "z"), (1, 65, "y")]).unwrap();
        assert_eq!((row[0].1.len(), row[0].1[65].as_str()), (66, "z"));
        assert_eq!(row[1].1[65], "y");
    }
}
