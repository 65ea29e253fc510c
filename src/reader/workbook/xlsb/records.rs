//! The records that the parts of an XLSB package consist of (MS-XLSB 2.1.4). Knows no record by its
//! kind.

use std::io::{BufReader, Read};

use crate::reader::workbook::little_endian::{u32_at, utf16};

/// Bytes at the begin of a record that are looked at: a cell has at most 32,767 characters.
const RECORD_BYTES: usize = 68 << 10;

/// `XLWideString` at `at`, and where it ends.
pub(super) fn text(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let units = usize::try_from(u32_at(bytes, at)?).ok()?;
    let end = units.checked_mul(2)?.checked_add(at + 4)?;
    Some((utf16(bytes.get(at + 4..end)?), end))
}

/// The records of a part.
pub(super) struct XlsbRecords<R: Read> {
    part: BufReader<R>,
    body: Vec<u8>,
    /// Bytes that were read so far.
    bytes_read: u64,
}

impl<R: Read> XlsbRecords<R> {
    pub(super) fn new(part: R) -> Self {
        Self { part: BufReader::with_capacity(64 << 10, part), body: Vec::new(), bytes_read: 0 }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// A number of seven bits a byte, the low ones first.
    fn variable(&mut self, bytes_max: u32) -> Option<u32> {
        let mut number = 0;
        for index in 0..bytes_max {
            let mut byte = [0_u8];
            self.part.read_exact(&mut byte).ok()?;
            let [byte] = byte;
            number |= u32::from(byte & 0x7F) << (7 * index);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Some(number)
    }

    /// The next record's kind and the begin of its body.
    pub(super) fn next(&mut self) -> Option<(u32, &[u8])> {
        let kind = self.variable(2)?;
        let length = self.variable(4)? as usize;
        self.body.resize(length.min(RECORD_BYTES), 0);
        self.part.read_exact(&mut self.body).ok()?;
        let rest = (length - self.body.len()) as u64;
        let skipped = std::io::copy(&mut self.part.by_ref().take(rest), &mut std::io::sink());
        self.bytes_read = self.bytes_read.saturating_add(length as u64);
        (skipped.ok()? == rest).then_some((kind, self.body.as_slice()))
    }
}
