//! How many cells an OpenDocument spreadsheet comes to once its repetitions are written out.
//!
//! A row or cell says how often it repeats (OpenDocument 1.2, 19.675 and 19.679); a file of 700
//! bytes can ask for a hundred million cells, and calamine writes them out.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::corrupt;
use crate::reader::error::WorkbookFault;

/// Memory of one cell while the spreadsheet is read: its value and formula, twice.
const CELL_BYTES: u64 = 128;

/// A worksheet's own bounds; calamine cuts repetitions to them.
const ROWS_MAX: u64 = 1_048_576;
const COLUMNS_MAX: u64 = 16_384;

#[derive(Debug, Default)]
struct Tally {
    /// Rows up to the last one with content, repetitions written out.
    rows: u64,
    /// Blank rows that count only if content follows.
    blank_rows: u64,
    /// Columns of the widest row.
    width: u64,
    /// Columns of the row so far, up to the last cell with content.
    row_width: u64,
    /// Blank cells that count only if content follows in the row.
    blank_cells: u64,
    row_repeats: u64,
    /// Cells of all rows before they are repeated.
    written: u64,
}

impl Tally {
    fn cell(&mut self, repeats: u64, has_content: bool) {
        if has_content {
            let width = self.row_width.saturating_add(self.blank_cells).saturating_add(repeats);
            self.row_width = width.min(COLUMNS_MAX);
            self.blank_cells = 0;
        } else {
            self.blank_cells = self.blank_cells.saturating_add(repeats).min(COLUMNS_MAX);
        }
    }

    fn end_row(&mut self) {
        if self.row_width == 0 {
            self.blank_rows = self.blank_rows.saturating_add(self.row_repeats);
        } else {
            let rows = self.rows.saturating_add(self.blank_rows).saturating_add(self.row_repeats);
            self.rows = rows.min(ROWS_MAX);
            self.blank_rows = 0;
            self.width = self.width.max(self.row_width);
            self.written += self.row_width;
        }
        (self.row_width, self.blank_cells) = (0, 0);
    }

    fn cells(&self) -> u64 {
        self.written.max(self.rows.saturating_mul(self.width))
    }
}

/// Refuses a `content.xml` whose cells do not fit the memory limit.
pub(crate) fn check(content: impl BufRead, memory_bytes: u64) -> Result<(), WorkbookFault> {
    let mut reader = Reader::from_reader(content);
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    let (mut tally, mut before) = (Tally::default(), 0_u64);
    let cells_max = memory_bytes / CELL_BYTES;
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(corrupt)? {
            Event::Eof => return Ok(()),
            Event::Start(tag) => open(&tag, &mut tally),
            Event::Empty(tag) => {
                open(&tag, &mut tally);
                if tag.name().as_ref() == "table:table-row" {
                    tally.end_row();
                }
            }
            Event::End(tag) if tag.name().as_ref() == "table:table-row" => tally.end_row(),
            Event::End(tag) if tag.name().as_ref() == "table:table" => {
                before = before.saturating_add(tally.cells());
                tally = Tally::default();
            }
            Event::End(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
        if before.saturating_add(tally.cells()) > cells_max {
            return Err(WorkbookFault::Expands {
                detail: format!("its sheets have more than {cells_max} cells"),
            });
        }
    }
}

fn open(tag: &BytesStart<'_>, tally: &mut Tally) {
    match tag.name().as_ref() {
        "table:table-row" => {
            tally.row_repeats = repeats(tag, "table:number-rows-repeated").min(ROWS_MAX);
        }
        "table:table-cell" | "table:covered-table-cell" => {
            let has_content = tag.attributes().with_checks(false).flatten().any(|attribute| {
                let key = attribute.key.as_ref();
                key.starts_with("office:") || key.ends_with(":formula")
            });
            tally.cell(repeats(tag, "table:number-columns-repeated"), has_content);
        }
        _ => {}
    }
}

fn repeats(tag: &BytesStart<'_>, key: &str) -> u64 {
    let found = tag
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.as_ref() == key);
    found.map_or(1, |attribute| attribute.value.trim().parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(rows: &str, cells: u64) -> bool {
        let content = format!("<table:table table:name=\"a\">{rows}</table:table>");
        check(content.as_bytes(), cells * CELL_BYTES).is_ok()
    }

    #[test]
    fn repetitions_are_multiplied() {
        let bomb = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell \
                    office:value-type=\"float\" table:number-columns-repeated=\"90\"/>\
                    </table:table-row>";
        assert!(!fits(bomb, 8_000_000));
        assert!(fits(bomb, 90_000_000));
    }

    #[test]
    fn blank_repetitions_at_the_end_cost_nothing() {
        let sheet = "<table:table-row><table:table-cell office:value-type=\"float\"/>\
                     <table:table-cell table:number-columns-repeated=\"16383\"/></table:table-row>\
                     <table:table-row table:number-rows-repeated=\"1048575\"><table:table-cell \
                     table:number-columns-repeated=\"16384\"/></table:table-row>";
        assert!(fits(sheet, 1));
    }

    #[test]
    fn blank_rows_between_are_written_out() {
        let sheet = "<table:table-row><table:table-cell office:value-type=\"float\"/>\
                     </table:table-row><table:table-row table:number-rows-repeated=\"9999\"/>\
                     <table:table-row><table:table-cell table:number-columns-repeated=\"9\"/>\
                     <table:table-cell office:value-type=\"float\"/></table:table-row>";
        assert!(!fits(sheet, 100_000));
        assert!(fits(sheet, 100_011));
    }
}
