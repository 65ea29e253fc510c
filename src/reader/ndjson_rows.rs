//! The rows of a text with one JSON object a line. A line that is no object is a row with a fault,
//! and reading continues with the next line.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

use super::error::ReadError;
use super::json_object::{JsonFault, JsonValue, members};
use crate::domain::limits::{FIELD_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX};
use crate::domain::row::{CellKind, RawRow, RowFault};
use crate::domain::row_error::shown;
use crate::domain::row_number::RowNumber;

/// Zeros that an exponent may add to a number: more is no number that a column holds.
const EXPONENT_MAX: usize = 40;

/// Reads the lines of a text; each that is not blank is a row.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    number: u64,
    /// The line is longer than a row may be; its end was passed over.
    is_too_long: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0, is_too_long: false }
    }

    /// Reads the next line that is not blank. False at the end.
    pub(super) fn next(&mut self) -> Result<bool, ReadError> {
        loop {
            if !self.read()? {
                return Ok(false);
            }
            if self.is_too_long || !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn read(&mut self) -> Result<bool, ReadError> {
        self.line.clear();
        self.is_too_long = false;
        let mut is_first = true;
        loop {
            let bytes = self.input.fill_buf().map_err(ReadError::io("read the file"))?;
            if bytes.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', bytes);
            let taken = end.unwrap_or(bytes.len());
            let free = ROW_BYTES_MAX.saturating_sub(self.line.len());
            self.is_too_long |= taken > free;
            self.line.extend_from_slice(bytes.get(..taken.min(free)).unwrap_or_default());
            self.input.consume(taken + usize::from(end.is_some()));
            is_first = false;
            if end.is_some() {
                break;
            }
        }
        self.number += u64::from(!is_first);
        Ok(!is_first)
    }

    /// The line as text; what is no text shows U+FFFD.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.line)
    }
}

/// A member's value among the texts of its row.
#[derive(Debug, Clone, Copy)]
struct Cell {
    kind: CellKind,
    start: usize,
    end: usize,
}

/// Gives the object of each line as a row under a header.
#[derive(Debug)]
pub(super) struct NdjsonRows<R> {
    lines: Lines<R>,
    header: Vec<String>,
    columns: HashMap<String, usize>,
    /// For each column the cell of this row.
    cells: Vec<Option<Cell>>,
    text: String,
}

impl<R: BufRead> NdjsonRows<R> {
    /// The keys of `header` are the columns.
    pub(super) fn new(input: R, header: &[String]) -> Self {
        let columns = header.iter().enumerate().map(|(index, key)| (key.clone(), index)).collect();
        Self {
            lines: Lines::new(input),
            header: header.to_vec(),
            columns,
            cells: vec![None; header.len()],
            text: String::new(),
        }
    }

    /// The next row. False at the end.
    pub(super) fn next_row(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        row.clear();
        if !self.lines.next()? {
            return Ok(false);
        }
        row.line = self.lines.number;
        row.row_number = RowNumber::try_from(row.line)
            .ok()
            .filter(|number| u64::from(*number) <= ROWS_MAX)
            .ok_or(ReadError::TooManyRows)?;
        let lines = std::mem::take(&mut self.lines.line);
        let line = String::from_utf8_lossy(&lines);
        match self.gather(&line) {
            Ok(()) => self.hand_over(row),
            Err(fault) => row.push_faulty(fault, self.header.len(), &line),
        }
        drop(line);
        self.lines.line = lines;
        Ok(true)
    }

    /// Puts the members of the object under their columns.
    fn gather(&mut self, line: &str) -> Result<(), RowFault> {
        if self.lines.is_too_long {
            return Err(RowFault::LineTooLong { bytes_max: ROW_BYTES_MAX });
        }
        self.text.clear();
        self.cells.fill(None);
        let (mut next, mut fault) = (0, None);
        let read = members(line, |key, value| {
            // Objects have their keys in the same order, mostly.
            let column = match self.header.get(next) {
                Some(expected) if *expected == key => Some(next),
                _ => self.columns.get(&*key).copied(),
            };
            next = column.map_or(next, |column| column + 1);
            let found = match column.map(|column| self.cells.get_mut(column)) {
                Some(Some(cell @ None)) => {
                    *cell = Some(write(&value, &mut self.text));
                    return;
                }
                Some(_) => RowFault::RepeatedKey { key: shown(&key) },
                None if is_empty(&value) => return,
                None => RowFault::UnknownKey { key: shown(&key) },
            };
            fault.get_or_insert(found);
        });
        match (read, fault) {
            (Err(JsonFault { expected, at }), _) => Err(RowFault::NotAnObject { expected, at }),
            (Ok(()), Some(fault)) => Err(fault),
            (Ok(()), None) => self.check_lengths(),
        }
    }

