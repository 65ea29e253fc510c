//! Failed rows as CSV, made while it is sent. Knows no file.

use std::io;

use super::columns::{Columns, ListedRow, explanation};
use crate::domain::failed_list::escape_formula;
use crate::http::csv_text::{BOM, write_record};
use crate::http::download::Pieces;

/// Bytes after which a piece is sent.
const PIECE_BYTES: usize = 64 << 10;

/// The text of a list of failed rows, piece by piece.
#[derive(Debug)]
pub(in crate::http) struct FailedRowsCsv<R> {
    columns: Columns,
    rows: R,
    /// The beginning of the next piece: at first the header.
    begun: Vec<u8>,
}

impl<T: Into<ListedRow>, R: Iterator<Item = io::Result<T>>> FailedRowsCsv<R> {
    /// The text for `rows`, with or without a byte order mark.
    pub(in crate::http) fn new(columns: Columns, rows: R, bom: bool) -> Self {
        let mut begun = if bom { BOM.to_vec() } else { Vec::new() };
        let header: Vec<_> = columns.header().map(escape_formula).collect();
        write_record(&mut begun, columns.delimiter(), header.iter().map(AsRef::as_ref));
        Self { columns, rows, begun }
    }
}

impl<T: Into<ListedRow>, R: Iterator<Item = io::Result<T>>> FailedRowsCsv<R> {
    /// The next piece; an empty one at the end.
    pub(in crate::http) fn piece(&mut self) -> io::Result<Vec<u8>> {
        let mut piece = std::mem::take(&mut self.begun);
        while piece.len() < PIECE_BYTES {
            let Some(row) = self.rows.next() else { break };
            let listed: ListedRow = row?.into();
            let row = &listed.row;
            let mut cells: Vec<_> = self.columns.own_cells(row).map(escape_formula).collect();
            cells.push(row.row_number.to_string().into());
            cells.extend(self.columns.outcome(&listed).map(Into::into));
            let why = explanation(row);
            cells.push(escape_formula(&why));
            cells.extend(self.columns.surplus(row).map(escape_formula));
            let delimiter = self.columns.delimiter();
            write_record(&mut piece, delimiter, cells.iter().map(AsRef::as_ref));
        }
        Ok(piece)
    }
}

impl<T: Into<ListedRow>, R: Iterator<Item = io::Result<T>> + Send + 'static> Pieces
    for FailedRowsCsv<R>
{
    fn next_piece(&mut self) -> io::Result<Vec<u8>> {
        self.piece()
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::tests::{detected, failed};
    use super::*;

    #[test]
    fn failed_rows_come_back_with_their_columns_and_the_reason() {
        let columns = Columns::of(Some(&detected(&["SKU", "=Note"], ';')));
        let rows = [failed(&["A;1", "=2+3"]), failed(&["-1.5", "", "extra"])];
        let mut csv = FailedRowsCsv::new(columns, rows.into_iter().map(Ok), true);
        let text = String::from_utf8(csv.next_piece().unwrap()).unwrap();
        insta::assert_snapshot!(text.replace('\r', "").trim_start_matches('\u{feff}'), @r#"
        SKU;'=Note;_row;_error
        "A;1";'=2+3;7;"mrp: `x` is not a number; write it like 12.50; the row has more cells than the header"
        -1.5;;7;"mrp: `x` is not a number; write it like 12.50; the row has more cells than the header";extra
        "#);
        assert!(text.starts_with('\u{feff}'));
        assert!(csv.next_piece().unwrap().is_empty());
    }

    #[test]
    fn a_part_that_cannot_be_read_breaks_the_text_off() {
        let rows = [Ok(failed(&["A"])), Err(io::Error::other("gone"))];
        let columns = Columns::of(Some(&detected(&["SKU"], ',')));
        let mut csv = FailedRowsCsv::new(columns, rows.into_iter(), false);
        assert!(csv.next_piece().is_err());
    }
}
