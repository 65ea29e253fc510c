//! Workbooks to rows: what `loadbay convert` does, in a process of its own. A workbook of 2 KB can
//! make the library that reads it abort its process or eat all memory, so nothing of this module
//! may run in the server.

mod archive;
mod cell;
mod compound;
pub mod confine;
mod encrypted;
mod fault;
mod little_endian;
mod number_format;
mod ods;
mod placeholders;
mod rows;
mod shown;
mod xls;
mod xlsb;
mod xlsx;

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use calamine::{Sheet, SheetType, SheetVisible};

use self::compound::Contents;
use self::encrypted::DecryptedPackage;
use self::fault::{not_written, unreadable};
use self::ods::Ods;
use self::rows::{RowCells, RowGatherer};
use self::xls::Xls;
use self::xlsb::Xlsb;
use self::xlsx::Xlsx;
use super::error::WorkbookFault;
use super::header_search::HEADER_ROWS;
use super::inspection::SAMPLE_ROWS;
use super::spool::{Head, SheetFacts, SheetRows, SpoolWriter};
use crate::domain::detected::Format;
use crate::domain::limits::COLUMNS_MAX;
use crate::domain::row_number::RowNumber;

/// Bytes of a sheet after which an inspection has seen enough.
const SAMPLE_BYTES: usize = 4 << 20;

/// Bytes of all sheets after which it has.
const STARTS_BYTES: usize = 32 << 20;

/// Sheets that an inspection looks into for the header.
const SHEETS_LOOKED_AT: usize = 100;

/// What the child process is to do.
#[derive(Debug, Clone)]
pub struct ConvertRequest {
    /// The workbook.
    pub path: PathBuf,
    /// Its format, if that was decided before.
    pub format: Option<Format>,
    /// Which rows are wanted.
    pub mode: ConvertMode,
}

/// Which rows the child process writes.
#[derive(Debug, Clone)]
pub enum ConvertMode {
    /// The first rows, to inspect the file.
    Head {
        /// The sheet that was asked for; else every visible one with data.
        sheet: Option<String>,
        /// The header's row, if it was asked for: then rows above it are left out.
        header_row: Option<u32>,
    },
    /// Every row after the header.
    All {
        /// The sheet's exact name.
        sheet: String,
        /// The header's row.
        header_row: u32,
        /// Columns of the header.
        columns: usize,
    },
}

impl ConvertMode {
    /// The sheet that is asked for.
    pub(crate) fn sheet(&self) -> Option<&str> {
        match self {
            Self::Head { sheet, .. } => sheet.as_deref(),
            Self::All { sheet, .. } => Some(sheet),
        }
    }
}

/// Writes the rows that `request` asks for to `target` as a spool.
///
/// # Errors
/// What is wrong with the workbook; `target` then has no end.
pub fn convert(request: &ConvertRequest, target: impl Write) -> Result<(), WorkbookFault> {
    let container = container(&request.path)?;
    let decrypted = match container {
        Container::Compound(Contents::EncryptedPackage) => Some(encrypted::decrypt(&request.path)?),
        _ => None,
    };
    let path = decrypted.as_ref().map_or_else(|| request.path.clone(), DecryptedPackage::path);
    let format = match (container, request.format) {
        (Container::Compound(Contents::Xls), _) => Format::Xls,
        (_, Some(format)) => format,
        (_, None) => archive::format(&mut archive::open(&path)?)?,
    };
    if format != Format::Xls {
        archive::check_protection(&mut archive::open(&path)?, format)?;
    }
    let mut book = Book::open(format, &path)?;
    match &request.mode {
        ConvertMode::Head { sheet, header_row } => {
            head(&mut book, format, sheet.as_deref(), *header_row, target)
        }
        ConvertMode::All { sheet, header_row, columns } => {
            all(&mut book, format, sheet, (*header_row, *columns), target)
        }
    }
}

/// What a workbook's parts lie in.
#[derive(Debug, Clone, Copy)]
enum Container {
    Archive,
    Compound(Contents),
}

