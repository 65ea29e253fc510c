//! The rows of a delimited text. `csv-core`, the heart of the `csv` crate, finds the fields; around
//! it stand the bounds and the positions that it does not know: longest field and row, the end of the
//! file inside quotes, blank lines, and line numbers whatever ends a line.

use std::io::BufRead;

use csv_core::ReadRecordResult;

use super::error::{ROW_CELLS_MAX, ReadError, TooLong};
use crate::domain::limits::{FIELD_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX};
use crate::domain::row::{CellKind, RawRow, RowPosition};
use crate::domain::row_number::RowNumber;

/// Cells past the header that are still handed on, for the row's error report; the last one of
/// them stands for all that follow.
pub(crate) const CELLS_PAST_HEADER: usize = 64;

/// Reads a delimited text row by row.
#[derive(Debug)]
pub(crate) struct CsvRows<R> {
    input: R,
    core: csv_core::Reader,
    /// Unquoted bytes of the row, all fields together.
    text: Vec<u8>,
    text_end: usize,
    /// Where each field of the row ends in `text`.
    ends: Vec<usize>,
    fields: usize,
    /// Where the row began that was read last.
    begun: RowPosition,
    /// The physical line of the next byte.
    line: u64,
    /// The last byte taken was a carriage return: a line feed next belongs to it.
    after_return: bool,
    /// Cells past these are handed on only as far as they are needed to report the row.
    header_cells: usize,
}

