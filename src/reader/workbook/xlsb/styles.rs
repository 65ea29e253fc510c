//! The number formats of an XLSB workbook, by the style that a cell names (MS-XLSB 2.1.7.50).

use std::collections::HashMap;

use super::records::{XlsbRecords, text};
use crate::reader::error::WorkbookFault;
use crate::reader::workbook::archive::{self, Archive};
use crate::reader::workbook::little_endian::u16_at;
use crate::reader::workbook::number_format::NumberFormat;

/// `BrtFmt`: the code of a format.
const FORMAT: u32 = 0x002C;
/// `BrtXF`: a style.
const STYLE: u32 = 0x002F;
const STYLES_OF_CELLS: u32 = 0x0269;
const END_OF_STYLES_OF_CELLS: u32 = 0x026A;

/// What each style of a cell says about numbers; nothing where the part is missing.
pub(super) fn read(archive: &mut Archive) -> Result<Vec<NumberFormat>, WorkbookFault> {
    let (mut codes, mut formats, mut in_cells) = (HashMap::new(), Vec::new(), false);
    let Some(index) = archive::entry_named(archive, "xl/styles.bin") else { return Ok(formats) };
    let mut records = XlsbRecords::new(archive.by_index(index).map_err(archive::from_zip)?);
    while let Some((kind, body)) = records.next() {
        match kind {
            FORMAT => {
                if let (Some(id), Some((code, _))) = (u16_at(body, 0), text(body, 2)) {
                    codes.insert(id, code);
                }
            }
            STYLES_OF_CELLS => in_cells = true,
            END_OF_STYLES_OF_CELLS => break,
            STYLE if in_cells => {
                let id = u16_at(body, 2).unwrap_or_default();
                let own = codes.get(&id).map(|code| NumberFormat::of_code(code));
                formats.push(own.unwrap_or_else(|| NumberFormat::of_id(id.into())));
            }
            _ => {}
        }
    }
    Ok(formats)
}
