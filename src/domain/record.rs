//! Records: rows that passed mapping and validation, in one compact block a chunk.
//!
//! Texts of all cells lie in one buffer and cells in one vector, row after row, so that ten
//! thousand records cost two allocations instead of two hundred thousand.

use std::borrow::Cow;

use super::row_number::RowNumber;
use chrono::{DateTime, NaiveDate, Utc};

/// Between the texts of a record that several columns name; a control character can stand in no text.
pub const NAME_SEPARATOR: char = '\u{1f}';

/// A name of a record as people read it.
#[must_use]
pub fn readable_name(name: &str) -> Cow<'_, str> {
    if name.contains(NAME_SEPARATOR) {
        Cow::Owned(name.replace(NAME_SEPARATOR, ", "))
    } else {
        Cow::Borrowed(name)
    }
}

/// Items as a cell lists them: with commas between them, or as a JSON array where an item would be read as
/// several.
#[must_use]
pub fn list_cell(items: &[String]) -> String {
    let is_plain = |item: &String| !item.contains([',', ';', '|']) && !item.starts_with('[');
    if items.iter().all(is_plain) {
        items.join(", ")
    } else {
        serde_json::to_string(items).unwrap_or_default()
    }
}

/// A converted value, ready to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Empty cell: clears the stored value, or leaves it alone under `blank=keep`.
    Null,
    /// The row has no such cell: the stored value stays as it is.
    Absent,
    /// Text, trimmed and in NFC. Also JSON and lists, as JSON text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A fixed-point number in units of the column's last digit: `19.99` in `decimal(12,2)` is 1999.
    Decimal(i64),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(NaiveDate),
    /// A point in time, UTC.
    DateTime(DateTime<Utc>),
}

impl Value<'_> {
    /// True where a new record has no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Null | Self::Absent)
    }
}

#[derive(Debug, Clone, Copy)]
enum Stored {
    Null,
    Absent,
    Text { start: u32, len: u32 },
    Integer(i64),
    Decimal(i64),
    Boolean(bool),
    Date(NaiveDate),
    DateTime(DateTime<Utc>),
}

/// The records of one chunk; every record has one value for each mapped column.
#[derive(Debug, Clone, Default)]
pub struct Records {
    width: usize,
    has_absent: bool,
    text: String,
    cells: Vec<Stored>,
    row_numbers: Vec<RowNumber>,
    /// Of each cell, as far as there are any, whether only a new record gets it.
    for_new: Vec<bool>,
}

impl Records {
    /// An empty block for records of `width` values.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// False where no record of the block lacks a value.
    #[must_use]
    pub fn has_absent(&self) -> bool {
        self.has_absent
    }

    /// Forgets the records, keeps the memory.
    pub fn clear(&mut self) {
        self.has_absent = false;
        self.text.clear();
        self.cells.clear();
        self.row_numbers.clear();
        self.for_new.clear();
    }

