//! OpenDocument spreadsheets: the tables of `content.xml`, read row by row. Knows the elements of
//! OpenDocument 1.3, part 3; what a worksheet can hold is known by `rows`.

mod cell;
mod paragraph;
mod xml;

use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;

use self::cell::OdsCell;
use self::xml::{OdsXml, attribute, is_hidden, repeats};
use super::archive::{self, Archive};
use super::fault::{corrupt, place, sheet_broken};
use super::rows::RowGatherer;
use crate::reader::error::WorkbookFault;
use crate::reader::spool::SheetFacts;

const CONTENT: &str = "content.xml";

/// Cells that attributes may repeat, beside the one that stands in the file.
const COPIES_MAX: u64 = 20_000_000;

/// An open spreadsheet.
pub(super) struct Ods {
    archive: Archive,
    /// The tables in their order, and whether each can be seen.
    sheets: Vec<(String, bool)>,
}

impl Ods {
    /// Opens the file and lists its tables. A table that breaks off ends the list.
    pub(super) fn open(path: &Path) -> Result<Self, WorkbookFault> {
        let mut archive = archive::open(path)?;
        let sheets = list_sheets(&mut content(&mut archive)?)?;
        Ok(Self { archive, sheets })
    }

    pub(super) fn sheets(&self) -> &[(String, bool)] {
        &self.sheets
    }

    /// Gives the rows of `sheet` to `rows`.
    pub(super) fn read(
        &mut self,
        sheet: &str,
        rows: &mut RowGatherer<'_>,
    ) -> Result<SheetFacts, WorkbookFault> {
        let mut table = TableReader {
            xml: content(&mut self.archive)?,
            sheet,
            buffer: Vec::new(),
            cells: Vec::new(),
            filled: 0,
            row: 0,
            column: 0,
            copies: 0,
            facts: SheetFacts::default(),
        };
        if table.find()? {
            table.read(rows)?;
        }
        Ok(table.facts)
    }
}

fn content(archive: &mut Archive) -> Result<OdsXml<'_>, WorkbookFault> {
    let Some(index) = archive::entry_named(archive, CONTENT) else {
        return Err(corrupt("its part `content.xml` is missing"));
    };
    let part = archive.by_index(index).map_err(archive::from_zip)?;
    let mut xml = Reader::from_reader(BufReader::with_capacity(64 << 10, part));
    let config = xml.config_mut();
    config.check_end_names = false;
    config.expand_empty_elements = true;
    Ok(xml)
}

/// The names of the tables, and whether the style of each displays it.
fn list_sheets(xml: &mut OdsXml<'_>) -> Result<Vec<(String, bool)>, WorkbookFault> {
    let broken = || corrupt("its part `content.xml` breaks the rules of XML");
    let (mut buffer, mut inner) = (Vec::new(), Vec::new());
    let (mut sheets, mut hidden_styles) = (Vec::new(), Vec::new());
    let mut style = String::new();
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => match element.name().as_ref() {
                "style:style" => style = attribute(&element, "style:name").unwrap_or_default(),
                "style:table-properties"
                    if attribute(&element, "table:display").is_some_and(|it| it == "false") =>
                {
                    hidden_styles.push(std::mem::take(&mut style));
                }
                "table:table" => {
                    let style = attribute(&element, "table:style-name").unwrap_or_default();
                    let name = attribute(&element, "table:name").unwrap_or_default();
                    sheets.push((name, !hidden_styles.contains(&style)));
                    if xml.read_to_end_into(element.name(), &mut inner).is_err() {
                        return Ok(sheets);
                    }
                }
                _ => {}
            },
            Ok(Event::Eof) | Err(_) => {
                return if sheets.is_empty() { Err(broken()) } else { Ok(sheets) };
            }
            Ok(_) => {}
        }
    }
}

/// Reads one table.
struct TableReader<'a> {
    xml: OdsXml<'a>,
    sheet: &'a str,
    buffer: Vec<u8>,
    /// The cells of the row; those past `filled` are kept for their memory.
    cells: Vec<(u32, OdsCell)>,
    filled: usize,
    /// The row and the column that come next, from 0.
    row: u32,
    column: u32,
    copies: u64,
    facts: SheetFacts,
}