fn container(path: &Path) -> Result<Container, WorkbookFault> {
    use std::io::Read;
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).map_err(unreadable)?;
    if magic == *b"PK\x03\x04" {
        Ok(Container::Archive)
    } else {
        compound::contents(path).map(Container::Compound)
    }
}

/// The first rows of the sheet that was asked for, or of every visible one.
fn head(
    book: &mut Book,
    format: Format,
    wanted: Option<&str>,
    header_row: Option<u32>,
    target: impl Write,
) -> Result<(), WorkbookFault> {
    let sheets = book.sheets();
    let names: Vec<String> = sheets.iter().map(|(name, _)| name.clone()).collect();
    let candidates: Vec<&String> = match wanted {
        Some(wanted) => vec![named(wanted, &names)?],
        None => sheets.iter().filter(|(_, visible)| *visible).map(|(name, _)| name).collect(),
    };
    let mut seen: Vec<SheetStart> = Vec::new();
    let (mut first_fault, mut without_header) = (None, None);
    let mut bytes = 0;
    for sheet in candidates.into_iter().take(SHEETS_LOOKED_AT) {
        match first_rows(book, sheet, header_row) {
            Ok(Some(start)) if start.rows.is_empty() => {
                without_header = without_header.or_else(|| Some(sheet.clone()));
            }
            Ok(Some(start)) => {
                bytes += start.rows.iter().map(|(_, row)| row.text_bytes()).sum::<usize>();
                seen.push(start);
            }
            Ok(None) => {}
            // Another sheet may be the one that is meant.
            Err(fault @ WorkbookFault::Corrupt { .. }) => {
                first_fault = first_fault.or(Some(fault));
                let (sheet, facts) = (sheet.clone(), SheetFacts::default());
                seen.push(SheetStart { sheet, rows: Vec::new(), facts });
            }
            Err(fault) => return Err(fault),
        }
        if bytes > STARTS_BYTES {
            break;
        }
    }
    let is_empty = seen.iter().all(|start| start.rows.is_empty());
    match (is_empty, first_fault, without_header) {
        (true, Some(fault), _) => Err(fault),
        (true, None, Some(sheet)) => {
            Err(WorkbookFault::NoHeader { row: header_row.unwrap_or(1), sheet })
        }
        (true, None, None) => Err(WorkbookFault::Empty),
        (false, ..) => write_starts(target, format, names, &seen),
    }
}

/// The sheet that is called so, whatever the letter case.
fn named<'a>(wanted: &str, names: &'a [String]) -> Result<&'a String, WorkbookFault> {
    let exact = names.iter().find(|name| *name == wanted);
    let similar = || names.iter().find(|name| name.to_lowercase() == wanted.to_lowercase());
    exact.or_else(similar).ok_or_else(|| WorkbookFault::NoSuchSheet {
        sheet: crate::domain::row_error::shown(wanted),
        sheets: names.to_vec(),
    })
}

/// The first rows of a sheet.
struct SheetStart {
    sheet: String,
    rows: Vec<(u32, RowCells)>,
    facts: SheetFacts,
}

