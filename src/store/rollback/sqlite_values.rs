//! A row of SQLite as JSON and back, to the bit: what SQLite calls a value and what JSON calls one
//! differ in reals that no decimal gives back, infinities and blobs, which become objects.

use rusqlite::types::ValueRef;
use sea_orm::Value as Sql;
use serde_json::{Map, Value, json};
use sqlx::sqlite::{Sqlite, SqliteRow, SqliteValueRef};
use sqlx::{Column, Decode, Row, TypeInfo, ValueRef as _};

use crate::domain::hexadecimal::hex;

/// A row that the chunk writer read, with the names of its columns.
pub(in crate::store) fn of_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Value> {
    let statement = row.as_ref();
    (0..statement.column_count())
        .map(|index| Ok((statement.column_name(index)?.to_owned(), of_value(row.get_ref(index)?))))
        .collect::<rusqlite::Result<Map<_, _>>>()
        .map(Value::Object)
}

/// A row that a rollback read, behind its first column.
pub(in crate::store) fn behind_first(row: &SqliteRow) -> Result<Value, sqlx::Error> {
    let value = |column: &sqlx::sqlite::SqliteColumn| {
        let value = of_read(row.try_get_raw(column.ordinal())?).map_err(sqlx::Error::Decode)?;
        Ok((column.name().to_owned(), value))
    };
    row.columns().iter().skip(1).map(value).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn of_read(value: SqliteValueRef<'_>) -> Result<Value, sqlx::error::BoxDynError> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let kind = value.type_info().name().to_owned();
    Ok(match kind.as_str() {
        "INTEGER" => of_value(ValueRef::Integer(Decode::<Sqlite>::decode(value)?)),
        "REAL" => of_value(ValueRef::Real(Decode::<Sqlite>::decode(value)?)),
        "TEXT" => of_value(ValueRef::Text(Decode::<Sqlite>::decode(value)?)),
        _ => of_value(ValueRef::Blob(Decode::<Sqlite>::decode(value)?)),
    })
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

/// A value of a row in the form in which SQLite takes it.
pub(in crate::store) fn to_sql(json: &str) -> Sql {
    let value = serde_json::from_str(json).unwrap_or_default();
    match value {
        Value::Null | Value::Array(_) => Sql::String(None),
        Value::Bool(flag) => Sql::BigInt(Some(i64::from(flag))),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => Sql::Double(number.as_f64()),
        },
        Value::String(text) => text.into(),
        Value::Object(object) => of_object(&object).unwrap_or(Sql::String(None)),
    }
}

fn of_object(object: &Map<String, Value>) -> Option<Sql> {
    let (kind, text) = object.iter().next()?;
    let text = text.as_str()?;
    match kind.as_str() {
        "hex" => unhex(text).map(Sql::from),
        "real" => text.parse::<f64>().ok().map(Sql::from),
        "text" => unhex(text).map(|bytes| String::from_utf8_lossy(&bytes).into_owned().into()),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(value: ValueRef<'_>) -> Sql {
        to_sql(&of_value(value).to_string())
    }

    #[test]
    fn every_value_comes_back_as_it_was() {
        for number in [i64::MIN, 5] {
            assert_eq!(back(ValueRef::Integer(number)), number.into());
        }
        for bytes in [&[0_u8, 255, 16][..], &[]] {
            assert_eq!(back(ValueRef::Blob(bytes)), bytes.to_vec().into());
        }
        let text = "a\u{0}\"ö";
        assert_eq!(back(ValueRef::Text(text.as_bytes())), text.into());
        assert_eq!(back(ValueRef::Null), Sql::String(None));
    }

    fn comes_back(number: f64) -> bool {
        matches!(back(ValueRef::Real(number)), Sql::Double(Some(read))
            if read.to_bits() == number.to_bits())
    }

    #[test]
    fn reals_that_json_does_not_know_come_back() {
        for number in [5.0, -0.0, f64::INFINITY, f64::MIN_POSITIVE / 3.0] {
            assert!(comes_back(number), "{number}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_real_comes_back_to_the_bit(bits in proptest::prelude::any::<u64>()) {
            let number = f64::from_bits(bits);
            proptest::prop_assume!(!number.is_nan());
            proptest::prop_assert!(comes_back(number));
        }
    }
}
