//! The records at the begin of a workbook's stream ([MS-XLS] 2.1.7.20.3): where the sheets begin,
//! and the number formats that cells refer to.

use std::collections::HashMap;
use std::io::{Read, Seek};

use cfb::CompoundFile;

use super::encrypted::FILE_PASS;
use super::records::XlsRecords;
use crate::reader::workbook::little_endian::{u16_at, u32_at, utf16};
use crate::reader::workbook::number_format::NumberFormat;

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000A;
const SHEET: u16 = 0x0085;
/// `Format`: a code.
const FORMAT: u16 = 0x041E;
/// `XF`: a style.
const STYLE: u16 = 0x00E0;
/// `RecalcId`: the version of the spreadsheet that calculated the formulas.
const CALCULATED: u16 = 0x01C1;

/// What the records say.
#[derive(Debug, Default)]
pub(super) struct Globals {
    /// Where in the stream the place of each sheet is stored.
    pub(super) sheets: Vec<u64>,
    /// Where the last record stands. A sheet that begins there has no cells.
    pub(super) end: u32,
    pub(super) was_calculated: bool,
    /// The records behind the first ones are encrypted.
    pub(super) is_encrypted: bool,
    /// The workbook is of Excel 97 or later, whose texts are UTF-16 whatever `CodePage` says.
    pub(super) is_unicode: bool,
    /// What each style says about numbers, by the number that a cell has for it.
    pub(super) formats: Vec<NumberFormat>,
}

impl Globals {
    pub(super) fn read<F: Read + Seek>(
        compound: &mut CompoundFile<F>,
        stream: &str,
    ) -> Option<Self> {
        Self::of(&stream_bytes(compound, stream)?)
    }

    /// Where in the stream the sheet begins, by its place in the list.
    pub(super) fn place(&self, stream: &[u8], index: usize) -> Option<usize> {
        let at = usize::try_from(*self.sheets.get(index)?).ok()?;
        usize::try_from(u32_at(stream, at)?).ok()
    }

    pub(super) fn of(stream: &[u8]) -> Option<Self> {
        let mut globals = Self::default();
        let (mut codes, mut styles) = (HashMap::new(), Vec::new());
        for (at, kind, body) in XlsRecords::from(stream, 0) {
            match kind {
                END => {
                    globals.end = u32::try_from(at).ok()?;
                    globals.formats = formats(&codes, &styles);
                    return Some(globals);
                }
                SHEET if body.len() >= 4 => globals.sheets.push(at as u64 + 4),
                BEGIN => globals.is_unicode = body.starts_with(&0x0600_u16.to_le_bytes()),
                FILE_PASS => globals.is_encrypted = true,
                CALCULATED => globals.was_calculated = true,
                FORMAT => {
                    if let Some((id, code)) = format(body, globals.is_unicode) {
                        codes.insert(id, code);
                    }
                }
                STYLE => styles.push(u16_at(body, 2).unwrap_or_default()),
                _ => {}
            }
        }
        None
    }
}

/// What each style says about numbers. The code of the file counts more than the one that its
/// number has everywhere.
fn formats(codes: &HashMap<u16, String>, styles: &[u16]) -> Vec<NumberFormat> {
    let of = |id: &u16| match codes.get(id) {
        Some(code) => NumberFormat::of_code(code),
        None => NumberFormat::of_id((*id).into()),
    };
    styles.iter().map(of).collect()
}

/// The number and the code of a format ([MS-XLS] 2.4.126). Before Excel 97 the code is of bytes,
/// of which only ASCII matters.
fn format(body: &[u8], is_unicode: bool) -> Option<(u16, String)> {
    let id = u16_at(body, 0)?;
    if !is_unicode {
        let (count, letters) = body.get(2..)?.split_first()?;
        let letters = letters.get(..usize::from(*count))?;
        return Some((id, letters.iter().map(|byte| char::from(*byte)).collect()));
    }
    let count = usize::from(u16_at(body, 2)?);
    let (flags, letters) = body.get(4..)?.split_first()?;
    let code = if flags & 1 == 0 {
        letters.get(..count)?.iter().map(|byte| char::from(*byte)).collect()
    } else {
        utf16(letters.get(..count.checked_mul(2)?)?)
    };
    Some((id, code))
}

/// Reads a stream from its begin.
pub(super) fn stream_bytes<F: Read + Seek>(
    compound: &mut CompoundFile<F>,
    name: &str,
) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    compound.open_stream(name).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_sheets_are_found() {
        let mut stream = vec![9, 8, 2, 0, 0, 6];
        stream.extend([0x85, 0, 6, 0, 1, 0, 0, 0, 0, 0]);
        stream.extend([0xC1, 1, 0, 0, 0x0A, 0, 0, 0]);
        let globals = Globals::of(&stream).unwrap();
        assert_eq!((globals.sheets, globals.end), (vec![10], 20));
        assert!(globals.was_calculated && globals.is_unicode && !globals.is_encrypted);
        for end in 0..stream.len() - 4 {
            assert!(Globals::of(&stream[..end]).is_none(), "cut at {end}");
        }
    }
}