impl<R: BufRead> CsvRows<R> {
    /// Begins at the start of `input`, which is UTF-8 without a byte order mark.
    pub(crate) fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; 8 << 10],
            text_end: 0,
            ends: vec![0; 64],
            fields: 0,
            begun: RowPosition { row_number: 0, line: 0 },
            line: 1,
            after_return: false,
            header_cells: ROW_CELLS_MAX,
        }
    }

    /// Says how many columns the header has: of longer rows only so much is handed on as a report
    /// needs, and empty cells past the header not at all.
    pub(crate) fn set_header_cells(&mut self, cells: usize) {
        self.header_cells = cells;
    }

    /// The next row that is not blank. False at the end.
    pub(crate) fn next_row(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        while self.next_record()? {
            self.hand_over(row)?;
            if !row.is_blank() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads one record into `text` and `ends`. False at the end.
    fn next_record(&mut self) -> Result<bool, ReadError> {
        if !self.skip_blank_lines()? {
            return Ok(false);
        }
        self.begun = RowPosition { row_number: self.begun.row_number + 1, line: self.line };
        (self.text_end, self.fields) = (0, 0);
        loop {
            match self.step()? {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow_text()?,
                ReadRecordResult::OutputEndsFull => self.grow_ends()?,
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        if self.text_end > FIELD_BYTES_MAX {
            self.check_fields()?;
        }
        Ok(true)
    }

    /// Takes line ends at the start of a record: each is a row of its own, blank.
    fn skip_blank_lines(&mut self) -> Result<bool, ReadError> {
        loop {
            let bytes = self.input.fill_buf().map_err(ReadError::io("read the file"))?;
            let Some(first) = bytes.first().copied() else { return Ok(false) };
            match first {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.after_return = first == b'\r';
                    self.line += 1;
                    self.begun.row_number += 1;
                }
                _ => {
                    self.after_return = false;
                    return Ok(true);
                }
            }
            self.input.consume(1);
        }
    }

    /// Lets the core work on the next piece of input.
    fn step(&mut self) -> Result<ReadRecordResult, ReadError> {
        let bytes = self.input.fill_buf().map_err(ReadError::io("read the file"))?;
        if bytes.is_empty() {
            return self.last_step();
        }
        let (result, taken, written, ended) = self.core.read_record(
            bytes,
            self.text.get_mut(self.text_end..).unwrap_or_default(),
            self.ends.get_mut(self.fields..).unwrap_or_default(),
        );
        let passed = bytes.get(..taken).unwrap_or_default();
        for position in memchr::memchr2_iter(b'\n', b'\r', passed) {
            let is_return = passed.get(position) == Some(&b'\r');
            let before = position.checked_sub(1).and_then(|index| passed.get(index));
            let follows_return = before.map_or(self.after_return, |byte| *byte == b'\r');
            self.line += u64::from(is_return || !follows_return);
        }
        if let Some(last) = passed.last() {
            self.after_return = *last == b'\r';
        }
        self.input.consume(taken);
        self.text_end += written;
        self.fields += ended;
        if self.text_end - self.field_start() > FIELD_BYTES_MAX {
            return Err(ReadError::TooLong { position: self.field_begin(), what: TooLong::Field });
        }
        Ok(result)
    }

    /// Ends the last record, which has no line end. The core would take the end of the file for the
    /// end of the record wherever it is, and does not tell whether that is inside quotes; but a line
    /// feed ends a record everywhere except there, so it gets one.
    fn last_step(&mut self) -> Result<ReadRecordResult, ReadError> {
        let (result, _, _, ended) = self.core.read_record(
            b"\n",
            self.text.get_mut(self.text_end..).unwrap_or_default(),
            self.ends.get_mut(self.fields..).unwrap_or_default(),
        );
        if matches!(result, ReadRecordResult::InputEmpty) {
            return Err(ReadError::UnclosedQuote { position: self.field_begin() });
        }
        self.fields += ended;
        Ok(result)
    }

    /// Where the field under construction begins in `text`.
    fn field_start(&self) -> usize {
        self.fields.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0)
    }

    /// The row, and the line on which the field under construction began.
    fn field_begin(&self) -> RowPosition {
        let field = self.text.get(self.field_start()..self.text_end).unwrap_or_default();
        let line = self.line.saturating_sub(line_ends(field));
        RowPosition { row_number: self.begun.row_number, line }
    }

    fn grow_text(&mut self) -> Result<(), ReadError> {
        if self.text.len() >= ROW_BYTES_MAX {
            return Err(ReadError::TooLong { position: self.begun, what: TooLong::Row });
        }
        self.text.resize((self.text.len() * 2).min(ROW_BYTES_MAX), 0);
        Ok(())
    }

    fn grow_ends(&mut self) -> Result<(), ReadError> {
        if self.ends.len() >= ROW_CELLS_MAX {
            return Err(ReadError::TooLong { position: self.begun, what: TooLong::Cells });
        }
        self.ends.resize((self.ends.len() * 2).min(ROW_CELLS_MAX), 0);
        Ok(())
    }

    /// A field can pass the bound within one step, between two checks.
    fn check_fields(&self) -> Result<(), ReadError> {
        let (mut start, mut line) = (0, self.begun.line);
        for end in self.ends.iter().take(self.fields) {
            if end - start > FIELD_BYTES_MAX {
                let position = RowPosition { row_number: self.begun.row_number, line };
                return Err(ReadError::TooLong { position, what: TooLong::Field });
            }
            line += line_ends(self.text.get(start..*end).unwrap_or_default());
            start = *end;
        }
        Ok(())
    }

    /// Copies the record into `row`, checking that its bytes are text.
    fn hand_over(&self, row: &mut RawRow) -> Result<(), ReadError> {
        row.clear();
        row.row_number = RowNumber::try_from(self.begun.row_number)
            .ok()
            .filter(|number| u64::from(*number) <= ROWS_MAX)
            .ok_or(ReadError::TooManyRows)?;
        row.line = self.begun.line;
        let bytes = self.text.get(..self.text_end).unwrap_or_default();
        let ends = self.ends.get(..self.kept_cells()).unwrap_or_default();
        let mut start = 0;
        let text = std::str::from_utf8(bytes).ok();
        for end in ends {
            match text.and_then(|text| text.get(start..*end)) {
                Some(cell) => row.push(CellKind::Text, cell),
                None => push_bytes(row, bytes.get(start..*end).unwrap_or_default()),
            }
            start = *end;
        }
        Ok(())
    }

    /// Cells of the record without the empty ones past the header, and bounded.
    fn kept_cells(&self) -> usize {
        if self.fields <= self.header_cells {
            return self.fields;
        }
        let last = self.ends.get(self.fields - 1);
        let ends = self.ends.get(..self.fields).unwrap_or_default();
        // The first field that ends where the last one does is the last one with content.
        let with_content = ends.iter().take_while(|end| Some(*end) != last).count() + 1;
        with_content.clamp(self.header_cells, self.header_cells + CELLS_PAST_HEADER)
    }
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
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    /// Row number, line and cells of every row; small reads, so that every border is met.
    fn rows(text: &[u8], read: usize) -> Result<Vec<(u32, u64, Vec<String>)>, ReadError> {
        let mut csv = CsvRows::new(BufReader::with_capacity(read, text), b',');
        let (mut row, mut all) = (RawRow::new(), Vec::new());
        while csv.next_row(&mut row)? {
            let cells = row.cells().map(|(text, _)| text.to_owned()).collect();
            all.push((row.row_number.get(), row.line, cells));
        }
        Ok(all)
    }

    fn positions(text: &[u8]) -> Vec<(u32, u64)> {
        let whole = rows(text, 1 << 10).unwrap();
        for read in 1..8 {
            assert_eq!(rows(text, read).unwrap(), whole, "reads of {read} bytes differ");
        }
        whole.into_iter().map(|(row, line, _)| (row, line)).collect()
    }

    #[test]
    fn blank_lines_count_as_rows_and_are_skipped() {
        assert_eq!(positions(b"\n\na,b\n\n1,2\n , \n3,4"), [(3, 3), (5, 5), (7, 7)]);
    }

    #[test]
    fn every_kind_of_line_end_counts_once() {
        let expected = [(1, 1), (2, 2), (4, 4)];
        assert_eq!(positions(b"a\nb\n\nc\n"), expected);
        assert_eq!(positions(b"a\r\nb\r\n\r\nc"), expected);
        assert_eq!(positions(b"a\rb\r\rc\r"), expected);
        assert_eq!(positions(b"a\nb\r\n\rc"), expected);
    }

    #[test]
    fn a_quoted_line_break_moves_the_line_but_not_the_row() {
        assert_eq!(positions(b"a,b\n1,\"x\r\ny\rz\n\"\n2,q\n"), [(1, 1), (2, 2), (3, 6)]);
    }

    #[test]
    fn an_unclosed_quote_names_where_it_opened() {
        for read in [1, 3, 1 << 10] {
            let error = rows(b"a,b\n1,2\n3,\"x\ny\n4,5\n", read).unwrap_err();
            assert_eq!(error.position(), Some(RowPosition { row_number: 3, line: 3 }));
            assert_eq!(error.code().as_str(), "unclosed_quote");
        }
        let error = rows(b"a,b\n\"x\ny\",\"open\nz", 4).unwrap_err();
        assert_eq!(error.position(), Some(RowPosition { row_number: 2, line: 3 }));
        assert!(error.to_string().contains("row 2 (line 3)"));
    }

    #[test]
    fn an_unclosed_quote_of_the_last_row_is_seen() {
        for read in [1, 3, 1 << 10] {
            let error = rows(b"SKU,Name\nA,\"Arnica\n", read).unwrap_err();
            assert_eq!(error.position(), Some(RowPosition { row_number: 2, line: 2 }));
        }
    }

    #[test]
    fn a_closed_quote_at_the_very_end_is_fine() {
        assert_eq!(rows(b"a\n\"x\"", 2).unwrap()[1].2, ["x"]);
        assert_eq!(rows(b"a\n\"\"", 2).unwrap().len(), 1, "an empty quoted cell is a blank row");
        assert_eq!(rows(b"a,b\n1,", 2).unwrap()[1].2, ["1", ""]);
        assert_eq!(rows(b"a\n\"x\"y\"z", 2).unwrap()[1].2, ["xy\"z"]);
    }

    /// A text without an end, so that only a bound can stop the reader.
    struct Endless {
        start: &'static [u8],
        rest: &'static [u8],
    }

    impl Read for Endless {
        fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
            let source = if self.start.is_empty() { self.rest } else { self.start };
            let count = source.len().min(target.len());
            target[..count].copy_from_slice(&source[..count]);
            self.start = &self.start[count.min(self.start.len())..];
            Ok(count)
        }
    }

    fn endless(start: &'static [u8], rest: &'static [u8]) -> ReadError {
        let mut csv = CsvRows::new(BufReader::new(Endless { start, rest }), b',');
        let mut row = RawRow::new();
        loop {
            match csv.next_row(&mut row) {
                Ok(more) => assert!(more),
                Err(error) => {
                    assert!(csv.text.len() <= ROW_BYTES_MAX);
                    return error;
                }
            }
        }
    }

    #[test]
    fn bounds_end_the_file_where_the_fault_began() {
        let position = |row_number, line| Some(RowPosition { row_number, line });
        let field = endless(b"a,b\n1,2\n3,\"", b"4,5\n");
        assert_eq!(field.position(), position(3, 3));
        assert_eq!(field.code().as_str(), "field_too_long");
        assert_eq!(endless(b"a,b\n1,2\n", b"xxxxxxxxxx").position(), position(3, 3));
        assert_eq!(endless(b"a,b\n1,2\n", b"xxxxxxxxx,").position(), position(3, 3));
        assert_eq!(endless(b"a,b\n1,2\n", b",").position(), position(3, 3));
        let long: &'static [u8] = [[b'x'; 7000].as_slice(), b","].concat().leak();
        let row = endless(b"a,b\n1,2\n", long).to_string();
        assert!(row.starts_with("row 3 (line 3) is longer"), "{row}");
    }

    #[test]
    fn a_long_field_is_found_however_the_input_is_cut() {
        let mut text = b"a,b\n".to_vec();
        text.extend(vec![b'x'; FIELD_BYTES_MAX + 1]);
        text.extend(b",2\n");
        for read in [64 << 10, 8 << 20] {
            assert_eq!(rows(&text, read).unwrap_err().code().as_str(), "field_too_long");
        }
        text.remove(10);
        assert_eq!(rows(&text, 8 << 20).unwrap().len(), 2);
    }

    #[test]
    fn bytes_that_are_no_text_mark_their_cell_only() {
        let mut csv = CsvRows::new(&b"a,\xE4,\xC3\xA4\n\xC3,\xA4\n"[..], b',');
        let mut row = RawRow::new();
        assert!(csv.next_row(&mut row).unwrap());
        let kinds: Vec<_> = row.cells().map(|(text, kind)| (text.to_owned(), kind)).collect();
        assert_eq!(kinds[0], ("a".into(), CellKind::Text));
        assert_eq!(kinds[1], ("\u{FFFD}".into(), CellKind::BadEncoding));
        assert_eq!(kinds[2], ("ä".into(), CellKind::Text));
        assert!(csv.next_row(&mut row).unwrap());
        assert!(row.cells().all(|(_, kind)| kind == CellKind::BadEncoding));
    }

    #[test]
    fn empty_cells_past_the_header_are_dropped_and_others_bounded() {
        let long = format!("1,2,,,\n1,2,,x,,\n1\n{}\n", "y,".repeat(500));
        let mut csv = CsvRows::new(long.as_bytes(), b',');
        csv.set_header_cells(2);
        let (mut row, mut lengths) = (RawRow::new(), Vec::new());
        while csv.next_row(&mut row).unwrap() {
            lengths.push(row.len());
        }
        assert_eq!(lengths, [2, 4, 1, 2 + CELLS_PAST_HEADER]);
    }

    proptest::proptest! {
        #[test]
        fn the_csv_crate_finds_the_same_cells(text in "[ab, \"\n\r]{0,40}", read in 1_usize..9) {
            // Only the unclosed quote is told apart, which that crate takes for a cell.
            if let Ok(ours) = rows(text.as_bytes(), read) {
                let mut csv = csv::ReaderBuilder::new();
                let mut csv = csv.has_headers(false).flexible(true).from_reader(text.as_bytes());
                let theirs: Vec<Vec<String>> = csv
                    .records()
                    .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                    .filter(|row: &Vec<String>| row.iter().any(|cell| !cell.trim().is_empty()))
                    .collect();
                let ours: Vec<_> = ours.into_iter().map(|(_, _, cells)| cells).collect();
                proptest::prop_assert_eq!(ours, theirs);
            }
        }

        #[test]
        fn a_line_is_the_line_that_an_editor_shows(text in "[a,\n\r]{0,40}", read in 1_usize..9) {
            let lines: Vec<&str> = text.split_inclusive(['\n', '\r']).collect();
            for (row, line, cells) in rows(text.as_bytes(), read).unwrap() {
                // Without quotes every line is a row of its own.
                proptest::prop_assert_eq!(u64::from(row), line);
                let unified = text.replace("\r\n", "\n").replace('\r', "\n");
                let shown = unified.split('\n').nth(row as usize - 1).unwrap();
                proptest::prop_assert_eq!(cells.join(","), shown, "{:?}", lines);
            }
        }
    }
}
