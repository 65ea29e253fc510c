//! Where the header stands: of the first rows, the one of which the dataset knows the most columns.
//! Two rows that make one header together are joined.
//!
//! Knows the columns only by what it is handed.

use crate::domain::known_header::KnownHeader;
use crate::domain::row::{CellKind, RawRow};

/// Rows that are looked at, blank ones not counted.
pub(crate) const HEADER_ROWS: usize = 30;

/// What the dataset knows of a row that may be the header.
pub(crate) type KnowHeader<'a> = dyn Fn(&[&str]) -> KnownHeader + 'a;

/// The header among the first rows.
#[derive(Debug, Clone)]
pub(crate) struct FoundHeader {
    /// Its cells, under the number of its last row.
    pub(crate) row: RawRow,
    /// Rows above it that are not blank.
    pub(crate) rows_above: usize,
    /// Its cells stood in two rows.
    pub(crate) is_joined: bool,
    /// What the dataset knows of it.
    pub(crate) known: KnownHeader,
}

impl FoundHeader {
    /// A row that is the header without being looked for.
    pub(crate) fn given(row: &RawRow, know: &KnowHeader<'_>) -> Self {
        let known = known_of(row, know);
        Self { row: row.clone(), rows_above: 0, is_joined: false, known }
    }

    /// The first of `rows` that belongs to the data.
    pub(crate) fn data_at(&self) -> usize {
        self.rows_above + if self.is_joined { 2 } else { 1 }
    }
}

/// Finds the header among the first rows of a table: the first of those of which the dataset knows
/// most, else the first row. `None` without a row.
pub(crate) fn find(rows: &[RawRow], know: &KnowHeader<'_>) -> Option<FoundHeader> {
    let first = rows.first()?;
    let mut best = (0, known_of(first, know));
    for (index, row) in rows.iter().enumerate().take(HEADER_ROWS).skip(1) {
        if is_certain(&best.1) {
            break;
        }
        let known = known_of(row, know);
        if known.is_convincing() && known.rank() > best.1.rank() {
            best = (index, known);
        }
    }
    let (index, known) = best;
    let (above, below) = (index.checked_sub(1), index.checked_add(1));
    let row_at = |index: Option<usize>| rows.get(index?);
    let row = row_at(Some(index))?;
    let with_next = row_at(below).and_then(|next| joined(row, next, know));
    let with_previous = || row_at(above).and_then(|previous| joined(previous, row, know));
    let join = with_next.map(|join| (index, join));
    let join = join.or_else(|| Some((above?, with_previous()?)));
    Some(match join {
        Some((rows_above, (row, known))) => FoundHeader { row, rows_above, is_joined: true, known },
        None => FoundHeader { row: row.clone(), rows_above: index, is_joined: false, known },
    })
}

/// Every required column is there, and most cells are known: no row further down is better.
fn is_certain(known: &KnownHeader) -> bool {
    known.is_complete && known.columns() * 2 >= known.cells.len()
}

fn known_of(row: &RawRow, know: &KnowHeader<'_>) -> KnownHeader {
    if row.fault.is_some() { KnownHeader::default() } else { know(&texts(row)) }
}

/// The texts of a row up to the last one that is not blank.
fn texts(row: &RawRow) -> Vec<&str> {
    let mut texts: Vec<&str> = row.cells().map(|(text, _)| text).collect();
    let filled = texts.iter().rposition(|text| !text.trim().is_empty()).map_or(0, |at| at + 1);
    texts.truncate(filled);
    texts
}

