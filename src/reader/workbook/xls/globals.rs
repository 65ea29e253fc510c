//! The records at the begin of a workbook's stream ([MS-XLS] 2.1.7.20.3): where the sheets begin.

use std::io::{Read, Seek};

use cfb::CompoundFile;

use super::encrypted::FILE_PASS;

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000A;
const SHEET: u16 = 0x0085;
/// `RecalcId`: the version of the spreadsheet that calculated the formulas.
const CALCULATED: u16 = 0x01C1;

/// What the records say.
#[derive(Debug, Default, PartialEq, Eq)]
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
}

impl Globals {
    pub(super) fn read<F: Read + Seek>(
        compound: &mut CompoundFile<F>,
        stream: &str,
    ) -> Option<Self> {
        Self::of(&stream_bytes(compound, stream)?)
    }

    fn of(stream: &[u8]) -> Option<Self> {
        let mut globals = Self::default();
        let mut at = 0;
        loop {
            let (head, body) = stream.get(at..)?.split_first_chunk::<4>()?;
            let [kind_low, kind_high, low, high] = *head;
            let length = usize::from(u16::from_le_bytes([low, high]));
            match u16::from_le_bytes([kind_low, kind_high]) {
                END => {
                    globals.end = u32::try_from(at).ok()?;
                    return Some(globals);
                }
                SHEET if body.len() >= 4 => globals.sheets.push(at as u64 + 4),
                BEGIN => globals.is_unicode = body.starts_with(&0x0600_u16.to_le_bytes()),
                FILE_PASS => globals.is_encrypted = true,
                CALCULATED => globals.was_calculated = true,
                _ => {}
            }
            at += 4 + length;
        }
    }
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
        let expected = Globals {
            sheets: vec![10],
            end: 20,
            was_calculated: true,
            is_encrypted: false,
            is_unicode: true,
        };
        assert_eq!(Globals::of(&stream), Some(expected));
        for end in 0..stream.len() - 4 {
            assert_eq!(Globals::of(&stream[..end]), None, "cut at {end}");
        }
    }
}
