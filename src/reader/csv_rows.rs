//! The rows of a delimited text, each with its place. A record is read as a whole from a window over
//! the file: when its quotes break the rules it is given up, becomes a row with a fault, and reading
//! goes on with the next line of the file.

use std::io::Read;

use super::csv_record::{CsvRecord, Dialect, ParsedRecord};
use super::error::{ROW_CELLS_MAX, ReadError, TooLong};
use super::swallowed_rows::has_swallowed_rows;
use crate::domain::limits::{FIELD_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX};
use crate::domain::row::{CellKind, RawRow, RowFault, RowPosition};
use crate::domain::row_number::RowNumber;
use crate::domain::warning::WarningCode;

/// Cells past the header that are still handed on, for the row's error report; the last one of
/// them stands for all that follow.
pub(crate) const CELLS_PAST_HEADER: usize = 64;

/// Bytes of the window at first; it grows with a longer record.
const WINDOW_BYTES: usize = 256 << 10;

/// Bytes of the window at most: the longest record, and its line end.
const WINDOW_BYTES_MAX: usize = ROW_BYTES_MAX + WINDOW_BYTES;

/// The byte order mark of UTF-8. Programs that join files leave one where a part begins.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Ctrl-Z, with which DOS ends a text.
const END_OF_TEXT: u8 = 0x1A;

/// Reads a delimited text row by row.
#[derive(Debug)]
pub(crate) struct CsvRows<R> {
    input: R,
    dialect: Dialect,
    record: CsvRecord,
    window: Vec<u8>,
    /// The part of the window that is not read yet.
    start: usize,
    end: usize,
    is_at_end: bool,
    /// Where the row began that was read last.
    begun: RowPosition,
    /// The physical line of the next byte.
    line: u64,
    /// The last byte taken was a carriage return: a line feed next belongs to it.
    after_return: bool,
    /// Columns of the header, once they are known.
    header_cells: Option<usize>,
}

impl<R: Read> CsvRows<R> {
    /// Begins at the start of `input`, which is UTF-8.
    pub(crate) fn new(input: R, dialect: Dialect) -> Self {
        Self {
            input,
            dialect,
            record: CsvRecord::default(),
            window: Vec::new(),
            start: 0,
            end: 0,
            is_at_end: false,
            begun: RowPosition { row_number: 0, line: 0 },
            line: 1,
            after_return: false,
            header_cells: None,
        }
    }

    /// Says how many columns the header has: of longer rows only so much is handed on as a report
    /// needs, and empty cells past the header not at all.
    pub(crate) fn set_header_cells(&mut self, cells: usize) {
        self.header_cells = Some(cells);
    }

    /// The first field of the row that was read last stands in quotes.
    pub(crate) fn first_is_quoted(&self) -> bool {
        self.record.first_is_quoted()
    }