/// The header that two rows make together, if more of it is known than of either: names of groups
/// above (`Price`) and of their columns below (`Cost`, `Selling`). A row that has a value under a
/// required column is a row of data and no half of a header; a row that names other columns above
/// required ones is a table of its own.
fn joined(top: &RawRow, bottom: &RawRow, know: &KnowHeader<'_>) -> Option<(RawRow, KnownHeader)> {
    let (upper, lower) = (texts(top), texts(bottom));
    let (known_above, known_below) = (know(&upper), know(&lower));
    let text_at = |texts: &[&str], at: usize| texts.get(at).map_or("", |it| it.trim()).to_owned();
    let fed = |known: &KnownHeader, at: usize| known.cells.get(at).copied().flatten();
    let is_required =
        |known: &KnownHeader, at: usize| fed(known, at).is_some_and(|it| it.is_required);
    let is_value = |at: usize| !text_at(&lower, at).is_empty() && fed(&known_below, at).is_none();
    let is_data = |at: usize| is_required(&known_above, at) && is_value(at);
    let is_other = |at: &usize| is_required(&known_below, *at) && fed(&known_above, *at).is_some();
    if (0..lower.len()).any(is_data) || (0..lower.len()).filter(is_other).count() > 1 {
        return None;
    }
    let is_known = |text: &str| know(&[text]).cells.iter().any(Option::is_some);
    let mut row = RawRow::new();
    (row.row_number, row.line) = (bottom.row_number, bottom.line);
    let mut group = String::new();
    for at in 0..upper.len().max(lower.len()) {
        let (above, below) = (text_at(&upper, at), text_at(&lower, at));
        if !above.is_empty() {
            group.clone_from(&above);
        }
        let one = group.strip_suffix('s').unwrap_or(&group);
        let both =
            [&group, one].map(|group| [format!("{group} {below}"), format!("{below} {group}")]);
        let both: Vec<String> = both.into_iter().flatten().chain([below.clone()]).collect();
        let text = match both.iter().find(|text| is_known(text)) {
            _ if below.is_empty() => above,
            Some(text) => text.clone(),
            None if above.is_empty() => below,
            None => format!("{above} {below}"),
        };
        row.push(CellKind::Text, &text);
    }
    let known = known_of(&row, know);
    let better = known.rank() > known_above.rank() && known.rank() > known_below.rank();
    (better && known.is_convincing()).then_some((row, known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::known_header::KnownColumn;
    use crate::domain::row_number::RowNumber;

    const COLUMNS: [&str; 7] =
        ["sku", "name", "cost price", "selling price", "price", "min stock", "stock"];

    fn know(cells: &[&str]) -> KnownHeader {
        let cells: Vec<_> = cells
            .iter()
            .map(|cell| {
                let index =
                    COLUMNS.iter().position(|name| cell.trim().eq_ignore_ascii_case(name))?;
                Some(KnownColumn { index, is_required: index < 2 })
            })
            .collect();
        let is_fed = |index| cells.iter().flatten().any(|known| known.index == index);
        let is_complete = is_fed(0) && is_fed(1);
        KnownHeader { cells, is_complete }
    }

    fn found(lines: &[&str]) -> (u32, usize, String) {
        let rows: Vec<RawRow> = (1..)
            .zip(lines)
            .map(|(number, line)| {
                let mut row = RawRow::new();
                row.row_number = RowNumber::new(number);
                line.split(',').for_each(|cell| row.push(CellKind::Text, cell));
                row
            })
            .collect();
        let header = find(&rows, &know).unwrap();
        (header.row.row_number.get(), header.data_at(), texts(&header.row).join(","))
    }

    #[test]
    fn titles_above_the_header_are_passed_over() {
        let header = "SKU,Name,Price".to_owned();
        assert_eq!(found(&["SKU,Name,Price", "1,a,2"]), (1, 1, header.clone()));
        assert_eq!(found(&["Price list", "SKU,Name,Price", "1,a,2"]), (2, 2, header.clone()));
        assert_eq!(found(&["Name,ACME", "Price,2026", "SKU,Name,Price"]), (3, 3, header.clone()));
        let lists = "Price,Stock,Min stock,Cost price,Selling price";
        assert_eq!(found(&[lists, "SKU,Name,Price"]), (2, 2, header));
    }

    #[test]
    fn values_that_are_names_of_columns_make_no_header() {
        assert_eq!(found(&["Nr,Text", "1,Stock"]).0, 1);
        assert_eq!(found(&["SKU,Name,x,y,z", "Price,Stock,Min stock,,"]).0, 1);
        assert_eq!(found(&["SKU,Name,Price", "SKU,Name,Price"]).1, 1);
    }

    #[test]
    fn two_rows_make_one_header() {
        assert_eq!(
            found(&["SKU,Name,Price,,Stock", ",,Cost,Selling,Min", "1,a,2,3,4"]),
            (2, 2, "SKU,Name,Cost Price,Selling Price,Min Stock".to_owned())
        );
        assert_eq!(
            found(&["Goods,,Price,", "SKU,Name,Cost,Selling", "1,a,2,3"]),
            (2, 2, "SKU,Name,Cost Price,Selling Price".to_owned())
        );
        assert_eq!(
            found(&["Name,,Prices,", "SKU,Name,Cost,Selling", "1,a,2,3"]),
            (2, 2, "SKU,Name,Cost Price,Selling Price".to_owned())
        );
        assert_eq!(found(&["SKU,Name,Price", ",,Cost price", "1,a,2"]).1, 1);
        assert_eq!(found(&["SKU,Name,x,y", "Price,Stock,Min stock,Price"]).1, 1);
    }
}
