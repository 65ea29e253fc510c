//! Values between Loadbay and SQLite: how they are stored and when two are the same.
//!
//! SQLite has no decimal type. A decimal is stored as the nearest 64-bit float, which gives back
//! every decimal of up to 15 digits; datasets with more are refused at start.

use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};
use sea_orm::Value as OwnValue;

use crate::dataset::model::ColumnType;
use crate::domain::record::Value;
use uuid::Uuid;

/// A time as sea-orm stores it in SQLite: RFC 3339 with a numeric offset.
pub(super) fn time_text(time: &chrono::DateTime<chrono::Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)
}

/// The float nearest to a fixed-point number. Both operands are exact, so the division rounds once.
#[expect(clippy::cast_precision_loss, reason = "units have at most 15 digits: exact in 53 bits")]
pub(super) fn decimal(units: i64, kind: ColumnType) -> f64 {
    let scale = match kind {
        ColumnType::Decimal { scale, .. } => scale,
        _ => 0,
    };
    units as f64 / 10_f64.powi(i32::from(scale))
}

/// Binds the value of a record.
pub(super) fn bind(
    statement: &mut Statement<'_>,
    index: usize,
    value: Value<'_>,
    kind: ColumnType,
) -> rusqlite::Result<()> {
    match value {
        Value::Null => statement.raw_bind_parameter(index, Null),
        Value::Text(text) => statement.raw_bind_parameter(index, text),
        Value::Integer(number) => statement.raw_bind_parameter(index, number),
        Value::Decimal(units) => statement.raw_bind_parameter(index, decimal(units, kind)),
        Value::Boolean(flag) => statement.raw_bind_parameter(index, flag),
        Value::Date(day) => statement.raw_bind_parameter(index, day.to_string()),
        Value::DateTime(time) => statement.raw_bind_parameter(index, time_text(&time)),
    }
}

/// Binds the id of a referenced record, as sea-orm stores UUIDs in SQLite: 16 bytes.
pub(super) fn bind_id(
    statement: &mut Statement<'_>,
    index: usize,
    id: Option<Uuid>,
) -> rusqlite::Result<()> {
    match id {
        Some(id) => statement.raw_bind_parameter(index, &id.as_bytes()[..]),
        None => statement.raw_bind_parameter(index, Null),
    }
}

/// True when the stored value is the one of the record.
pub(super) fn same(stored: ValueRef<'_>, value: Value<'_>, kind: ColumnType) -> bool {
    match (stored, value) {
        (ValueRef::Null, Value::Null) => true,
        (ValueRef::Text(stored), Value::Text(text)) => stored == text.as_bytes(),
        (ValueRef::Integer(stored), Value::Integer(number)) => stored == number,
        (ValueRef::Integer(stored), Value::Boolean(flag)) => stored == i64::from(flag),
        (ValueRef::Real(stored), Value::Decimal(units)) => {
            stored.to_bits() == decimal(units, kind).to_bits() || stored == 0.0 && units == 0
        }
        #[expect(clippy::cast_precision_loss, reason = "compared as what a decimal is stored as")]
        (ValueRef::Integer(stored), Value::Decimal(units)) => {
            (stored as f64).to_bits() == decimal(units, kind).to_bits()
        }
        (ValueRef::Text(stored), Value::Date(day)) => stored == day.to_string().as_bytes(),
        (ValueRef::Text(stored), Value::DateTime(time)) => stored == time_text(&time).as_bytes(),
        _ => false,
    }
}

/// True when the stored value is this id.
pub(super) fn same_id(stored: ValueRef<'_>, id: Option<Uuid>) -> bool {
    match (stored, id) {
        (ValueRef::Null, None) => true,
        (ValueRef::Blob(stored), Some(id)) => stored == id.as_bytes(),
        (ValueRef::Text(stored), Some(id)) => {
            std::str::from_utf8(stored).ok().and_then(|text| Uuid::parse_str(text).ok()) == Some(id)
        }
        _ => false,
    }
}

/// Reads an id.
pub(super) fn read_id(stored: ValueRef<'_>) -> Option<Uuid> {
    match stored {
        ValueRef::Blob(bytes) => Uuid::from_slice(bytes).ok(),
        ValueRef::Text(text) => Uuid::parse_str(std::str::from_utf8(text).ok()?).ok(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => None,
    }
}

/// A value of a statement that sea-orm built, in the form in which sea-orm itself binds it.
pub(super) fn own_value(value: &OwnValue) -> impl ToSql + '_ {
    OwnSql(value)
}

struct OwnSql<'a>(&'a OwnValue);

impl ToSql for OwnSql<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use rusqlite::types::Value as Sql;
        let owned = |value: Sql| Ok(ToSqlOutput::Owned(value));
        match self.0 {
            OwnValue::Bool(Some(flag)) => owned(Sql::Integer(i64::from(*flag))),
            OwnValue::Int(Some(number)) => owned(Sql::Integer(i64::from(*number))),
            OwnValue::BigInt(Some(number)) => owned(Sql::Integer(*number)),
            OwnValue::Double(Some(number)) => owned(Sql::Real(*number)),
            OwnValue::String(Some(text)) => {
                Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())))
            }
            OwnValue::ChronoDateTimeUtc(Some(time)) => owned(Sql::Text(time_text(time))),
            OwnValue::Bool(None)
            | OwnValue::Int(None)
            | OwnValue::BigInt(None)
            | OwnValue::Double(None)
            | OwnValue::String(None)
            | OwnValue::ChronoDateTimeUtc(None) => owned(Sql::Null),
            // Never taken for null: a type that is not spelled out here is a fault to be seen.
            other => Err(rusqlite::Error::ToSqlConversionFailure(
                format!("no binding for {other:?}").into(),
            )),
        }
    }
}
