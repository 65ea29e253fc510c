//! The rows of a text of JSON objects, one a line or the elements of an array. A text that is no
//! object is a row with a fault, and reading continues with the next one.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use super::error::ReadError;
use super::json_object::{JsonValue, ObjectFault, members};
use crate::domain::limits::{COLUMNS_MAX, FIELD_BYTES_MAX, ROW_BYTES_MAX, ROWS_MAX, SNIFF_BYTES};
use crate::domain::row::{CellKind, RawRow, RowFault};
use crate::domain::row_error::shown;
use crate::domain::row_number::RowNumber;

/// Zeros that an exponent may add to a number: more is no number that a column holds.
const EXPONENT_MAX: usize = 40;

/// Objects whose keys make the header, if they lie within the first [`SNIFF_BYTES`].
const HEADER_OBJECTS: usize = 1_000;

/// The text of what should be an object.
#[derive(Debug, Default)]
pub(super) struct ObjectText {
    pub(super) bytes: Vec<u8>,
    /// The number of its row.
    pub(super) number: u64,
    /// The line in which it begins.
    pub(super) line: u64,
    /// It is longer than a row may be; its end was passed over.
    pub(super) is_too_long: bool,
}

/// Gives the texts of objects one after another.
pub(super) trait ObjectTexts {
    /// Reads the next text. False at the end.
    fn next(&mut self) -> Result<bool, ReadError>;

    /// The text that was read; its bytes may be taken and given back.
    fn object(&mut self) -> &mut ObjectText;
}

/// Reads the lines of a text; each that is not blank is an object.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: ObjectText,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: ObjectText::default() }
    }

    fn read(&mut self) -> Result<bool, ReadError> {
        let line = &mut self.line;
        line.bytes.clear();
        line.is_too_long = false;
        let mut is_first = true;
        loop {
            let bytes = self.input.fill_buf().map_err(ReadError::io("read the file"))?;
            if bytes.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', bytes);
            let taken = end.unwrap_or(bytes.len());
            let free = ROW_BYTES_MAX.saturating_sub(line.bytes.len());
            line.is_too_long |= taken > free;
            line.bytes.extend_from_slice(bytes.get(..taken.min(free)).unwrap_or_default());
            self.input.consume(taken + usize::from(end.is_some()));
            is_first = false;
            if end.is_some() {
                break;
            }
        }
        line.line += u64::from(!is_first);
        line.number = line.line;
        Ok(!is_first)
    }
}

impl<R: BufRead> ObjectTexts for Lines<R> {
    fn next(&mut self) -> Result<bool, ReadError> {
        loop {
            if !self.read()? {
                return Ok(false);
            }
            if self.line.is_too_long || !self.line.bytes.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn object(&mut self) -> &mut ObjectText {
        &mut self.line
    }
}

/// The keys of the first objects, in the order of their first appearance: the header. A text that
/// is no object has no keys: it is a fault of its row.
pub(super) fn keys(mut objects: impl ObjectTexts) -> Result<Vec<String>, ReadError> {
    let (mut header, mut known) = (Vec::new(), HashSet::new());
    let (mut read, mut bytes) = (0, 0);
    while read < HEADER_OBJECTS && bytes < SNIFF_BYTES && objects.next()? {
        let object = String::from_utf8_lossy(&objects.object().bytes);
        (read, bytes) = (read + 1, bytes + object.len());
        let mut of_object = Vec::new();
        if members(&object, |key, _| of_object.push(key.into_owned())).is_ok() {
            header.extend(of_object.into_iter().filter(|key| known.insert(key.clone())));
        }
        if header.len() > COLUMNS_MAX {
            return Err(ReadError::TooManyColumns { found: header.len() });
        }
    }
    match (header.is_empty(), read) {
        (false, _) => Ok(header),
        (true, 0) => Err(ReadError::Empty),
        (true, read) => Err(ReadError::NoObjects { read }),
    }
}

/// A member's value among the texts of its row.
#[derive(Debug, Clone, Copy)]
struct Cell {
    kind: CellKind,
    start: usize,
    end: usize,
}

/// Gives each object as a row under a header.
#[derive(Debug)]
pub(super) struct ObjectRows<T> {
    objects: T,
    header: Vec<String>,
    columns: HashMap<String, usize>,
    /// For each column the cell of this row.
    cells: Vec<Option<Cell>>,
    text: String,
}

impl<T: ObjectTexts> ObjectRows<T> {
    /// The keys of `header` are the columns.
    pub(super) fn new(objects: T, header: &[String]) -> Self {
        let columns = header.iter().enumerate().map(|(index, key)| (key.clone(), index)).collect();
        Self {
            objects,
            header: header.to_vec(),
            columns,
            cells: vec![None; header.len()],
            text: String::new(),
        }
    }

    /// The next row. False at the end.
    pub(super) fn next_row(&mut self, row: &mut RawRow) -> Result<bool, ReadError> {
        row.clear();
        if !self.objects.next()? {
            return Ok(false);
        }
        let object = self.objects.object();
        row.line = object.line;
        row.row_number = RowNumber::try_from(object.number)
            .ok()
            .filter(|number| u64::from(*number) <= ROWS_MAX)
            .ok_or(ReadError::TooManyRows)?;
        let (bytes, is_too_long) = (std::mem::take(&mut object.bytes), object.is_too_long);
        let text = String::from_utf8_lossy(&bytes);
        let gathered = if is_too_long {
            Err(RowFault::ObjectTooLong { bytes_max: ROW_BYTES_MAX })
        } else {
            self.gather(&text)
        };
        match gathered {
            Ok(()) => self.hand_over(row),
            Err(fault) => row.push_faulty(fault, self.header.len(), &text),
        }
        drop(text);
        self.objects.object().bytes = bytes;
        Ok(true)
    }

    /// Puts the members of the object under their columns.
    fn gather(&mut self, object: &str) -> Result<(), RowFault> {
        self.text.clear();
        self.cells.fill(None);
        let (mut next, mut fault) = (0, None);
        let read = members(object, |key, value| {
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
            (Err(ObjectFault { expected, at }), _) => Err(RowFault::NotAnObject { expected, at }),
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
            let mut rows =
                ObjectRows::new(Lines::new(BufReader::with_capacity(read, text)), &header);
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
        let mut rows = ObjectRows::new(Lines::new(&text[..]), &["a".to_owned()]);
        let mut row = RawRow::new();
        assert!(rows.next_row(&mut row).unwrap());
        assert_eq!(row.fault, Some(RowFault::ObjectTooLong { bytes_max: ROW_BYTES_MAX }));
        assert!(rows.objects.object().bytes.len() <= ROW_BYTES_MAX);
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
