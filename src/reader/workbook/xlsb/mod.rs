//! XLSB workbooks: calamine reads the values, and what it leaves out is added.

mod parts;
mod records;
mod sheet_scan;
mod styles;

use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use calamine::{Reader as _, Sheet, XlsbError};

use self::sheet_scan::{LeftOut, SheetScan};
use super::archive::{self, Archive};
use super::cell::CellValue;
use super::fault::{corrupt, sheet_broken, unreadable};
use super::number_format::NumberFormat;
use super::rows::{AFTER_SAMPLE_BYTES, RowGatherer};
use super::shown::Shown;
use crate::reader::error::WorkbookFault;
use crate::reader::spool::SheetFacts;

/// An open workbook.
pub(super) struct Xlsb {
    parsed: calamine::Xlsb<BufReader<File>>,
    archive: Archive,
    formats: Vec<NumberFormat>,
}

impl Xlsb {
    pub(super) fn open(path: &Path) -> Result<Self, WorkbookFault> {
        let mut archive = archive::open(path)?;
        let formats = styles::read(&mut archive)?;
        let file = BufReader::new(File::open(path).map_err(unreadable)?);
        match without_panic(|| calamine::Xlsb::new(file)) {
            Some(Ok(parsed)) => Ok(Self { parsed, archive, formats }),
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
    pub(super) fn read(
        &mut self,
        sheet: &str,
        rows: &mut RowGatherer<'_>,
    ) -> Result<SheetFacts, WorkbookFault> {
        let part: Box<dyn Read> = match parts::part_of(&mut self.archive, sheet)? {
            Some(index) => Box::new(self.archive.by_index(index).map_err(archive::from_zip)?),
            None => Box::new(std::io::empty()),
        };
        let mut scan = SheetScan::new(part);
        let Some(Ok(mut cells)) = without_panic(|| self.parsed.worksheet_cells_reader(sheet))
        else {
            return Err(sheet_broken(sheet, None));
        };
        loop {
            let cell = match without_panic(|| cells.next_cell()) {
                Some(Ok(cell)) => cell,
                // An error with a code that calamine does not know; the scan gives it.
                Some(Err(XlsbError::CellError(_))) => continue,
                Some(Err(_)) | None => return Err(sheet_broken(sheet, Some(rows.place()))),
            };
            let place = cell.as_ref().map(calamine::Cell::get_position);
            let value = cell.as_ref().map(|cell| CellValue::from(cell.get_value()));
            let mut shown = Shown::Plain;
            while let Some(scanned) = scan.next_up_to(place)? {
                if scanned.in_hidden_row {
                    rows.hide(scanned.place.0);
                }
                if let Some(left_out) = &scanned.left_out {
                    let left_out = match left_out {
                        LeftOut::Error(word) => CellValue::Error(word),
                        LeftOut::Text(text) => CellValue::Text(text),
                    };
                    if rows.cell(scanned.place, left_out, Shown::Plain)?.is_break() {
                        return scan.finish(AFTER_SAMPLE_BYTES);
                    }
                }
                if let Some(value) = value.filter(|_| Some(scanned.place) == place) {
                    let format = self.formats.get(scanned.style);
                    shown = value.shown_by(format, scanned.is_formula);
                }
            }
            let Some((place, value)) = place.zip(value) else {
                let _ = rows.end_row()?;
                return scan.finish(u64::MAX);
            };
            if rows.cell(place, value, shown)?.is_break() {
                return scan.finish(AFTER_SAMPLE_BYTES);
            }
        }
    }
}

/// What calamine answers; none when it ends with a panic, as it does on some broken workbooks.
fn without_panic<T>(parse: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(parse)).ok()
}
