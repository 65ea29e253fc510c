//! Reading a file alone: what no import can be faster than.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use calamine::{Reader as _, Xlsx, open_workbook};

use crate::files::{BenchFile, Format};

/// Reads every cell of the file once, and gives the time that took.
pub(crate) fn read(file: &BenchFile) -> Result<Duration> {
    let begin = Instant::now();
    let rows = match file.format {
        Format::Csv => read_csv(file)?,
        Format::XlsxShared | Format::XlsxInline => read_xlsx(file)?,
    };
    let took = begin.elapsed();
    ensure!(rows == file.rows, "{} has {rows} rows", file.path.display());
    Ok(took)
}

fn read_csv(file: &BenchFile) -> Result<u32> {
    let mut reader = csv::Reader::from_path(&file.path)?;
    let mut record = csv::StringRecord::new();
    let mut rows = 0;
    while reader.read_record(&mut record)? {
        rows += 1;
    }
    Ok(rows)
}

fn read_xlsx(file: &BenchFile) -> Result<u32> {
    let mut workbook: Xlsx<_> = open_workbook(&file.path)?;
    let sheet = workbook.sheet_names().first().cloned().context("a sheet")?;
    let mut cells = workbook.worksheet_cells_reader(&sheet)?;
    let mut last = 0;
    while let Some(cell) = cells.next_cell()? {
        last = cell.get_position().0;
    }
    Ok(last)
}
