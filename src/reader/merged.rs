//! Merged cells: a value that stands once for several rows is repeated in each of them.

use serde::{Deserialize, Serialize};

use crate::domain::row::{CellKind, RawRow};

/// Columns of a worksheet.
const COLUMNS_MAX: u32 = 16_384;

/// An area of merged cells, from 0, both ends within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Region {
    pub(crate) first_row: u32,
    pub(crate) last_row: u32,
    pub(crate) first_column: u32,
    pub(crate) last_column: u32,
}

/// The merged area that a column is in at present.
#[derive(Debug, Clone)]
struct MergedColumn {
    first_row: u32,
    last_row: u32,
    /// The column has the area's value; the others of the area have none.
    is_first_column: bool,
    value: Option<MergedValue>,
}

#[derive(Debug, Clone)]
struct MergedValue {
    kind: CellKind,
    text: String,
    number: String,
}

/// Repeats the values of merged cells in rows that come from the first to the last.
#[derive(Debug, Default)]
pub(crate) struct MergedCells {
    /// By their first row, the last one first.
    pending: Vec<Region>,
    columns: Vec<Option<MergedColumn>>,
    filled: RawRow,
}

impl MergedCells {
    pub(crate) fn new(mut regions: Vec<Region>) -> Self {
        regions.retain(|region| region.last_column < COLUMNS_MAX);
        let width = regions.iter().map(|region| region.last_column as usize + 1).max();
        regions.sort_by_key(|region| std::cmp::Reverse((region.first_row, region.first_column)));
        let columns = vec![None; width.unwrap_or(0)];
        Self { pending: regions, columns, filled: RawRow::new() }
    }

    /// Gives each cell of `row` that a merged area covers what it shows: the value of the area in its
    /// first column. In the others the row has no cell, so that nothing is cleared.
    pub(crate) fn fill(&mut self, row: &mut RawRow) {
        let index = row.row_number.get().saturating_sub(1);
        self.begin_row(index);
        let Some(last) = self.columns.iter().rposition(Option::is_some) else { return };
        self.filled.clear();
        (self.filled.row_number, self.filled.line) = (row.row_number, row.line);
        self.filled.is_hidden = row.is_hidden;
        (self.filled.fault, self.filled.warning) = (row.fault.take(), row.warning);
        for at in 0..row.len().max(last + 1) {
            let (text, kind) = row.cell(at).unwrap_or(("", CellKind::Text));
            let number = row.number(at).unwrap_or_default();
            let merged = self.columns.get_mut(at).and_then(Option::as_mut);
            push_merged(&mut self.filled, merged, index, (kind, text, number));
        }
        std::mem::swap(&mut self.filled, row);
    }

    fn begin_row(&mut self, row: u32) {
        for column in &mut self.columns {
            if column.as_ref().is_some_and(|merged| merged.last_row < row) {
                *column = None;
            }
        }
        while let Some(region) = self.pending.pop_if(|region| region.first_row <= row) {
            if region.last_row < row {
                continue;
            }
            let places = region.first_column as usize..=region.last_column as usize;
            for (place, column) in self.columns.get_mut(places).into_iter().flatten().enumerate() {
                // Areas do not overlap; of those that do, the first counts.
                column.get_or_insert(MergedColumn {
                    first_row: region.first_row,
                    last_row: region.last_row,
                    is_first_column: place == 0,
                    value: None,
                });
            }
        }
    }
}

/// Adds a cell of row `index`: as it is, with the value of the merged cell above, or as one that the
/// row does not have.
fn push_merged(
    row: &mut RawRow,
    merged: Option<&mut MergedColumn>,
    index: u32,
    (kind, text, number): (CellKind, &str, &str),
) {
    let Some(merged) = merged else { return push_cell(row, kind, text, number) };
    let is_own = kind != CellKind::Text || !text.trim().is_empty();
    if merged.is_first_column && index == merged.first_row {
        merged.value = Some(MergedValue { kind, text: text.to_owned(), number: number.to_owned() });
        push_cell(row, kind, text, number);
    } else if is_own {
        push_cell(row, kind, text, number);
    } else if let Some(value) = &merged.value {
        push_cell(row, value.kind, &value.text, &value.number);
        if !value.text.is_empty() {
            row.set_repeated();
        }
    } else {
        row.push(CellKind::Missing, "");
    }
}

/// Adds a cell to `row`.
pub(crate) fn push_cell(row: &mut RawRow, kind: CellKind, text: &str, number: &str) {
    row.push(kind, text);
    if matches!(kind, CellKind::Labelled { .. }) {
        row.set_number(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_number::RowNumber;

    fn region(rows: (u32, u32), columns: (u32, u32)) -> Region {
        Region {
            first_row: rows.0,
            last_row: rows.1,
            first_column: columns.0,
            last_column: columns.1,
        }
    }

    /// The cells of the rows, `-` for one that the row does not have.
    fn filled(regions: Vec<Region>, rows: &[(u32, &[&str])]) -> Vec<Vec<String>> {
        let mut merged = MergedCells::new(regions);
        let mut shown = Vec::new();
        for (number, cells) in rows {
            let mut row = RawRow::new();
            row.row_number = RowNumber::new(number + 1);
            for text in *cells {
                row.push(CellKind::Text, text);
            }
            merged.fill(&mut row);
            let show = |(text, kind): (&str, CellKind)| match kind {
                CellKind::Missing => "-".to_owned(),
                _ => text.to_owned(),
            };
            shown.push(row.cells().map(show).collect());
        }
        shown
    }

    #[test]
    fn a_value_is_repeated_down_its_column() {
        let regions = vec![region((1, 3), (0, 0)), region((1, 9), (1, 1))];
        let rows: &[(u32, &[&str])] =
            &[(1, &["Tools", "Acme", "a"]), (2, &["", "", "b"]), (4, &["", "", "c"])];
        let expected = [["Tools", "Acme", "a"], ["Tools", "Acme", "b"], ["", "Acme", "c"]];
        assert_eq!(filled(regions, rows), expected);
    }

    #[test]
    fn what_an_area_covers_beside_its_first_column_is_not_there() {
        let rows: &[(u32, &[&str])] = &[(1, &["a", "", "x"]), (2, &["", "", "y"])];
        assert_eq!(filled(vec![region((1, 2), (0, 1))], rows), [["a", "-", "x"], ["a", "-", "y"]]);
    }

    #[test]
    fn the_header_is_not_repeated_below() {
        let rows: &[(u32, &[&str])] = &[(1, &["", "x"]), (2, &["own", "y"])];
        assert_eq!(filled(vec![region((0, 5), (0, 0))], rows), [["-", "x"], ["own", "y"]]);
    }

    #[test]
    fn areas_over_everything_cost_one_place_a_column() {
        let regions = vec![region((0, u32::MAX), (0, 2)); 1000];
        let mut merged = MergedCells::new(regions);
        for row in 0..100 {
            merged.begin_row(row);
        }
        assert_eq!((merged.columns.len(), merged.pending.len()), (3, 0));
    }
}
