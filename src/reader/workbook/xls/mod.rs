//! XLS workbooks. calamine reads all sheets of such a file at once and gives none when one of them
//! is broken; here a broken sheet is skipped, so that the others are read.

mod encrypted;
mod globals;
mod layout;
mod records;

use std::io::{Cursor, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{Data, Range, Reader, Sheet, XlsError, XlsOptions};
use cfb::CompoundFile;

use self::globals::{Globals, stream_bytes};
use self::layout::SheetLayout;
use super::cell::CellValue;
use super::encrypted::DEFAULT_PASSWORD;
use super::fault::{corrupt, sheet_broken, unreadable};
use super::placeholders::{FormulaResults, is_zero};
use super::rows::RowGatherer;
use super::shown::Shown;
use crate::reader::error::WorkbookFault;
use crate::reader::spool::SheetFacts;

type Parsed = calamine::Xls<Cursor<Vec<u8>>>;

/// The streams that may hold the workbook: of Excel 97 and later, and of Excel 5.
const STREAMS: [&str; 2] = ["Workbook", "Book"];

/// calamine decodes the texts of every workbook by the code page that the file names, also where
/// Excel does not.
const UTF_16: u16 = 1200;

/// Sheets that are tried one by one when a workbook is broken.
const TRIED_SHEETS_MAX: usize = 64;

/// An open workbook.
pub(super) struct Xls {
    parsed: Parsed,
    /// Sheets that cannot be read.
    broken: Vec<String>,
    /// The stream of the workbook, and what stands at its begin.
    stream: Vec<u8>,
    globals: Globals,
}

impl Xls {
    pub(super) fn open(path: &Path) -> Result<Self, WorkbookFault> {
        let mut compound = compound(std::fs::read(path).map_err(unreadable)?)?;
        let (mut stream, mut globals) = workbook_stream(&mut compound);
        if globals.is_encrypted {
            decrypt(&mut compound)?;
            (stream, globals) = workbook_stream(&mut compound);
        }
        let bytes = compound.into_inner().into_inner();
        let (parsed, broken) = match parse(bytes.clone(), globals.is_unicode) {
            Ok(parsed) => (parsed, Vec::new()),
            Err(fault @ WorkbookFault::Password) => return Err(fault),
            Err(fault) => {
                STREAMS.iter().find_map(|name| without_broken_sheets(&bytes, name)).ok_or(fault)?
            }
        };
        Ok(Self { parsed, broken, stream, globals })
    }

    /// The sheets in their order.
    pub(super) fn sheets(&self) -> &[Sheet] {
        self.parsed.sheets_metadata()
    }

    /// Gives the rows of `sheet` to `rows`.
    pub(super) fn read(
        &mut self,
        sheet: &str,
        rows: &mut RowGatherer<'_>,
    ) -> Result<SheetFacts, WorkbookFault> {
        if self.broken.iter().any(|broken| broken == sheet) {
            return Err(sheet_broken(sheet, None));
        }
        let range = self.parsed.worksheet_range(sheet).map_err(|_| sheet_broken(sheet, None))?;
        let formulas = if self.globals.was_calculated {
            Range::empty()
        } else {
            self.parsed.worksheet_formula(sheet).unwrap_or_default()
        };
        let layout = self.layout(sheet)?;
        let mut results = FormulaResults::default();
        let Some((first_row, first_column)) = range.start() else { return Ok(layout.facts) };
        for (row, cells) in (first_row..).zip(range.rows()) {
            if layout.is_hidden(row) {
                rows.hide(row);
            }
            for (column, cell) in (first_column..).zip(cells) {
                let place = (row, column);
                let mut value = CellValue::from(cell);
                if formulas.get_value(place).is_some_and(|formula| !formula.is_empty())
                    && results.is_placeholder(without_text(value), || {
                        Ok(all_are_zero(&range, &formulas))
                    })?
                {
                    value = CellValue::NoStored;
                }
                if rows.cell(place, value, self.shown(&layout, place, value))?.is_break() {
                    return Ok(layout.facts);
                }
            }
        }
        let _ = rows.end_row()?;
        Ok(layout.facts)
    }

    /// How the sheet shows its cells.
    fn layout(&self, sheet: &str) -> Result<SheetLayout, WorkbookFault> {
        let index = self.parsed.sheets_metadata().iter().position(|it| it.name == sheet);
        let place = index.and_then(|index| self.globals.place(&self.stream, index));
        match place {
            Some(at) => SheetLayout::read(&self.stream, at, &self.globals.formats),
            None => Ok(SheetLayout::default()),
        }
    }

    fn shown(&self, layout: &SheetLayout, place: (u32, u32), value: CellValue<'_>) -> Shown<'_> {
        if !matches!(value, CellValue::Number(_) | CellValue::Integer(_) | CellValue::Serial(_)) {
            return Shown::Plain;
        }
        let Some(number) = layout.style(place) else { return Shown::Plain };
        let format = self.globals.formats.get(usize::from(number.style));
        value.shown_by(format, number.is_formula)
    }
}

/// The result of a formula; an empty text, which some programs store for every formula, as 0.
fn without_text(value: CellValue<'_>) -> CellValue<'_> {
    if matches!(value, CellValue::Text("") | CellValue::Empty) {
        CellValue::Integer(0)
    } else {
        value
    }
}

/// True when no formula of the sheet has a result.
fn all_are_zero(values: &Range<Data>, formulas: &Range<String>) -> bool {
    let (first_row, first_column) = formulas.start().unwrap_or_default();
    formulas.used_cells().filter(|(_, _, formula)| !formula.is_empty()).all(|(row, column, _)| {
        let at = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let place = (first_row.saturating_add(at(row)), first_column.saturating_add(at(column)));
        values.get_value(place).is_none_or(|value| is_zero(without_text(CellValue::from(value))))
    })
}

fn compound(bytes: Vec<u8>) -> Result<CompoundFile<Cursor<Vec<u8>>>, WorkbookFault> {
    CompoundFile::open(Cursor::new(bytes)).map_err(|_| corrupt("its container is broken"))
}

/// The stream that holds the workbook, and what stands at its begin. Nothing where there is none:
/// its reader reports that.
fn workbook_stream(compound: &mut CompoundFile<Cursor<Vec<u8>>>) -> (Vec<u8>, Globals) {
    let read = |name: &&str| {
        let stream = stream_bytes(compound, name)?;
        let globals = Globals::of(&stream)?;
        Some((stream, globals))
    };
    let nothing = || (Vec::new(), Globals { was_calculated: true, ..Globals::default() });
    STREAMS.iter().find_map(read).unwrap_or_else(nothing)
}

/// Decrypts the first stream that holds a workbook.
fn decrypt(compound: &mut CompoundFile<Cursor<Vec<u8>>>) -> Result<(), WorkbookFault> {
    let name = STREAMS.iter().find(|name| compound.is_stream(name));
    let name = name.ok_or(WorkbookFault::Password)?;
    let mut bytes = stream_bytes(compound, name).ok_or(WorkbookFault::Password)?;
    encrypted::decrypt(&mut bytes, DEFAULT_PASSWORD).ok_or(WorkbookFault::Password)?;
    let written = compound.open_stream(name).and_then(|mut stream| {
        stream.write_all(&bytes)?;
        stream.flush()
    });
    written.and_then(|()| compound.flush()).map_err(unreadable)
}

/// calamine may end with a panic on a broken workbook.
fn parse(bytes: Vec<u8>, is_unicode: bool) -> Result<Parsed, WorkbookFault> {
    let mut options = XlsOptions::default();
    options.force_codepage = is_unicode.then_some(UTF_16);
    let parse = || Parsed::new_with_options(Cursor::new(bytes), options);
    match catch_unwind(AssertUnwindSafe(parse)) {
        Ok(Ok(parsed)) => Ok(parsed),
        Ok(Err(XlsError::Password)) => Err(WorkbookFault::Password),
        Ok(Err(_)) | Err(_) => Err(corrupt("its records break the rules of XLS")),
    }
}

/// The workbook of one stream with only the sheets that can be read, and the names of the others.
fn without_broken_sheets(bytes: &[u8], stream: &str) -> Option<(Parsed, Vec<String>)> {
    let mut whole = compound(bytes.to_owned()).ok()?;
    let globals = Globals::read(&mut whole, stream)?;
    let count = globals.sheets.len();
    let parse_with = |is_kept: &dyn Fn(usize) -> bool| {
        let mut compound = compound(bytes.to_owned()).ok()?;
        for other in STREAMS.iter().filter(|other| **other != stream) {
            // It may not be there; then nothing is to be removed.
            let _ = compound.remove_stream(other);
        }
        let mut target = compound.open_stream(stream).ok()?;
        for (_, place) in globals.sheets.iter().enumerate().filter(|(index, _)| !is_kept(*index)) {
            target.seek(SeekFrom::Start(*place)).ok()?;
            target.write_all(&globals.end.to_le_bytes()).ok()?;
        }
        target.flush().ok()?;
        drop(target);
        compound.flush().ok()?;
        parse(compound.into_inner().into_inner(), globals.is_unicode).ok()
    };
    let tried = 0..count.min(TRIED_SHEETS_MAX);
    let good: Vec<usize> =
        tried.filter(|alone| parse_with(&|index| index == *alone).is_some()).collect();
    if good.is_empty() {
        return None;
    }
    let parsed = parse_with(&|index| good.contains(&index))?;
    let names = parsed.sheets_metadata().iter().map(|sheet| sheet.name.clone());
    let broken = names.enumerate().filter(|(index, _)| !good.contains(index));
    let broken = broken.map(|(_, name)| name).collect();
    Some((parsed, broken))
}
