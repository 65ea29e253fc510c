//! XLSB workbooks: calamine reads the cells, and what it leaves out is added.

mod errors;

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{Reader, Sheet, XlsbError};

use super::archive::{self, Archive};
use super::cell::CellValue;
use super::fault::{corrupt, sheet_broken, unreadable};
use super::rows::{RowCells, RowGatherer};
use super::shown::Shown;
use crate::reader::error::WorkbookFault;

/// An open workbook.
pub(super) struct Xlsb {
    parsed: calamine::Xlsb<BufReader<File>>,
    archive: Archive,
}

impl Xlsb {
    pub(super) fn open(path: &Path) -> Result<Self, WorkbookFault> {
        let archive = archive::open(path)?;
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        match without_panic(|| calamine::Xlsb::new(file)) {
            Some(Ok(parsed)) => Ok(Self { parsed, archive }),
            Some(Err(XlsbError::Password)) => Err(WorkbookFault::Password),
            Some(Err(_)) | None => {
                Err(corrupt("its list of sheets, its texts or its styles are broken"))
            }
        }
    }

    /// The sheets in their order.
    pub(super) fn sheets(&self) -> &[Sheet] {
        self.parsed.sheets_metadata()
    }

    /// Gives the rows of `sheet` to `rows`.
    pub(super) fn read<F>(
        &mut self,
        sheet: &str,
        rows: &mut RowGatherer<F>,
    ) -> Result<(), WorkbookFault>
    where
        F: FnMut(u32, &RowCells) -> Result<ControlFlow<()>, WorkbookFault>,
    {
        let mut errors = errors::find(&mut self.archive, sheet)?.into_iter().peekable();
        let Some(Ok(mut cells)) = without_panic(|| self.parsed.worksheet_cells_reader(sheet))
        else {
            return Err(sheet_broken(sheet, None));
        };
        loop {
            let cell = match without_panic(|| cells.next_cell()) {
                Some(Ok(cell)) => cell,
                // An error with a code that calamine does not know; it is in `errors`.
                Some(Err(XlsbError::CellError(_))) => continue,
                Some(Err(_)) | None => return Err(sheet_broken(sheet, Some(rows.place()))),
            };
            let place = cell.as_ref().map(calamine::Cell::get_position);
            while let Some((at, word)) =
                errors.next_if(|(at, _)| place.is_none_or(|place| *at < place))
            {
                if rows.cell(at, CellValue::Error(word), Shown::Plain)?.is_break() {
                    return Ok(());
                }
            }
            let Some(cell) = cell else { return rows.end_row().map(|_| ()) };
            let value = CellValue::from(cell.get_value());
            if rows.cell(cell.get_position(), value, Shown::Plain)?.is_break() {
                return Ok(());
            }
        }
    }
}

/// What calamine answers; none when it ends with a panic, as it does on some broken workbooks.
fn without_panic<T>(parse: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(parse)).ok()
}
