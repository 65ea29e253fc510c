//! The keys of records as JSON: what PostgreSQL reads as rows of the table, and what the outbox keeps.

use std::fmt::Write as _;

use chrono::SecondsFormat;

use crate::dataset::model::{ColumnType, Dataset};
use crate::domain::record::{Records, Value};

/// A part of the key: the value of a record, and the column of the table.
#[derive(Debug, Clone)]
pub(in crate::store) struct KeyField {
    value: usize,
    /// `"sku":`
    json_name: String,
    kind: ColumnType,
}

impl KeyField {
    /// The parts of the key of records whose values are these columns of the dataset; `key` are those
    /// of the key.
    pub(in crate::store) fn all(dataset: &Dataset, columns: &[usize], key: &[usize]) -> Vec<Self> {
        let field = |value: &usize| {
            let column = dataset.columns.get(*columns.get(*value)?)?;
            Some(Self::new(*value, &column.field, column.kind))
        };
        key.iter().filter_map(field).collect()
    }

    pub(in crate::store) fn new(value: usize, column: &str, kind: ColumnType) -> Self {
        Self { value, json_name: format!("{}:", serde_json::Value::from(column)), kind }
    }
}

/// Adds the keys of some records to a JSON array that is not closed yet.
pub(in crate::store) fn push_keys(
    json: &mut String,
    fields: &[KeyField],
    records: &Records,
    which: impl Iterator<Item = usize>,
) {
    for record in which {
        json.push_str(if json.len() <= 1 { "{" } else { ",{" });
        for (number, field) in fields.iter().enumerate() {
            if number > 0 {
                json.push(',');
            }
            json.push_str(&field.json_name);
            push_value(json, records.value(record, field.value), field.kind);
        }
        json.push('}');
    }
}

/// Adds a value.
pub(in crate::store) fn push_value(json: &mut String, value: Value<'_>, kind: ColumnType) {
    // Writing into a text does not fail.
    let _infallible = match value {
        Value::Null | Value::Absent => json.write_str("null"),
        Value::Text(text) => write!(json, "{}", serde_json::Value::from(text)),
        Value::Integer(number) => write!(json, "{number}"),
        Value::Decimal(units) => write!(json, "{}", kind.number(units)),
        Value::Boolean(flag) => write!(json, "{flag}"),
        Value::Date(day) => write!(json, "\"{day}\""),
        Value::DateTime(time) => {
            write!(json, "\"{}\"", time.to_rfc3339_opts(SecondsFormat::AutoSi, false))
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_number::RowNumber;

    #[test]
    fn keys_are_json_whatever_they_hold() {
        let decimal = ColumnType::Decimal { precision: 6, scale: 2 };
        let kinds = [ColumnType::Text, decimal, ColumnType::Date, ColumnType::DateTime];
        let field = |(value, kind): (usize, &ColumnType)| {
            KeyField::new(value, format!("k{value}").as_str(), *kind)
        };
        let fields: Vec<_> = kinds.iter().enumerate().map(field).collect();
        let mut records = Records::new(4);
        for (text, units) in [("a\"\u{1}ö", -5), ("b", 123_400)] {
            records.push(Value::Text(text));
            records.push(Value::Decimal(units));
            records.push(Value::Date("2026-01-31".parse().unwrap()));
            records.push(Value::DateTime("2026-01-31T10:00:00.5Z".parse().unwrap()));
            records.finish(RowNumber::new(2));
        }
        let mut json = "[".to_owned();
        push_keys(&mut json, &fields, &records, 0..2);
        assert_eq!(
            json,
            "[{\"k0\":\"a\\\"\\u0001ö\",\"k1\":-0.05,\"k2\":\"2026-01-31\",\
             \"k3\":\"2026-01-31T10:00:00.500+00:00\"},{\"k0\":\"b\",\"k1\":1234.00,\
             \"k2\":\"2026-01-31\",\"k3\":\"2026-01-31T10:00:00.500+00:00\"}"
        );
    }
}