    fn check_lengths(&self) -> Result<(), RowFault> {
        let is_long = |cell: &Cell| cell.end - cell.start > FIELD_BYTES_MAX;
        let long = self.cells.iter().position(|cell| cell.as_ref().is_some_and(is_long));
        match long.and_then(|column| self.header.get(column)) {
            Some(key) => {
                Err(RowFault::ValueTooLong { key: shown(key), bytes_max: FIELD_BYTES_MAX })
            }
            None => Ok(()),
        }
    }

    fn hand_over(&self, row: &mut RawRow) {
        for cell in &self.cells {
            match cell {
                Some(Cell { kind, start, end }) => {
                    let text = self.text.get(*start..*end).unwrap_or_default();
                    let is_broken = text.contains('\u{FFFD}');
                    row.push(if is_broken { CellKind::BadEncoding } else { *kind }, text);
                }
                None => row.push(CellKind::Missing, ""),
            }
        }
    }
}

/// Nothing is lost of such a value when it has no column.
fn is_empty(value: &JsonValue<'_>) -> bool {
    match value {
        JsonValue::Null => true,
        JsonValue::Text(text) => text.trim().is_empty(),
        JsonValue::Boolean(_) | JsonValue::Number(_) | JsonValue::Nested(_) => false,
    }
}

/// Appends a value as a cell's text.
fn write(value: &JsonValue<'_>, text: &mut String) -> Cell {
    let start = text.len();
    let kind = match value {
        JsonValue::Null => CellKind::Text,
        JsonValue::Boolean(flag) => {
            text.push_str(if *flag { "true" } else { "false" });
            CellKind::Boolean
        }
        JsonValue::Number(number) => write_number(number, text),
        JsonValue::Text(value) => {
            text.push_str(value);
            CellKind::Text
        }
        JsonValue::Nested(json) => {
            text.push_str(json);
            CellKind::Text
        }
    };
    Cell { kind, start, end: text.len() }
}

