//! Workbooks to rows: what `loadbay convert` does, in a process of its own. A workbook of 2 KB can
//! make the library that reads it abort its process or eat all memory, so nothing of this module
//! may run in the server.

mod archive;
mod cell;
mod compound;
pub mod confine;
mod fault;
mod rows;

use std::fs::File;
use std::io::{BufReader, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use calamine::{
    Data, Ods, OdsError, Range, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb, XlsbError,
    Xlsx, XlsxError,
};

use self::cell::CellValue;
use self::fault::{corrupt, not_written, unreadable};
use self::rows::{RowCells, RowGatherer};
use super::error::WorkbookFault;
use super::inspection::SAMPLE_ROWS;
use super::spool::{Head, SpoolWriter};
use crate::domain::detected::Format;
use crate::domain::limits::COLUMNS_MAX;
use crate::domain::row_number::RowNumber;

/// Bytes of rows after which an inspection has seen enough.
const SAMPLE_BYTES: u64 = 4 << 20;

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
    /// The header and the first rows after it, to inspect the file.
    Head {
        /// The sheet that was asked for; else the first visible one with data.
        sheet: Option<String>,
        /// The header's row; else the first row that is not blank.
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
    let format = match request.format {
        Some(format) => format,
        None => find_format(&request.path)?,
    };
    if format != Format::Xls {
        archive::check_protection(&mut archive::open(&request.path)?, format)?;
    }
    let mut book = Book::open(format, &request.path)?;
    match &request.mode {
        ConvertMode::Head { sheet, header_row } => {
            head(&mut book, format, sheet.as_deref(), *header_row, target)
        }
        ConvertMode::All { sheet, header_row, columns } => {
            all(&mut book, format, sheet, (*header_row, *columns), target)
        }
    }
}

/// Looks into the container for the format.
fn find_format(path: &Path) -> Result<Format, WorkbookFault> {
    use std::io::Read;
    let mut magic = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut magic)).map_err(unreadable)?;
    if magic == *b"PK\x03\x04" {
        archive::format(&mut archive::open(path)?)
    } else {
        compound::format(path)
    }
}

