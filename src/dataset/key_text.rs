//! A value as a text in which equal values are equal.

use std::fmt::Write;

use super::model::Column;
use crate::domain::record::Value;

/// Writes a value behind `key`; false for an empty one.
pub(super) fn write_key(column: &Column, value: Value<'_>, key: &mut String) -> bool {
    match value {
        Value::Null | Value::Absent => return false,
        Value::Text(text) => key.push_str(text),
        // Writing to a String cannot fail.
        Value::Decimal(units) => return write!(key, "{}", column.kind.number(units)).is_ok(),
        Value::Integer(number) => return write!(key, "{number}").is_ok(),
        Value::Boolean(flag) => return write!(key, "{flag}").is_ok(),
        Value::Date(day) => return write!(key, "{day}").is_ok(),
        Value::DateTime(time) => return write!(key, "{}", time.format("%+")).is_ok(),
    }
    true
}
