//! The spool: the rows of a workbook's sheet on their way from `loadbay convert` to the job.
//!
//! A file of frames; numbers are little-endian:
//!
//! ```text
//! magic   "LBSPOOL" 0x02                      (the last byte is the version)
//! head    'H'  u32 length  JSON of Head       (always the first frame)
//! row     'R'  u32 length  u32 row_number  u8 hidden  u32 cells  table  text
//! facts   'F'  u32 length  JSON of SheetFacts (once, after the rows)
//! end     'E'  u64 rows  u64 place of 'F'     (the last 17 bytes of the file)
//! ```
//!
//! `length` counts what follows it in the frame. `table` has for each cell its kind (one byte, for
//! some kinds the decimals that are shown in another), the length of its text in bytes (LEB128) and
//! for a labelled number that of the number; `text` is the texts one after another, a number before
//! its text. Without the end frame a spool is damaged: its writer died.
//!
//! What a sheet says of merged cells stands behind its rows. The reader knows it before the first
//! row and repeats their values.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::RowSource;
use super::error::{ReadError, WorkbookFault};
use super::merged::{MergedCells, Region, push_cell};
use crate::domain::detected::Format;
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_number::RowNumber;

const MAGIC: &[u8; 8] = b"LBSPOOL\x02";

/// Tag, count and place of the end frame.
const END_BYTES: u64 = 17;

/// Merged areas of a sheet.
const REGIONS_MAX: usize = 200_000;

/// Stands for decimals that are all shown.
const ALL_DECIMALS: u8 = u8::MAX;

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
    /// What the sheet says beside its cells, where the rows are only the first ones.
    pub(crate) facts: SheetFacts,
}

/// What a sheet says beside its cells. Rows and columns from 0, both ends within.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SheetFacts {
    /// Areas of merged cells.
    pub(crate) merged: Vec<Region>,
    /// Columns that are hidden.
    pub(crate) hidden_columns: Vec<(u32, u32)>,
}

impl SheetFacts {
    /// Adds an area of merged cells.
    pub(crate) fn add_merged(&mut self, region: Region) -> Result<(), WorkbookFault> {
        if self.merged.len() == REGIONS_MAX {
            let detail = format!("a sheet has more than {REGIONS_MAX} merged areas");
            return Err(WorkbookFault::Expands { detail });
        }
        self.merged.push(region);
        Ok(())
    }

    /// What matters in the first `columns` columns.
    pub(crate) fn within(mut self, columns: usize) -> Self {
        let columns = u32::try_from(columns).unwrap_or(u32::MAX);
        self.merged.retain(|region| {
            region.first_column < columns
                && (region.first_row, region.first_column) != (region.last_row, region.last_column)
        });
        for region in &mut self.merged {
            region.last_column = region.last_column.min(columns.saturating_sub(1));
        }
        self.hidden_columns.retain(|(first, _)| *first < columns);
        self
    }
}

fn kind_byte(kind: CellKind) -> u8 {
    match kind {
        CellKind::Text => b't',
        CellKind::Number => b'n',
        CellKind::LossyNumber => b'l',
        CellKind::RoundedNumber { .. } => b'r',
        CellKind::Percent { .. } => b'p',
        CellKind::Labelled { .. } => b'a',
        CellKind::Boolean => b'b',
        CellKind::ShortDay => b'y',
        CellKind::Date => b'd',
        CellKind::DateTime => b's',
        CellKind::Time => b'h',
        CellKind::Error => b'e',
        CellKind::NoValue => b'v',
        CellKind::BadEncoding => b'x',
        CellKind::Missing => b'm',
    }
}

/// The decimals that kinds with decimals have beside their byte.
fn decimals_byte(kind: CellKind) -> Option<u8> {
    match kind {
        CellKind::RoundedNumber { decimals } => Some(decimals),
        CellKind::Percent { decimals } | CellKind::Labelled { decimals } => {
            Some(decimals.unwrap_or(ALL_DECIMALS))
        }
        _ => None,
    }
}