    /// The next row that is not blank. False at the end.
    pub(crate) fn next_row(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        while self.skip_blank_lines()? {
            self.begun = RowPosition { row_number: self.begun.row_number + 1, line: self.line };
            row.clear();
            row.row_number = RowNumber::try_from(self.begun.row_number)
                .ok()
                .filter(|number| u64::from(*number) <= ROWS_MAX)
                .ok_or(ReadError::TooManyRows)?;
            row.line = self.begun.line;
            self.read_record(row)?;
            if !row.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The bytes that are not read yet.
    fn ahead(&self) -> &[u8] {
        self.window.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes line ends at the start of a record: each is a row of its own, blank. A byte order mark
    /// there says nothing.
    fn skip_blank_lines(&mut self) -> Result<bool, ReadError> {
        loop {
            let Some(first) = self.ahead().first().copied() else {
                if !self.read_on()? {
                    return Ok(false);
                }
                continue;
            };
            match first {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = first == b'\r';
                    self.line += 1;
                    self.begun.row_number += 1;
                }
                _ => {
                    self.after_return = false;
                    if !self.has_mark(first)? {
                        return Ok(true);
                    }
                    self.start += MARK.len() - 1;
                }
            }
            self.start += 1;
        }
    }

    /// A byte order mark stands here, whose `first` byte this may be.
    fn has_mark(&mut self, first: u8) -> Result<bool, ReadError> {
        if Some(&first) != MARK.first() {
            return Ok(false);
        }
        while self.ahead().len() < MARK.len() && self.read_on()? {}
        Ok(self.ahead().starts_with(MARK))
    }

    /// Reads more of the file into the window. False at its end.
    fn read_on(&mut self) -> Result<bool, ReadError> {
        if self.is_at_end {
            return Ok(false);
        }
        self.window.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.window.len() {
            let longer = (self.window.len() * 2).clamp(WINDOW_BYTES, WINDOW_BYTES_MAX);
            self.window.resize(longer, 0);
        }
        let free = self.window.get_mut(self.end..).unwrap_or_default();
        assert!(!free.is_empty(), "a record is bounded before the window is full");
        let count = loop {
            match self.input.read(free) {
                Err(fault) if fault.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read.map_err(ReadError::io("read the file"))?,
            }
        };
        self.end += count;
        self.is_at_end = count == 0;
        if self.is_at_end {
            self.drop_padding();
        }
        Ok(count > 0)
    }

    /// Drops what old programs put behind the last record: the sign that ends the text, and NULs.
    fn drop_padding(&mut self) {
        let signs = self.ahead().iter().rev().take_while(|byte| is_padding_sign(**byte)).count();
        self.end -= signs;
    }

    /// Reads the record that begins here into `row`, with its line end.
    fn read_record(&mut self, row: &mut RawRow) -> Result<(), ReadError> {
        loop {
            let ahead = self.window.get(self.start..self.end).unwrap_or_default();
            match self.record.parse(ahead, self.is_at_end, self.dialect) {
                ParsedRecord::Whole { bytes } => {
                    self.check_record_bytes(bytes)?;
                    self.take_record(row, bytes)?;
                    break;
                }
                ParsedRecord::TextAfterQuote { opened } => {
                    self.give_up(row, opened, |line| RowFault::TextAfterQuote { line })?;
                    break;
                }
                ParsedRecord::NeverClosed { opened } => {
                    self.give_up(row, opened, |line| RowFault::QuoteNeverClosed { line })?;
                    break;
                }
                ParsedRecord::Incomplete => {
                    self.check_record_bytes(ahead.len())?;
                    self.read_on()?;
                }
            }
        }
        self.pass_line_end()
    }

    /// Takes the whole record that stands in the next `bytes`.
    fn take_record(&mut self, row: &mut RawRow, bytes: usize) -> Result<(), ReadError> {
        let Dialect { delimiter, .. } = self.dialect;
        if let Some(columns) = self.header_cells
            && has_swallowed_rows(&self.record, delimiter, columns)
        {
            if self.record.len() != columns {
                // The quote stands in the first line of the record.
                return self.give_up(row, 0, |line| RowFault::RowsInQuotes { line });
            }
            row.warning = Some(WarningCode::RowsInQuotes);
        }
        self.hand_over(row, bytes)?;
        if !self.record.is_plain() {
            self.line += line_ends(self.ahead().get(..bytes).unwrap_or_default());
        }
        self.start += bytes;
        Ok(())
    }

    /// Gives the record up whose quote `opened` here: it is as long as the line with that quote.
    fn give_up(
        &mut self,
        row: &mut RawRow,
        opened: usize,
        fault: impl FnOnce(u64) -> RowFault,
    ) -> Result<(), ReadError> {
        let bytes = loop {
            let ahead = self.ahead();
            let behind = ahead.get(opened..).unwrap_or_default();
            if let Some(end) = memchr::memchr2(b'\n', b'\r', behind) {
                break opened + end;
            }
            self.check_record_bytes(ahead.len())?;
            if !self.read_on()? {
                break self.ahead().len();
            }
        };
        let before = self.ahead().get(..opened).unwrap_or_default();
        self.line += line_ends(before);
        let record = self.ahead().get(..bytes).unwrap_or_default();
        let text = String::from_utf8_lossy(record);
        row.push_faulty(fault(self.line), self.header_cells.unwrap_or(0), &text);
        self.start += bytes;
        Ok(())
    }

    /// Takes the line end behind a record; at the end of the file there may be none.
    fn pass_line_end(&mut self) -> Result<(), ReadError> {
        if self.ahead().is_empty() {
            self.read_on()?;
        }
        let Some(first) = self.ahead().first().copied() else { return Ok(()) };
        assert!(matches!(first, b'\n' | b'\r'), "a record ends at a line end");
        self.after_return = first == b'\r';
        self.line += 1;
        self.start += 1;
        Ok(())
    }

    fn check_record_bytes(&self, bytes: usize) -> Result<(), ReadError> {
        if bytes > ROW_BYTES_MAX {
            return Err(ReadError::TooLong { position: self.begun, what: TooLong::Row });
        }
        Ok(())
    }

    /// Copies the record in the next `bytes` into `row`, checking that its bytes are text.
    fn hand_over(&self, row: &mut RawRow, bytes: usize) -> Result<(), ReadError> {
        if self.record.len() > ROW_CELLS_MAX {
            return Err(ReadError::TooLong { position: self.begun, what: TooLong::Cells });
        }
        let all = self.record.text(self.ahead().get(..bytes).unwrap_or_default());
        if bytes > FIELD_BYTES_MAX {
            self.check_fields(all)?;
        }
        if is_padding(&self.record, all) {
            return Ok(());
        }
        let text = std::str::from_utf8(all).ok();
        for (start, end) in self.record.spans().take(self.kept_cells()) {
            match text.and_then(|text| text.get(start..end)) {
                Some(cell) => row.push(CellKind::Text, cell),
                None => push_bytes(row, all.get(start..end).unwrap_or_default()),
            }
        }
        Ok(())
    }

    fn check_fields(&self, all: &[u8]) -> Result<(), ReadError> {
        let mut line = self.begun.line;
        for (start, end) in self.record.spans() {
            if end - start > FIELD_BYTES_MAX {
                let position = RowPosition { row_number: self.begun.row_number, line };
                return Err(ReadError::TooLong { position, what: TooLong::Field });
            }
            line += line_ends(all.get(start..end).unwrap_or_default());
        }
        Ok(())
    }

    /// Cells of the record without the empty ones past the header, and bounded.
    fn kept_cells(&self) -> usize {
        let cells = self.record.len();
        let Some(header_cells) = self.header_cells.filter(|header| cells > *header) else {
            return cells;
        };
        let past = self.record.spans().skip(header_cells);
        let filled = past.enumerate().filter(|(_, (start, end))| end > start).last();
        filled.map_or(header_cells, |(index, _)| header_cells + (index + 1).min(CELLS_PAST_HEADER))
    }
}

/// A line of nothing but what old programs put behind the last record: it is blank.
fn is_padding(record: &CsvRecord, text: &[u8]) -> bool {
    record.len() == 1 && !text.is_empty() && text.iter().all(|byte| is_padding_sign(*byte))
}

fn is_padding_sign(byte: u8) -> bool {
    matches!(byte, 0 | END_OF_TEXT)
}

/// A cell that is perhaps not text: the whole record was not.
fn push_bytes(row: &mut RawRow, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(cell) => row.push(CellKind::Text, cell),
        Err(_) => row.push(CellKind::BadEncoding, &String::from_utf8_lossy(bytes)),
    }
}

/// Line ends in `bytes`: LF, CR and CRLF each count once.
fn line_ends(bytes: &[u8]) -> u64 {
    let mut count = 0;
    for position in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        let feeds = bytes.get(position) == Some(&b'\n');
        let before = position.checked_sub(1).and_then(|index| bytes.get(index));
        count += u64::from(!(feeds && before == Some(&b'\r')));
    }
    count
}

#[cfg(test)]
mod tests;
