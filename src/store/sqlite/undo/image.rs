//! A row of SQLite as JSON and back, to the bit: what SQLite calls a value and what JSON calls one
//! differ in reals that no decimal gives back, infinities and blobs, which become objects.

use rusqlite::Row;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::{Map, Value, json};

/// A row with the names of its columns.
pub(in crate::store::sqlite) type Image = Map<String, Value>;

/// The columns of a row behind the first `skip` ones.
pub(in crate::store::sqlite) fn of_row(row: &Row<'_>, skip: usize) -> rusqlite::Result<Image> {
    let statement = row.as_ref();
    (skip..statement.column_count())
        .map(|index| Ok((statement.column_name(index)?.to_owned(), of_value(row.get_ref(index)?))))
        .collect()
}

fn of_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => of_real(number),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::from(text),
            // SQLite takes any bytes for text.
            Err(_) => json!({ "text": hex(text) }),
        },
        ValueRef::Blob(bytes) => json!({ "hex": hex(bytes) }),
    }
}

/// A number where it is read back to the bit, else its text.
fn of_real(number: f64) -> Value {
    let read_back = |written: &Value| {
        let text = written.to_string();
        serde_json::from_str::<Value>(&text).ok().and_then(|it| it.as_f64())
    };
    let written = Value::from(number);
    if read_back(&written).is_some_and(|read| read.to_bits() == number.to_bits()) {
        written
    } else {
        json!({ "real": format!("{number:?}") })
    }
}

/// The value in the form in which SQLite takes it.
pub(in crate::store::sqlite) fn to_sql(value: &Value) -> Sql {
    match value {
        Value::Null | Value::Array(_) => Sql::Null,
        Value::Bool(flag) => Sql::Integer(i64::from(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => Sql::Integer(number),
            None => number.as_f64().map_or(Sql::Null, Sql::Real),
        },
        Value::String(text) => Sql::Text(text.clone()),
        Value::Object(object) => of_object(object).unwrap_or(Sql::Null),
    }
}

fn of_object(object: &Map<String, Value>) -> Option<Sql> {
    let (kind, text) = object.iter().next()?;
    let text = text.as_str()?;
    match kind.as_str() {
        "hex" => unhex(text).map(Sql::Blob),
        "real" => text.parse().ok().map(Sql::Real),
        "text" => unhex(text).map(|bytes| Sql::Text(String::from_utf8_lossy(&bytes).into_owned())),
        _ => None,
    }
}

/// A value as people read it.
pub(in crate::store::sqlite) fn text_of(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hex(bytes),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the value, stores the text, reads it and gives what SQLite would be given.
    fn back(value: ValueRef<'_>) -> Sql {
        let text = of_value(value).to_string();
        to_sql(&serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn every_value_comes_back_as_it_was() {
        for value in [
            Sql::Null,
            Sql::Integer(i64::MIN),
            Sql::Integer(5),
            Sql::Real(5.0),
            Sql::Real(-0.0),
            Sql::Real(f64::INFINITY),
            Sql::Real(f64::MIN_POSITIVE / 3.0),
            Sql::Text("a\u{0}\"ö".to_owned()),
            Sql::Blob(vec![0, 255, 16]),
            Sql::Blob(Vec::new()),
        ] {
            assert_eq!(back(ValueRef::from(&value)), value);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_real_comes_back_to_the_bit(bits in proptest::prelude::any::<u64>()) {
            let number = f64::from_bits(bits);
            proptest::prop_assume!(!number.is_nan());
            let Sql::Real(read) = back(ValueRef::Real(number)) else { panic!("no real") };
            proptest::prop_assert_eq!(read.to_bits(), bits);
        }
    }
}