/// The first rows of a sheet, from `header_row` on if that is given; none where that row is blank.
/// `None` for a sheet without data.
fn first_rows(
    book: &mut Book,
    sheet: &str,
    header_row: Option<u32>,
) -> Result<Option<SheetStart>, WorkbookFault> {
    let mut rows: Vec<(u32, RowCells)> = Vec::new();
    let mut seen = false;
    let mut bytes = 0;
    let rows_max = SAMPLE_ROWS + if header_row.is_some() { 1 } else { HEADER_ROWS };
    let facts = book.read(sheet, |number, row| {
        seen = true;
        if header_row.is_some_and(|header| number < header) {
            return Ok(ControlFlow::Continue(()));
        }
        if rows.is_empty() && header_row.is_some_and(|header| number > header) {
            return Ok(ControlFlow::Break(()));
        }
        rows.push((number, row.clone()));
        bytes += row.text_bytes();
        let enough = rows.len() >= rows_max || bytes > SAMPLE_BYTES;
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(seen.then(|| SheetStart { sheet: sheet.to_owned(), rows, facts }))
}

/// Writes the first rows of several sheets, as many as a small spool takes.
fn write_starts(
    target: impl Write,
    format: Format,
    sheets: Vec<String>,
    seen: &[SheetStart],
) -> Result<(), WorkbookFault> {
    let part = |start: &SheetStart| SheetRows {
        sheet: start.sheet.clone(),
        rows: Some(start.rows.len()),
        facts: start.facts.clone(),
    };
    let head = Head { format, sheets, parts: seen.iter().map(part).collect() };
    let mut spool = SpoolWriter::new(target, &head).map_err(not_written)?;
    for (number, row) in seen.iter().flat_map(|start| &start.rows) {
        row.each(COLUMNS_MAX + 1, |cell| spool.cell(cell.kind, cell.text, cell.number));
        spool.end_row(RowNumber::new(*number), row.is_hidden()).map_err(not_written)?;
    }
    spool.finish(&SheetFacts::default()).map_err(not_written)
}

/// Every row after the header.
fn all(
    book: &mut Book,
    format: Format,
    sheet: &str,
    (header_row, columns): (u32, usize),
    target: impl Write,
) -> Result<(), WorkbookFault> {
    let sheets = book.sheets().into_iter().map(|(name, _)| name).collect();
    let facts = SheetFacts::default();
    let parts = vec![SheetRows { sheet: sheet.to_owned(), rows: None, facts }];
    let head = Head { format, sheets, parts };
    let mut spool = SpoolWriter::new(target, &head).map_err(not_written)?;
    let facts = book.read(sheet, |number, row| {
        if number > header_row {
            row.each(columns, |cell| spool.cell(cell.kind, cell.text, cell.number));
            spool.end_row(RowNumber::new(number), row.is_hidden()).map_err(not_written)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    spool.finish(&facts.within(columns)).map_err(not_written)
}

/// An open workbook.
enum Book {
    Xlsx(Box<Xlsx>),
    Xlsb(Box<Xlsb>),
    Xls(Box<Xls>),
    Ods(Ods),
}

impl Book {
    fn open(format: Format, path: &Path) -> Result<Self, WorkbookFault> {
        Ok(match format {
            Format::Xlsx => Self::Xlsx(Box::new(Xlsx::open(path)?)),
            Format::Xlsb => Self::Xlsb(Box::new(Xlsb::open(path)?)),
            Format::Xls => Self::Xls(Box::new(Xls::open(path)?)),
            Format::Ods => Self::Ods(Ods::open(path)?),
            Format::Csv | Format::Ndjson | Format::Json | Format::Dsv => {
                // `loadbay convert` takes formats of workbooks only.
                return Err(WorkbookFault::Unsupported { found: "text".to_owned() });
            }
        })
    }

    /// The worksheets in the workbook's order, and whether each can be seen. Sheets of charts,
    /// macros and dialogs are left out.
    fn sheets(&self) -> Vec<(String, bool)> {
        match self {
            Self::Xlsx(book) => book.sheets(),
            Self::Xlsb(book) => worksheets_of(book.sheets()),
            Self::Xls(book) => worksheets_of(book.sheets()),
            Self::Ods(book) => book.sheets().to_vec(),
        }
    }

    /// Gives every row of `sheet` that is not blank to `on_row`, until it says to stop. Gives what
    /// the sheet says beside its cells.
    fn read(
        &mut self,
        sheet: &str,
        mut on_row: impl FnMut(u32, &RowCells) -> Result<ControlFlow<()>, WorkbookFault>,
    ) -> Result<SheetFacts, WorkbookFault> {
        let mut rows = RowGatherer::new(sheet, &mut on_row);
        match self {
            Self::Xlsx(book) => book.read(sheet, &mut rows),
            Self::Xlsb(book) => book.read(sheet, &mut rows),
            Self::Xls(book) => book.read(sheet, &mut rows),
            Self::Ods(book) => book.read(sheet, &mut rows),
        }
    }
}

/// The worksheets among the sheets as calamine gives them, and whether each can be seen.
fn worksheets_of(sheets: &[Sheet]) -> Vec<(String, bool)> {
    let worksheets = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    worksheets.map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible)).collect()
}