    /// Values of each record.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of finished records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.row_numbers.len()
    }

    /// True without a record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.row_numbers.is_empty()
    }

    /// Bytes of text held.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Adds the next value of the record under construction.
    ///
    /// # Panics
    /// With more than 4 GiB of text in one block; a chunk ends long before.
    pub fn push(&mut self, value: Value<'_>) {
        let stored = match value {
            Value::Null => Stored::Null,
            Value::Absent => {
                self.has_absent = true;
                Stored::Absent
            }
            Value::Text(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                let (start, len) = (u32::try_from(start), u32::try_from(text.len()));
                assert!(start.is_ok() && len.is_ok(), "a chunk holds less than 4 GiB of text");
                Stored::Text { start: start.unwrap_or_default(), len: len.unwrap_or_default() }
            }
            Value::Integer(number) => Stored::Integer(number),
            Value::Decimal(units) => Stored::Decimal(units),
            Value::Boolean(flag) => Stored::Boolean(flag),
            Value::Date(day) => Stored::Date(day),
            Value::DateTime(time) => Stored::DateTime(time),
        };
        self.cells.push(stored);
    }

    /// Ends the record under construction. Its row number as a spreadsheet shows it.
    pub fn finish(&mut self, row_number: RowNumber) {
        debug_assert_eq!(self.cells.len(), (self.len() + 1) * self.width, "one value a column");
        self.row_numbers.push(row_number);
    }

    /// Drops the values of the record under construction: the row turned out to be bad.
    pub fn abandon(&mut self) {
        self.cells.truncate(self.len() * self.width);
        self.for_new.truncate(self.len() * self.width);
    }

    /// Gives column `column` of the record under construction, which has no value there, one that only a
    /// new record gets: a stored value stays.
    ///
    /// # Panics
    /// Where the record has a value.
    pub fn fill(&mut self, column: usize, value: Value<'_>) {
        let cell = self.len() * self.width + column;
        assert_eq!(self.value(self.len(), column), Value::Absent, "only what is absent is filled");
        self.push(value);
        let filled = self.cells.pop();
        if let (Some(place), Some(filled)) = (self.cells.get_mut(cell), filled) {
            *place = filled;
        }
        self.for_new.resize(cell.max(self.for_new.len()), false);
        self.for_new.push(true);
    }

    /// True where a record that is in the table keeps the value that it has.
    #[must_use]
    pub fn keeps_stored(&self, record: usize, column: usize) -> bool {
        let cell = record * self.width + column;
        matches!(self.cells.get(cell), Some(Stored::Absent))
            || self.for_new.get(cell).copied().unwrap_or(false)
    }

    /// The value of column `column` in record `record`; `Null` outside.
    #[must_use]
    pub fn value(&self, record: usize, column: usize) -> Value<'_> {
        match self.cells.get(record * self.width + column) {
            None | Some(Stored::Null) => Value::Null,
            Some(Stored::Absent) => Value::Absent,
            Some(Stored::Text { start, len }) => {
                let (start, len) = (*start as usize, *len as usize);
                self.text.get(start..start + len).map_or(Value::Null, Value::Text)
            }
            Some(Stored::Integer(number)) => Value::Integer(*number),
            Some(Stored::Decimal(units)) => Value::Decimal(*units),
            Some(Stored::Boolean(flag)) => Value::Boolean(*flag),
            Some(Stored::Date(day)) => Value::Date(*day),
            Some(Stored::DateTime(time)) => Value::DateTime(*time),
        }
    }

    /// The row number of record `record`.
    ///
    /// # Panics
    /// Where there is no such record.
    #[must_use]
    pub fn row_number(&self, record: usize) -> RowNumber {
        assert!(record < self.len(), "there is no record {record} of {}", self.len());
        self.row_numbers.get(record).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_value_is_for_new_records_only() {
        let mut records = Records::new(2);
        for row in 2..4 {
            records.push(Value::Text("a"));
            records.push(if row == 2 { Value::Integer(1) } else { Value::Absent });
            if row == 3 {
                records.fill(1, Value::Integer(7));
            }
            records.finish(RowNumber::new(row));
        }
        assert_eq!(records.value(1, 1), Value::Integer(7));
        assert!(records.has_absent() && records.keeps_stored(1, 1));
        assert!(!records.keeps_stored(0, 1) && !records.keeps_stored(1, 0));
        records.clear();
        records.push(Value::Text("b"));
        records.push(Value::Absent);
        records.fill(1, Value::Integer(7));
        records.abandon();
        records.push(Value::Text("b"));
        records.push(Value::Integer(2));
        records.finish(RowNumber::new(2));
        assert!(!records.keeps_stored(0, 1));
    }

    #[test]
    fn a_bad_row_leaves_nothing_behind() {
        let mut records = Records::new(2);
        records.push(Value::Text("a"));
        records.push(Value::Decimal(1999));
        records.finish(RowNumber::new(2));
        records.push(Value::Text("b"));
        records.abandon();
        records.push(Value::Text("c"));
        records.push(Value::Null);
        records.finish(RowNumber::new(4));
        assert_eq!(records.len(), 2);
        assert_eq!(records.value(0, 1), Value::Decimal(1999));
        assert_eq!(records.value(1, 0), Value::Text("c"));
        assert_eq!(records.row_number(1), RowNumber::new(4));
    }
}
