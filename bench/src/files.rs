//! The files of the benchmark: fresh and update, as CSV, as workbook with shared and with inline
//! strings. They are made once and kept in a folder.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rust_xlsxwriter::{Workbook, Worksheet};

use crate::product::{Change, HEADER, Product};

/// Goes into the names of the files; a new number makes all files anew.
const VERSION: u32 = 1;

/// Which rows a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Products that are not there.
    Fresh,
    /// Every second row a product of the fresh file with another price or stock, the rest new.
    Update,
}

impl Content {
    /// The word for the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Update => "update",
        }
    }

    /// The product and its change in each row of a file with `rows` rows.
    fn products(self, rows: u32) -> impl Iterator<Item = (u32, Change)> {
        (0..rows).map(move |row| match self {
            Self::Fresh => (row, Change::Nothing),
            Self::Update if row % 2 == 1 => (rows + row / 2, Change::Nothing),
            Self::Update if row % 4 == 0 => (row, Change::Price),
            Self::Update => (row, Change::Stock),
        })
    }

    /// Rows created and updated by this file; the update comes after the fresh one.
    pub(crate) fn expected(self, rows: u32) -> (u32, u32) {
        match self {
            Self::Fresh => (rows, 0),
            Self::Update => (rows / 2, rows - rows / 2),
        }
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Csv,
    XlsxShared,
    XlsxInline,
}

impl Format {
    /// The word for the table.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::XlsxShared => "xlsx-shared",
            Self::XlsxInline => "xlsx-inline",
        }
    }

    /// The media type to upload it with.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::XlsxShared | Self::XlsxInline => {
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            }
        }
    }
}

/// A file of the benchmark on the disk.
#[derive(Debug, Clone)]
pub(crate) struct BenchFile {
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
    pub(crate) format: Format,
    pub(crate) rows: u32,
    pub(crate) bytes: u64,
}

/// Gives the file, making it when it is not in the folder yet.
pub(crate) fn file(
    folder: &Path,
    content: Content,
    format: Format,
    rows: u32,
) -> Result<BenchFile> {
    fs::create_dir_all(folder)?;
    let extension = if format == Format::Csv { "csv" } else { "xlsx" };
    let name = format!("v{VERSION}_{}_{}_{rows}.{extension}", content.as_str(), format.as_str());
    let path = folder.join(name);
    if !path.exists() {
        // Under another name until it is whole, so that a run that is broken off leaves no half.
        let part = path.with_extension("part");
        match format {
            Format::Csv => write_csv(&part, content.products(rows)),
            Format::XlsxShared | Format::XlsxInline => write_xlsx(&part, content, format, rows),
        }
        .with_context(|| format!("{} cannot be written", part.display()))?;
        fs::rename(&part, &path)?;
    }
    let bytes = fs::metadata(&path)?.len();
    Ok(BenchFile { path, content, format, rows, bytes })
}

/// The rows of the fresh file in so many files of their own, in their order.
pub(crate) fn parts(folder: &Path, rows: u32, count: u32) -> Result<Vec<BenchFile>> {
    let share = rows.div_ceil(count);
    let mut parts = Vec::new();
    for number in 0..count {
        let first = number.saturating_mul(share).min(rows);
        let rows = share.min(rows - first);
        let path = folder.join(format!("part{number}.csv"));
        write_csv(&path, (first..first + rows).map(|row| (row, Change::Nothing)))?;
        let bytes = fs::metadata(&path)?.len();
        parts.push(BenchFile { path, content: Content::Fresh, format: Format::Csv, rows, bytes });
    }
    Ok(parts)
}

fn write_csv(path: &Path, products: impl Iterator<Item = (u32, Change)>) -> Result<()> {
    let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    writer.write_record(HEADER)?;
    let mut product = Product::default();
    for (index, change) in products {
        product.fill(index, change);
        writer.write_record([
            product.sku.as_str(),
            &product.name,
            &product.category,
            &product.brand,
            &product.potency,
            &product.form,
            &product.description,
            product.uom,
            &product.price_text(),
            &product.current_stock.to_string(),
            &product.barcode,
            product.active_text(),
        ])?;
    }
    writer.flush()?;
    Ok(())
}

fn write_xlsx(path: &Path, content: Content, format: Format, rows: u32) -> Result<()> {
    let mut workbook = Workbook::new();
    // Both keep one row in memory; "low memory" keeps the table of shared strings as well.
    let sheet = if format == Format::XlsxShared {
        workbook.add_worksheet_with_low_memory()?
    } else {
        workbook.add_worksheet_with_constant_memory()?
    };
    for (column, title) in (0_u16..).zip(HEADER) {
        sheet.write_string(0, column, title)?;
    }
    let mut product = Product::default();
    for (row, (index, change)) in (1_u32..).zip(content.products(rows)) {
        product.fill(index, change);
        write_row(sheet, row, &product)?;
    }
    workbook.save(path)?;
    Ok(())
}

fn write_row(sheet: &mut Worksheet, row: u32, product: &Product) -> Result<()> {
    let texts: [&str; 8] = [
        &product.sku,
        &product.name,
        &product.category,
        &product.brand,
        &product.potency,
        &product.form,
        &product.description,
        product.uom,
    ];
    for (column, text) in (0_u16..).zip(texts).filter(|(_, text)| !text.is_empty()) {
        sheet.write_string(row, column, text)?;
    }
    sheet.write_number(row, 8, f64::from(u32::try_from(product.selling_price)?) / 100.0)?;
    sheet.write_number(row, 9, f64::from(u32::try_from(product.current_stock)?))?;
    sheet.write_string(row, 10, &product.barcode)?;
    sheet.write_string(row, 11, product.active_text())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_an_update_exists_and_is_changed() {
        let rows: Vec<_> = Content::Update.products(8).collect();
        let existing = rows.iter().filter(|(index, _)| *index < 8).count();
        let changed = rows.iter().filter(|(_, change)| *change != Change::Nothing).count();
        assert_eq!((existing, changed), (4, 4));
        assert_eq!(Content::Update.expected(8), (4, 4));
        let mut keys: Vec<_> = rows.iter().map(|(index, _)| *index).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 8);
    }

    #[test]
    fn parts_have_the_rows_of_the_whole_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = |path: &Path| -> Vec<String> {
            let text = fs::read_to_string(path).expect("a text");
            text.lines().skip(1).map(str::to_owned).collect()
        };
        let whole = file(folder.path(), Content::Fresh, Format::Csv, 1_000).expect("a file");
        let parts = parts(folder.path(), 1_000, 7).expect("files");
        assert_eq!(parts.iter().map(|part| part.rows).sum::<u32>(), 1_000);
        let of_parts: Vec<_> = parts.iter().flat_map(|part| lines(&part.path)).collect();
        assert_eq!(of_parts, lines(&whole.path));
    }

    #[test]
    fn a_file_is_made_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = file(folder.path(), Content::Fresh, Format::Csv, 1_000).expect("a file");
        let made = fs::metadata(&first.path).and_then(|m| m.modified()).expect("a time");
        let second = file(folder.path(), Content::Fresh, Format::Csv, 1_000).expect("a file");
        assert_eq!(fs::metadata(&second.path).and_then(|m| m.modified()).expect("a time"), made);
        assert_eq!(first.rows, 1_000);
        assert!((170_000..210_000).contains(&first.bytes), "{} bytes", first.bytes);
    }
}
