//! The spool: the rows of a workbook's sheet on their way from `loadbay convert` to the job.
//!
//! A file of frames; numbers are little-endian:
//!
//! ```text
//! magic   "LBSPOOL" 0x01                      (the last byte is the version)
//! head    'H'  u32 length  JSON of Head       (always the first frame)
//! row     'R'  u32 length  u32 row_number  u32 cells  table  text
//! end     'E'  u64 rows                       (the last nine bytes of the file)
//! ```
//!
//! `length` counts what follows it in the frame. `table` has for each cell its kind (one byte) and
//! the length of its text in bytes (LEB128); `text` is the texts one after another. Without the end
//! frame a spool is damaged: its writer died.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RowSource;
use super::error::ReadError;
use crate::domain::detected::Format;
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_number::RowNumber;

const MAGIC: &[u8; 8] = b"LBSPOOL\x01";

/// Tag and count of the end frame.
const END_BYTES: u64 = 9;

/// Bytes of one frame: twice the text that a row may have.
pub(crate) const FRAME_BYTES_MAX: usize = 64 << 20;

const BUFFER_BYTES: usize = 256 << 10;

/// What the converter found before the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) format: Format,
    /// Every worksheet, hidden ones too, in the workbook's order.
    pub(crate) sheets: Vec<String>,
    /// The sheets that the rows are of, in the order of the rows.
    pub(crate) parts: Vec<SheetRows>,
}

/// How many rows of a spool are of one sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SheetRows {
    /// The sheet.
    pub(crate) sheet: String,
    /// Its rows; `None` for all that follow.
    pub(crate) rows: Option<usize>,
}

fn kind_byte(kind: CellKind) -> u8 {
    match kind {
        CellKind::Text => b't',
        CellKind::Number => b'n',
        CellKind::LossyNumber => b'l',
        CellKind::Boolean => b'b',
        CellKind::Date => b'd',
        CellKind::DateTime => b's',
        CellKind::Time => b'h',
        CellKind::Error => b'e',
        CellKind::NoValue => b'v',
        CellKind::BadEncoding => b'x',
        CellKind::Missing => b'm',
    }
}

fn kind_of(byte: u8) -> Option<CellKind> {
    Some(match byte {
        b't' => CellKind::Text,
        b'n' => CellKind::Number,
        b'l' => CellKind::LossyNumber,
        b'b' => CellKind::Boolean,
        b'd' => CellKind::Date,
        b's' => CellKind::DateTime,
        b'h' => CellKind::Time,
        b'e' => CellKind::Error,
        b'v' => CellKind::NoValue,
        b'x' => CellKind::BadEncoding,
        b'm' => CellKind::Missing,
        _ => return None,
    })
}

/// Writes a spool.
#[derive(Debug)]
pub(crate) struct SpoolWriter<W: Write> {
    target: W,
    table: Vec<u8>,
    text: String,
    cells: u32,
    rows: u64,
}

impl<W: Write> SpoolWriter<W> {
    /// Begins a spool with its head.
    pub(crate) fn new(mut target: W, head: &Head) -> io::Result<Self> {
        let json = serde_json::to_vec(head).map_err(io::Error::other)?;
        target.write_all(MAGIC)?;
        target.write_all(b"H")?;
        target.write_all(&length(json.len())?.to_le_bytes())?;
        target.write_all(&json)?;
        Ok(Self { target, table: Vec::new(), text: String::new(), cells: 0, rows: 0 })
    }

    /// Adds a cell to the row under construction.
    pub(crate) fn cell(&mut self, kind: CellKind, text: &str) {
        self.table.push(kind_byte(kind));
        let mut rest = text.len();
        while rest >= 0x80 {
            self.table.push(low_bits(rest) | 0x80);
            rest >>= 7;
        }
        self.table.push(low_bits(rest));
        self.text.push_str(text);
        self.cells += 1;
    }