/// Writes a number without its exponent, digit by digit.
fn write_number(number: &str, text: &mut String) -> CellKind {
    let Some((mantissa, exponent)) = number.split_once(['e', 'E']) else {
        text.push_str(number);
        return CellKind::Number;
    };
    let (is_negative, size) = match exponent.strip_prefix('-') {
        Some(size) => (true, size),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    let Some(size) = size.parse::<usize>().ok().filter(|size| *size <= EXPONENT_MAX) else {
        // No column holds such a number; the row error shows it as it stands.
        text.push_str(number);
        return CellKind::Text;
    };
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    text.push_str(sign);
    if is_negative {
        let zeros = "0".repeat((size + 1).saturating_sub(whole.len()));
        let whole = zeros + whole;
        let (whole, moved) = whole.split_at(whole.len() - size);
        push_decimal(text, whole, &[moved, fraction].concat());
    } else {
        let zeros = "0".repeat(size.saturating_sub(fraction.len()));
        let fraction = [fraction, &zeros].concat();
        let (moved, fraction) = fraction.split_at(size);
        let whole = [whole, moved].concat();
        let trimmed = whole.trim_start_matches('0');
        push_decimal(text, if trimmed.is_empty() { "0" } else { trimmed }, fraction);
    }
    CellKind::Number
}

fn push_decimal(text: &mut String, whole: &str, fraction: &str) {
    text.push_str(whole);
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn rows(text: &[u8], header: &[&str]) -> Vec<RawRow> {
        let header: Vec<String> = header.iter().map(ToString::to_string).collect();
        let mut all: Option<Vec<RawRow>> = None;
        for read in [1, 3, 64 << 10] {
            let mut rows = NdjsonRows::new(BufReader::with_capacity(read, text), &header);
            let (mut row, mut found) = (RawRow::new(), Vec::new());
            while rows.next_row(&mut row).unwrap() {
                found.push(row.clone());
            }
            assert!(all.as_ref().is_none_or(|all| *all == found), "reads of {read} bytes differ");
            all = Some(found);
        }
        all.unwrap_or_default()
    }

    fn cells(row: &RawRow) -> Vec<(&str, CellKind)> {
        row.cells().collect()
    }

    #[test]
    fn members_stand_under_their_keys() {
        let text =
            b"{\"sku\":\"A\",\"price\":1.50}\n\n  {\"price\":2,\"sku\":null}\r\n{\"on\":true}";
        let rows = rows(text, &["sku", "price", "on"]);
        let (text, missing) = (CellKind::Text, ("", CellKind::Missing));
        assert_eq!(cells(&rows[0]), [("A", text), ("1.50", CellKind::Number), missing]);
        assert_eq!(cells(&rows[1]), [("", text), ("2", CellKind::Number), missing]);
        assert_eq!(cells(&rows[2]), [missing, missing, ("true", CellKind::Boolean)]);
        let places: Vec<_> = rows.iter().map(|row| (row.row_number.get(), row.line)).collect();
        assert_eq!(places, [(1, 1), (3, 3), (4, 4)]);
    }

    #[test]
    fn a_broken_line_is_a_fault_of_its_row_only() {
        let text = b"{\"a\":1}\n{\"a\":\n{\"a\":1,\"a\":2}\n{\"b\":1}\n{\"b\":null}\nx\n{\"a\":\"\xFF\"}\n{\"a\":3}";
        let rows = rows(text, &["a"]);
        let faults: Vec<_> = rows.iter().map(|row| row.fault.clone()).collect();
        let key = |key: &str| key.to_owned();
        assert_eq!(
            faults,
            [
                None,
                Some(RowFault::NotAnObject { expected: "a value", at: 6 }),
                Some(RowFault::RepeatedKey { key: key("a") }),
                Some(RowFault::UnknownKey { key: key("b") }),
                None,
                Some(RowFault::NotAnObject { expected: "`{`", at: 1 }),
                None,
                None,
            ]
        );
        assert_eq!(cells(&rows[1]), [("", CellKind::Text), ("{\"a\":", CellKind::Text)]);
        assert_eq!(cells(&rows[6]), [("\u{FFFD}", CellKind::BadEncoding)]);
        assert_eq!(cells(&rows[7]), [("3", CellKind::Number)]);
    }

    #[test]
    fn a_line_without_an_end_takes_bounded_memory() {
        let long = [b"{\"a\":\"".to_vec(), vec![b'x'; 3 * ROW_BYTES_MAX]].concat();
        let text = [&long[..], b"\n{\"a\":1}\n"].concat();
        let mut rows = NdjsonRows::new(&text[..], &["a".to_owned()]);
        let mut row = RawRow::new();
        assert!(rows.next_row(&mut row).unwrap());
        assert_eq!(row.fault, Some(RowFault::LineTooLong { bytes_max: ROW_BYTES_MAX }));
        assert!(rows.lines.line.len() <= ROW_BYTES_MAX);
        assert!(rows.next_row(&mut row).unwrap());
        assert_eq!((row.row_number.get(), row.fault.as_ref()), (2, None));
        assert!(!rows.next_row(&mut row).unwrap());
    }

    #[test]
    fn exponents_are_written_out_digit_by_digit() {
        for (number, written, kind) in [
            ("1.50", "1.50", CellKind::Number),
            ("1.5e3", "1500", CellKind::Number),
            ("-12.345E+1", "-123.45", CellKind::Number),
            ("25e-2", "0.25", CellKind::Number),
            ("1.25e-3", "0.00125", CellKind::Number),
            ("123e-2", "1.23", CellKind::Number),
            ("0e5", "0", CellKind::Number),
            ("0.001e3", "1", CellKind::Number),
            ("12345678901234567890.125", "12345678901234567890.125", CellKind::Number),
            ("1e41", "1e41", CellKind::Text),
            ("1e99999999999999999999", "1e99999999999999999999", CellKind::Text),
        ] {
            let mut text = String::new();
            assert_eq!((write_number(number, &mut text), text.as_str()), (kind, written));
        }
    }
}