impl TableReader<'_> {
    /// Goes to the table's begin.
    fn find(&mut self) -> Result<bool, WorkbookFault> {
        let mut inner = Vec::new();
        loop {
            self.buffer.clear();
            match self.xml.read_event_into(&mut self.buffer) {
                Ok(Event::Start(element)) if element.name().as_ref() == "table:table" => {
                    if attribute(&element, "table:name").unwrap_or_default() == self.sheet {
                        return Ok(true);
                    }
                    let skipped = self.xml.read_to_end_into(element.name(), &mut inner);
                    skipped.map_err(|_| sheet_broken(self.sheet, None))?;
                }
                Ok(Event::Eof) => return Ok(false),
                Ok(_) => {}
                Err(_) => return Err(sheet_broken(self.sheet, None)),
            }
        }
    }

    fn broken(&self) -> WorkbookFault {
        sheet_broken(self.sheet, Some((self.row, self.column)))
    }

    fn read(&mut self, rows: &mut RowGatherer<'_>) -> Result<(), WorkbookFault> {
        // A table within a cell ends before the table itself does.
        let (mut depth, mut columns) = (0_u32, 0_u32);
        loop {
            self.buffer.clear();
            let (repeated, is_hidden) = match self.xml.read_event_into(&mut self.buffer) {
                Ok(Event::Start(element)) => match element.name().as_ref() {
                    "table:table-row" => {
                        (repeats(&element, "table:number-rows-repeated"), is_hidden(&element))
                    }
                    "table:table-column" if depth == 0 => {
                        let next = columns
                            .saturating_add(repeats(&element, "table:number-columns-repeated"));
                        if is_hidden(&element) && next > columns {
                            self.facts.hidden_columns.push((columns, next - 1));
                        }
                        columns = next;
                        continue;
                    }
                    "table:table" => {
                        depth += 1;
                        continue;
                    }
                    _ => continue,
                },
                Ok(Event::End(element)) if element.name().as_ref() == "table:table" => {
                    if depth == 0 {
                        return rows.end_row().map(|_| ());
                    }
                    depth -= 1;
                    continue;
                }
                Ok(Event::Eof) | Err(_) => return Err(self.broken()),
                Ok(_) => continue,
            };
            self.gather_row(repeated)?;
            if self.hand_on((repeated, is_hidden), rows)?.is_break() {
                return Ok(());
            }
            self.row = self.row.saturating_add(repeated);
        }
    }

    /// Reads the cells up to the end of the row; empty ones only move the column on.
    fn gather_row(&mut self, repeated_rows: u32) -> Result<(), WorkbookFault> {
        (self.filled, self.column) = (0, 0);
        loop {
            self.buffer.clear();
            match self.xml.read_event_into(&mut self.buffer) {
                Ok(Event::Start(element)) => match element.name().as_ref() {
                    "table:table-cell" | "table:covered-table-cell" => {
                        if self.filled == self.cells.len() {
                            self.cells.push((0, OdsCell::default()));
                        }
                        let Some((column, cell)) = self.cells.get_mut(self.filled) else {
                            return Err(self.broken());
                        };
                        *column = self.column;
                        cell.begin(&element);
                        let repeated = cell.repeated();
                        if paragraph::read(&mut self.xml, cell.shown()).is_err() {
                            return Err(self.broken());
                        }
                        if let Some(region) = cell.region((self.row, self.column), repeated_rows) {
                            self.facts.add_merged(region)?;
                        }
                        if !cell.is_empty() {
                            self.filled += 1;
                        }
                        self.column = self.column.saturating_add(repeated);
                    }
                    _ => {}
                },
                Ok(Event::End(element)) if element.name().as_ref() == "table:table-row" => {
                    return Ok(());
                }
                Ok(Event::Eof) | Err(_) => return Err(self.broken()),
                Ok(_) => {}
            }
        }
    }

    /// Gives the row to `rows` as often as it is repeated.
    fn hand_on(
        &mut self,
        (repeated, is_hidden): (u32, bool),
        rows: &mut RowGatherer<'_>,
    ) -> Result<ControlFlow<()>, WorkbookFault> {
        let cells = self.cells.get(..self.filled).unwrap_or_default();
        let in_row: u64 = cells.iter().map(|(_, cell)| u64::from(cell.repeated())).sum();
        let all = in_row.saturating_mul(u64::from(repeated));
        self.copies = self.copies.saturating_add(all.saturating_sub(cells.len() as u64));
        if self.copies > COPIES_MAX {
            return Err(WorkbookFault::Expands {
                detail: format!(
                    "cell {} of sheet `{}` is repeated too often",
                    place((self.row, cells.first().map_or(0, |(column, _)| *column))),
                    self.sheet
                ),
            });
        }
        if cells.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        for row in (self.row..).take(repeated as usize) {
            if is_hidden {
                rows.hide(row);
            }
            for (first, cell) in cells {
                for column in (*first..).take(cell.repeated() as usize) {
                    if rows.cell((row, column), cell.value(), cell.look())?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
