//! Values between Loadbay and SQLite: how they are stored and when two are the same.
//!
//! SQLite has no decimal type. A decimal is stored as the nearest 64-bit float, which gives back
//! every decimal of up to 15 digits; datasets with more are refused at start.

use chrono::{DateTime, NaiveDateTime, Utc};
use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Statement, ToSql};
use sea_orm::Value as OwnValue;

use crate::dataset::model::ColumnType;
use crate::domain::record::Value;
use crate::store::chunk::record_id::{KeyKind, RecordId};
use uuid::Uuid;

/// A time as sea-orm stores it in SQLite: RFC 3339 with a numeric offset.
pub(in crate::store) fn time_text(time: &chrono::DateTime<chrono::Utc>) -> String {
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

/// A value of a record in the form in which it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum BoundValue<'a> {
    /// The value itself.
    Value(Value<'a>, ColumnType),
    /// The id of the record that the value names; a UUID as sea-orm stores them in SQLite: 16 bytes.
    Id(Option<&'a RecordId>),
}

impl BoundValue<'_> {
    /// Binds it.
    pub(super) fn bind(self, to: &mut Statement<'_>, index: usize) -> rusqlite::Result<()> {
        match self {
            Self::Id(Some(RecordId::Uuid(id))) => to.raw_bind_parameter(index, &id.as_bytes()[..]),
            Self::Id(Some(RecordId::Integer(number))) => to.raw_bind_parameter(index, number),
            Self::Id(Some(RecordId::Text(text))) => to.raw_bind_parameter(index, &**text),
            Self::Id(None) | Self::Value(Value::Null | Value::Absent, _) => {
                to.raw_bind_parameter(index, Null)
            }
            Self::Value(Value::Text(text), _) => to.raw_bind_parameter(index, text),
            Self::Value(Value::Integer(number), _) => to.raw_bind_parameter(index, number),
            Self::Value(Value::Decimal(units), kind) => {
                to.raw_bind_parameter(index, decimal(units, kind))
            }
            Self::Value(Value::Boolean(flag), _) => to.raw_bind_parameter(index, flag),
            Self::Value(Value::Date(day), _) => to.raw_bind_parameter(index, day.to_string()),
            Self::Value(Value::DateTime(time), _) => to.raw_bind_parameter(index, time_text(&time)),
        }
    }

    /// True when this is what the table holds.
    pub(super) fn is(self, held: ValueRef<'_>) -> bool {
        match (held, self) {
            (_, Self::Value(Value::Absent, _))
            | (ValueRef::Null, Self::Id(None) | Self::Value(Value::Null, _)) => true,
            (_, Self::Id(Some(id @ RecordId::Uuid(_)))) => {
                read_id(held, KeyKind::Uuid).as_ref() == Some(id)
            }
            (ValueRef::Integer(held), Self::Id(Some(RecordId::Integer(number)))) => held == *number,
            (ValueRef::Text(held), Self::Id(Some(RecordId::Text(text)))) => held == text.as_bytes(),
            (ValueRef::Text(held), Self::Value(Value::Text(text), _)) => held == text.as_bytes(),
            (ValueRef::Integer(held), Self::Value(Value::Integer(number), _)) => held == number,
            (ValueRef::Integer(held), Self::Value(Value::Boolean(flag), _)) => {
                held == i64::from(flag)
            }
            (ValueRef::Real(held), Self::Value(Value::Decimal(units), kind)) => {
                held.to_bits() == decimal(units, kind).to_bits() || held == 0.0 && units == 0
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "compared as what a decimal is stored as"
            )]
            (ValueRef::Integer(held), Self::Value(Value::Decimal(units), kind)) => {
                (held as f64).to_bits() == decimal(units, kind).to_bits()
            }
            (ValueRef::Text(held), Self::Value(Value::Date(day), _)) => {
                held == day.to_string().as_bytes()
            }
            (ValueRef::Text(held), Self::Value(Value::DateTime(time), _)) => {
                held == time_text(&time).as_bytes()
            }
            _ => false,
        }
    }

    /// True when this is more than what the table holds, or the table holds nothing.
    pub(super) fn is_after(self, held: ValueRef<'_>) -> bool {
        let Self::Value(value, kind) = self else { return false };
        match (held, value) {
            (_, Value::Null | Value::Absent) => false,
            (ValueRef::Integer(held), Value::Integer(number)) => number > held,
            (ValueRef::Real(held), Value::Decimal(units)) => decimal(units, kind) > held,
            #[expect(
                clippy::cast_precision_loss,
                reason = "compared as what a decimal is stored as"
            )]
            (ValueRef::Integer(held), Value::Decimal(units)) => decimal(units, kind) > held as f64,
            (ValueRef::Text(held), Value::Date(day)) => day.to_string().as_bytes() > held,
            (ValueRef::Text(held), Value::DateTime(time)) => {
                read_time(held).is_none_or(|held| time > held)
            }
            // Nothing is stored, or nothing that can be read as a version.
            _ => true,
        }
    }
}

/// When a stored time is, which another program may have written in another form.
fn read_time(held: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(held).ok()?;
    let without_offset = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Some(time.to_utc()),
        Err(_) => without_offset().map(|time| time.and_utc()),
    }
}

/// Reads an id.
pub(super) fn read_id(stored: ValueRef<'_>, kind: KeyKind) -> Option<RecordId> {
    let uuid = |uuid: Result<Uuid, _>| uuid.ok().map(RecordId::Uuid);
    match (stored, kind) {
        (ValueRef::Blob(bytes), KeyKind::Uuid) => uuid(Uuid::from_slice(bytes)),
        (ValueRef::Text(text), KeyKind::Uuid) => {
            uuid(Uuid::parse_str(std::str::from_utf8(text).ok()?))
        }
        (ValueRef::Integer(number), KeyKind::Integer) => Some(RecordId::Integer(number)),
        (ValueRef::Text(text), KeyKind::Text) => {
            Some(RecordId::Text(std::str::from_utf8(text).ok()?.into()))
        }
        _ => None,
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
            OwnValue::Bytes(Some(bytes)) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
            OwnValue::ChronoDateTimeUtc(Some(time)) => owned(Sql::Text(time_text(time))),
            OwnValue::Json(Some(json)) => owned(Sql::Text(json.to_string())),
            OwnValue::Bool(None)
            | OwnValue::Int(None)
            | OwnValue::BigInt(None)
            | OwnValue::Double(None)
            | OwnValue::String(None)
            | OwnValue::Bytes(None)
            | OwnValue::ChronoDateTimeUtc(None) => owned(Sql::Null),
            // Never taken for null: a type that is not spelled out here is a fault to be seen.
            other => Err(rusqlite::Error::ToSqlConversionFailure(
                format!("no binding for {other:?}").into(),
            )),
        }
    }
}