/// The header and the first rows of the sheet that was asked for, or of the first one with data.
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
        Some(wanted) => {
            let exact = names.iter().find(|name| *name == wanted);
            let similar = || names.iter().find(|name| name.to_lowercase() == wanted.to_lowercase());
            let sheet = exact.or_else(similar).ok_or_else(|| WorkbookFault::NoSuchSheet {
                sheet: crate::domain::row_error::shown(wanted),
                sheets: names.clone(),
            })?;
            vec![sheet]
        }
        None => sheets.iter().filter(|(_, visible)| *visible).map(|(name, _)| name).collect(),
    };
    for sheet in candidates {
        let mut rows: Vec<(u32, RowCells)> = Vec::new();
        let mut seen = false;
        book.read(sheet, |number, row| {
            seen = true;
            if header_row.is_some_and(|header| number < header) {
                return Ok(ControlFlow::Continue(()));
            }
            if rows.is_empty() && header_row.is_some_and(|header| number > header) {
                return Ok(ControlFlow::Break(()));
            }
            rows.push((number, row.clone()));
            let enough = rows.len() > SAMPLE_ROWS;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if seen && rows.is_empty() {
            let row = header_row.unwrap_or(1);
            return Err(WorkbookFault::NoHeader { row, sheet: sheet.clone() });
        }
        if seen {
            let head = Head { format, sheet: sheet.clone(), sheets: names.clone() };
            return write_head(target, &head, &rows);
        }
    }
    Err(WorkbookFault::Empty)
}

fn write_head(
    target: impl Write,
    head: &Head,
    rows: &[(u32, RowCells)],
) -> Result<(), WorkbookFault> {
    let mut spool = SpoolWriter::new(target, head).map_err(not_written)?;
    // The first row is the header; the rows after it are cut as the job will cut them.
    let mut columns = COLUMNS_MAX + 1;
    for (index, (number, row)) in rows.iter().enumerate() {
        let (mut cells, mut filled) = (0, 0);
        row.each(columns, |kind, text| {
            spool.cell(kind, text);
            cells += 1;
            filled = if text.trim().is_empty() { filled } else { cells };
        });
        if index == 0 {
            columns = filled;
        }
        spool.end_row(RowNumber::new(*number)).map_err(not_written)?;
        if spool.written().1 > SAMPLE_BYTES {
            break;
        }
    }
    spool.finish().map_err(not_written)
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
    let head = Head { format, sheet: sheet.to_owned(), sheets };
    let mut spool = SpoolWriter::new(target, &head).map_err(not_written)?;
    book.read(sheet, |number, row| {
        if number > header_row {
            row.each(columns, |kind, text| spool.cell(kind, text));
            spool.end_row(RowNumber::new(number)).map_err(not_written)?;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    spool.finish().map_err(not_written)
}

/// An open workbook.
enum Book {
    Xlsx(Box<Xlsx<BufReader<File>>>),
    Xlsb(Box<Xlsb<BufReader<File>>>),
    Xls(Box<Xls<BufReader<File>>>),
    Ods(Box<Ods<BufReader<File>>>),
}

impl Book {
    fn open(format: Format, path: &Path) -> Result<Self, WorkbookFault> {
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        Ok(match format {
            Format::Xlsx => Self::Xlsx(Box::new(Xlsx::new(file).map_err(from_xlsx)?)),
            Format::Xlsb => Self::Xlsb(Box::new(Xlsb::new(file).map_err(from_xlsb)?)),
            Format::Xls => Self::Xls(Box::new(Xls::new(file).map_err(from_xls)?)),
            Format::Ods => Self::Ods(Box::new(Ods::new(file).map_err(from_ods)?)),
            Format::Csv | Format::Ndjson => {
                // `loadbay convert` takes formats of workbooks only.
                return Err(WorkbookFault::Unsupported { found: "text".to_owned() });
            }
        })
    }

    /// The worksheets in the workbook's order, and whether each can be seen. Sheets of charts,
    /// macros and dialogs are left out.
    fn sheets(&self) -> Vec<(String, bool)> {
        let sheets = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xlsb(book) => book.sheets_metadata(),
            Self::Xls(book) => book.sheets_metadata(),
            Self::Ods(book) => book.sheets_metadata(),
        };
        let worksheets = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        worksheets
            .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
            .collect()
    }

    /// Gives every row of `sheet` that is not blank to `on_row`, until it says to stop.
    fn read<F>(&mut self, sheet: &str, on_row: F) -> Result<(), WorkbookFault>
    where
        F: FnMut(u32, &RowCells) -> Result<ControlFlow<()>, WorkbookFault>,
    {
        let mut rows = RowGatherer::new(sheet, on_row);
        match self {
            Self::Xlsx(book) => {
                let mut cells = match book.worksheet_cells_reader(sheet) {
                    Ok(cells) => cells,
                    // A chart sheet that the workbook lists as a worksheet.
                    Err(XlsxError::NotAWorksheet(_)) => return Ok(()),
                    Err(error) => return Err(from_xlsx(error)),
                };
                while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(from_xlsx)? {
                    let value = match (CellValue::from(&cell.value), &cell.formula) {
                        (CellValue::Empty, Some(_)) => CellValue::NoStored,
                        (value, _) => value,
                    };
                    if rows.cell(cell.pos, value)?.is_break() {
                        return Ok(());
                    }
                }
            }
            Self::Xlsb(book) => {
                let mut cells = book.worksheet_cells_reader(sheet).map_err(from_xlsb)?;
                while let Some(cell) = cells.next_cell().map_err(from_xlsb)? {
                    if rows.cell(cell.get_position(), CellValue::from(cell.get_value()))?.is_break()
                    {
                        return Ok(());
                    }
                }
            }
            Self::Xls(book) => {
                let range = book.worksheet_range(sheet).map_err(from_xls)?;
                return read_range(&range, &mut rows);
            }
            Self::Ods(book) => {
                let range = book.worksheet_range(sheet).map_err(from_ods)?;
                return read_range(&range, &mut rows);
            }
        }
        rows.end_row().map(|_| ())
    }
}

fn read_range<F>(range: &Range<Data>, rows: &mut RowGatherer<F>) -> Result<(), WorkbookFault>
where
    F: FnMut(u32, &RowCells) -> Result<ControlFlow<()>, WorkbookFault>,
{
    let Some((first_row, first_column)) = range.start() else { return Ok(()) };
    for (row, cells) in (first_row..).zip(range.rows()) {
        for (column, cell) in (first_column..).zip(cells) {
            if rows.cell((row, column), CellValue::from(cell))?.is_break() {
                return Ok(());
            }
        }
    }
    rows.end_row().map(|_| ())
}

fn from_xlsx(error: XlsxError) -> WorkbookFault {
    if matches!(error, XlsxError::Password) { WorkbookFault::Password } else { corrupt(error) }
}

fn from_xlsb(error: XlsbError) -> WorkbookFault {
    if matches!(error, XlsbError::Password) { WorkbookFault::Password } else { corrupt(error) }
}

fn from_xls(error: XlsError) -> WorkbookFault {
    if matches!(error, XlsError::Password) { WorkbookFault::Password } else { corrupt(error) }
}

fn from_ods(error: OdsError) -> WorkbookFault {
    if matches!(error, OdsError::Password) {
        WorkbookFault::Password
    } else if matches!(error, OdsError::CellLimitExceeded { .. }) {
        WorkbookFault::Expands { detail: error.to_string() }
    } else {
        corrupt(error)
    }
}