    /// Ends the row under construction.
    pub(crate) fn end_row(&mut self, row_number: RowNumber) -> io::Result<()> {
        let bytes = 8 + self.table.len() + self.text.len();
        self.target.write_all(b"R")?;
        self.target.write_all(&length(bytes)?.to_le_bytes())?;
        self.target.write_all(&row_number.get().to_le_bytes())?;
        self.target.write_all(&self.cells.to_le_bytes())?;
        self.target.write_all(&self.table)?;
        self.target.write_all(self.text.as_bytes())?;
        self.table.clear();
        self.text.clear();
        self.cells = 0;
        self.rows += 1;
        Ok(())
    }

    /// Ends the spool.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.target.write_all(b"E")?;
        self.target.write_all(&self.rows.to_le_bytes())?;
        self.target.flush()
    }
}

fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7F).unwrap_or_default()
}

fn length(bytes: usize) -> io::Result<u32> {
    if bytes > FRAME_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a row is longer than 64 MiB"));
    }
    u32::try_from(bytes).map_err(io::Error::other)
}

/// Reads a spool row by row.
#[derive(Debug)]
pub(crate) struct SpoolRows {
    file: BufReader<File>,
    head: Head,
    rows: u64,
    passed: u64,
    frame: Vec<u8>,
}

fn damaged(reason: &'static str) -> ReadError {
    ReadError::SpoolDamaged { reason }
}

impl SpoolRows {
    /// Opens a finished spool.
    ///
    /// # Errors
    /// [`ReadError::SpoolDamaged`] when the file is no spool of this version or has no end.
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        Self::from_file(File::open(path).map_err(ReadError::io("open the converted rows"))?)
    }

    pub(crate) fn from_file(mut file: File) -> Result<Self, ReadError> {
        let failed = ReadError::io("read the converted rows");
        let size = file.seek(SeekFrom::End(0)).map_err(&failed)?;
        if size < MAGIC.len() as u64 + END_BYTES {
            return Err(damaged("they are too short"));
        }
        let mut end = [0; 9];
        file.seek(SeekFrom::Start(size - END_BYTES)).map_err(&failed)?;
        file.read_exact(&mut end).map_err(&failed)?;
        let [b'E', count @ ..] = end else { return Err(damaged("their end is missing")) };
        file.seek(SeekFrom::Start(0)).map_err(&failed)?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut magic = [0; 8];
        file.read_exact(&mut magic).map_err(&failed)?;
        if &magic != MAGIC {
            return Err(damaged("they are of another version"));
        }
        let mut frame = Vec::new();
        if read_tag(&mut file)? != b'H' {
            return Err(damaged("their head is missing"));
        }
        read_frame(&mut file, &mut frame)?;
        let head = serde_json::from_slice(&frame).map_err(|_| damaged("their head is broken"))?;
        Ok(Self { file, head, rows: u64::from_le_bytes(count), passed: 0, frame })
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    fn fill(&self, row: &mut RawRow) -> Option<()> {
        let (number, rest) = self.frame.split_first_chunk::<4>()?;
        let (cells, rest) = rest.split_first_chunk::<4>()?;
        row.row_number = RowNumber::new(u32::from_le_bytes(*number));
        row.line = u64::from(row.row_number);
        let cells = u32::from_le_bytes(*cells);
        let mut table = rest;
        for _ in 0..cells {
            take_cell(&mut table)?;
        }
        let text = std::str::from_utf8(table).ok()?;
        let (mut table, mut start) = (rest, 0_usize);
        for _ in 0..cells {
            let (kind, length) = take_cell(&mut table)?;
            row.push(kind, text.get(start..start.checked_add(length)?)?);
            start += length;
        }
        (start == text.len()).then_some(())
    }
}