/// Takes a cell's kind off the front of the table.
fn take_kind(table: &mut &[u8]) -> Option<CellKind> {
    let (byte, rest) = table.split_first()?;
    *table = rest;
    let mut decimals = || {
        let (decimals, rest) = table.split_first()?;
        *table = rest;
        Some(*decimals)
    };
    Some(match *byte {
        b'r' => CellKind::RoundedNumber { decimals: decimals()? },
        b'p' => CellKind::Percent { decimals: some_decimals(decimals()?) },
        b'a' => CellKind::Labelled { decimals: some_decimals(decimals()?) },
        b't' => CellKind::Text,
        b'n' => CellKind::Number,
        b'l' => CellKind::LossyNumber,
        b'b' => CellKind::Boolean,
        b'y' => CellKind::ShortDay,
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

fn some_decimals(byte: u8) -> Option<u8> {
    (byte != ALL_DECIMALS).then_some(byte)
}

/// Writes a spool.
#[derive(Debug)]
pub(crate) struct SpoolWriter<W: Write> {
    target: W,
    /// Bytes written so far.
    place: u64,
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
        let place = (MAGIC.len() + 5 + json.len()) as u64;
        Ok(Self { target, place, table: Vec::new(), text: String::new(), cells: 0, rows: 0 })
    }

    /// Adds a cell to the row under construction; `number` is that of a labelled one.
    pub(crate) fn cell(&mut self, kind: CellKind, text: &str, number: &str) {
        self.table.push(kind_byte(kind));
        self.table.extend(decimals_byte(kind));
        self.put_length(text.len());
        if matches!(kind, CellKind::Labelled { .. }) {
            self.put_length(number.len());
            self.text.push_str(number);
        }
        self.text.push_str(text);
        self.cells += 1;
    }

    fn put_length(&mut self, mut rest: usize) {
        while rest >= 0x80 {
            self.table.push(low_bits(rest) | 0x80);
            rest >>= 7;
        }
        self.table.push(low_bits(rest));
    }

    /// Ends the row under construction.
    pub(crate) fn end_row(&mut self, row_number: RowNumber, is_hidden: bool) -> io::Result<()> {
        let bytes = 9 + self.table.len() + self.text.len();
        self.target.write_all(b"R")?;
        self.target.write_all(&length(bytes)?.to_le_bytes())?;
        self.target.write_all(&row_number.get().to_le_bytes())?;
        self.target.write_all(&[u8::from(is_hidden)])?;
        self.target.write_all(&self.cells.to_le_bytes())?;
        self.target.write_all(&self.table)?;
        self.target.write_all(self.text.as_bytes())?;
        self.table.clear();
        self.text.clear();
        self.cells = 0;
        self.rows += 1;
        self.place += 5 + bytes as u64;
        Ok(())
    }

    /// Ends the spool.
    pub(crate) fn finish(mut self, facts: &SheetFacts) -> io::Result<()> {
        let json = serde_json::to_vec(facts).map_err(io::Error::other)?;
        self.target.write_all(b"F")?;
        self.target.write_all(&length(json.len())?.to_le_bytes())?;
        self.target.write_all(&json)?;
        self.target.write_all(b"E")?;
        self.target.write_all(&self.rows.to_le_bytes())?;
        self.target.write_all(&self.place.to_le_bytes())?;
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
    merged: MergedCells,
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
        let mut end = [0; 17];
        file.seek(SeekFrom::Start(size - END_BYTES)).map_err(&failed)?;
        file.read_exact(&mut end).map_err(&failed)?;
        let [b'E', counts @ ..] = end else { return Err(damaged("their end is missing")) };
        let (count, place) = counts.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
        let (rows, place) = (number(count), number(place));
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut frame = Vec::new();
        file.seek(SeekFrom::Start(place.min(size))).map_err(&failed)?;
        if read_tag(&mut file)? != b'F' {
            return Err(damaged("what they say of the sheet is missing"));
        }
        read_frame(&mut file, &mut frame)?;
        let facts: SheetFacts = serde_json::from_slice(&frame)
            .map_err(|_| damaged("what they say of the sheet is broken"))?;
        file.seek(SeekFrom::Start(0)).map_err(&failed)?;
        let mut magic = [0; 8];
        file.read_exact(&mut magic).map_err(&failed)?;
        if &magic != MAGIC {
            return Err(damaged("they are of another version"));
        }
        if read_tag(&mut file)? != b'H' {
            return Err(damaged("their head is missing"));
        }
        read_frame(&mut file, &mut frame)?;
        let head = serde_json::from_slice(&frame).map_err(|_| damaged("their head is broken"))?;
        let merged = MergedCells::new(facts.merged);
        Ok(Self { file, head, merged, rows, passed: 0, frame })
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    fn fill(&self, row: &mut RawRow) -> Option<()> {
        let (number, rest) = self.frame.split_first_chunk::<4>()?;
        let (is_hidden, rest) = rest.split_first()?;
        let (cells, rest) = rest.split_first_chunk::<4>()?;
        row.row_number = RowNumber::new(u32::from_le_bytes(*number));
        row.is_hidden = *is_hidden != 0;
        row.line = u64::from(row.row_number);
        let cells = u32::from_le_bytes(*cells);
        let mut table = rest;
        for _ in 0..cells {
            take_cell(&mut table)?;
        }
        let text = std::str::from_utf8(table).ok()?;
        let (mut table, mut start) = (rest, 0_usize);
        for _ in 0..cells {
            let cell = take_cell(&mut table)?;
            let text_start = start.checked_add(cell.number_bytes)?;
            let end = text_start.checked_add(cell.text_bytes)?;
            let (number, words) = (text.get(start..text_start)?, text.get(text_start..end)?);
            push_cell(row, cell.kind, words, number);
            start = end;
        }
        (start == text.len()).then_some(())
    }
}

/// A cell as the table has it.
struct CellEntry {
    kind: CellKind,
    text_bytes: usize,
    number_bytes: usize,
}

/// Takes a cell off the front of the table.
fn take_cell(table: &mut &[u8]) -> Option<CellEntry> {
    let kind = take_kind(table)?;
    let text_bytes = take_length(table)?;
    let is_labelled = matches!(kind, CellKind::Labelled { .. });
    let number_bytes = if is_labelled { take_length(table)? } else { 0 };
    Some(CellEntry { kind, text_bytes, number_bytes })
}

fn take_length(table: &mut &[u8]) -> Option<usize> {
    let (mut length, mut shift) = (0_usize, 0_u32);
    loop {
        let (byte, rest) = table.split_first()?;
        *table = rest;
        length |= usize::from(byte & 0x7F).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(length);
        }
        shift += 7;
    }
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
                self.merged.fill(row);
                Ok(true)
            }
            b'F' if self.passed == self.rows => Ok(false),
            _ => Err(damaged("a frame is broken")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        let facts = SheetFacts::default();
        let parts = vec![SheetRows { sheet: "Ä".into(), rows: None, facts }];
        Head { format: Format::Xlsx, sheets: vec!["Ä".into(), "B".into()], parts }
    }

    fn facts() -> SheetFacts {
        let merged = Region { first_row: 1, last_row: 8, first_column: 0, last_column: 1 };
        SheetFacts { merged: vec![merged], hidden_columns: vec![(1, 3)] }
    }

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut spool = SpoolWriter::new(&mut bytes, &head()).unwrap();
        spool.cell(CellKind::Text, "Öl", "");
        spool.cell(CellKind::Text, "", "");
        spool.cell(CellKind::Number, &"7".repeat(300), "");
        spool.cell(CellKind::RoundedNumber { decimals: 2 }, "1.234", "");
        spool.cell(CellKind::Labelled { decimals: None }, "12 kg", "12");
        spool.end_row(RowNumber::new(2), true).unwrap();
        spool.cell(CellKind::NoValue, "", "");
        spool.end_row(RowNumber::new(9), false).unwrap();
        spool.finish(&facts()).unwrap();
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
        assert_eq!((row.row_number.get(), row.line, row.len()), (2, 2, 5));
        assert_eq!(row.cell(3), Some(("1.234", CellKind::RoundedNumber { decimals: 2 })));
        assert_eq!((row.cell(4).unwrap().0, row.number(4)), ("12 kg", Some("12")));
        assert!(row.is_hidden && row.repeated().is_empty());
        assert_eq!(row.cell(0), Some(("Öl", CellKind::Text)));
        assert_eq!(row.cell(2), Some(("7".repeat(300).as_str(), CellKind::Number)));
        assert!(spool.next(&mut row).unwrap());
        assert_eq!((row.row_number.get(), row.cell(0)), (9, Some(("", CellKind::NoValue))));
        assert_eq!((row.len(), row.is_hidden), (2, false));
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