/// Takes a cell's kind and length off the front of the table.
fn take_cell(table: &mut &[u8]) -> Option<(CellKind, usize)> {
    let (kind, mut rest) = table.split_first()?;
    let kind = kind_of(*kind)?;
    let (mut length, mut shift) = (0_usize, 0_u32);
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        length |= usize::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    *table = rest;
    Some((kind, length))
}

fn read_tag(file: &mut BufReader<File>) -> Result<u8, ReadError> {
    let mut tag = [0];
    file.read_exact(&mut tag).map_err(|_| damaged("they end too early"))?;
    let [tag] = tag;
    Ok(tag)
}

fn read_frame(file: &mut BufReader<File>, frame: &mut Vec<u8>) -> Result<(), ReadError> {
    let mut length = [0; 4];
    file.read_exact(&mut length).map_err(|_| damaged("they end too early"))?;
    let length = u32::from_le_bytes(length) as usize;
    if length > FRAME_BYTES_MAX {
        return Err(damaged("a row is too long"));
    }
    frame.resize(length, 0);
    file.read_exact(frame).map_err(|_| damaged("they end too early"))
}

impl RowSource for SpoolRows {
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        row.clear();
        match read_tag(&mut self.file)? {
            b'R' => {
                read_frame(&mut self.file, &mut self.frame)?;
                self.passed += 1;
                self.fill(row).ok_or_else(|| damaged("a row is broken"))?;
                Ok(true)
            }
            b'E' if self.passed == self.rows => Ok(false),
            _ => Err(damaged("a frame is broken")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let parts = vec![SheetRows { sheet: "Ä".into(), rows: None }];
        Head { format: Format::Xlsx, sheets: vec!["Ä".into(), "B".into()], parts }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut spool = SpoolWriter::new(&mut bytes, &head()).unwrap();
        spool.cell(CellKind::Text, "Öl");
        spool.cell(CellKind::Text, "");
        spool.cell(CellKind::Number, &"7".repeat(300));
        spool.end_row(RowNumber::new(2)).unwrap();
        spool.cell(CellKind::NoValue, "");
        spool.end_row(RowNumber::new(9)).unwrap();
        spool.finish().unwrap();
        bytes
    }

    fn opened(bytes: &[u8]) -> Result<SpoolRows, ReadError> {
        let failed = ReadError::io("make the file");
        let mut file = tempfile::tempfile().map_err(&failed)?;
        file.write_all(bytes).map_err(&failed)?;
        SpoolRows::from_file(file)
    }

    #[test]
    fn rows_come_back_as_written() {
        let mut spool = opened(&written()).unwrap();
        assert_eq!((spool.rows, spool.head()), (2, &head()));
        let mut row = RawRow::new();
        assert!(spool.next(&mut row).unwrap());
        assert_eq!((row.row_number.get(), row.line, row.len()), (2, 2, 3));
        assert_eq!(row.cell(0), Some(("Öl", CellKind::Text)));
        assert_eq!(row.cell(2), Some(("7".repeat(300).as_str(), CellKind::Number)));
        assert!(spool.next(&mut row).unwrap());
        assert_eq!((row.row_number.get(), row.cell(0)), (9, Some(("", CellKind::NoValue))));
        assert!(!spool.next(&mut row).unwrap());
    }

    #[test]
    fn a_spool_cut_anywhere_is_noticed() {
        let whole = written();
        for end in 0..whole.len() {
            let all = |mut spool: SpoolRows| {
                let mut row = RawRow::new();
                while spool.next(&mut row)? {}
                Ok::<_, ReadError>(())
            };
            assert!(opened(&whole[..end]).and_then(all).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn no_byte_of_a_spool_can_break_the_reader() {
        let whole = written();
        for index in 0..whole.len() {
            for value in [0, 0x7F, 0xFF] {
                let mut bytes = whole.clone();
                bytes[index] = value;
                if let Ok(mut spool) = opened(&bytes) {
                    let mut row = RawRow::new();
                    while matches!(spool.next(&mut row), Ok(true)) {}
                }
            }
        }
    }
}
