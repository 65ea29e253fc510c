//! What a chunk changed, as one row of the outbox: the keys of its records, and how many of them changed.
//! Whoever passes them on reads the records as they are then.

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use entity::import_outbox;
use sea_orm::ActiveValue::Set;
use sea_orm::{DbBackend, EntityTrait, QueryTrait, Statement};

use crate::dataset::model::ColumnType;
use crate::domain::chunk::Chunk;
use crate::domain::record::{Records, Value};
use crate::store::Store;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::writer::WriterSettings;
use crate::store::log::job_row::signed;
use crate::store::outbox::{CHANGED, SEARCH};

/// Notes what chunks of a job change.
#[derive(Debug, Clone)]
pub(in crate::store) struct ChangeNotes {
    dataset: String,
    job: i64,
    key: Vec<KeyField>,
}

/// A part of the key: the value of a record, and the column of the table.
#[derive(Debug, Clone)]
struct KeyField {
    value: usize,
    /// `"sku":`
    json_name: String,
    kind: ColumnType,
}

impl Store {
    /// The notes of a job; `None` where nobody passes its records on.
    pub(in crate::store) fn change_notes(&self, settings: &WriterSettings) -> Option<ChangeNotes> {
        let WriterSettings { job, dataset, plan, .. } = settings;
        if job.options.dry_run || !self.noted.contains(&dataset.name) {
            return None;
        }
        let field = |value: &usize| {
            let column = dataset.columns.get(*plan.columns.get(*value)?)?;
            let json_name = format!("{}:", serde_json::Value::from(column.field.as_str()));
            Some(KeyField { value: *value, json_name, kind: column.kind })
        };
        let key = plan.key.iter().filter_map(field).collect();
        Some(ChangeNotes { dataset: dataset.name.clone(), job: job.id, key })
    }
}

impl ChangeNotes {
    /// The row of the outbox; `None` when the chunk changed nothing.
    pub(in crate::store) fn of_chunk(
        &self,
        backend: DbBackend,
        now: DateTime<Utc>,
        chunk: &Chunk,
        outcome: &ChunkOutcome,
    ) -> Option<Statement> {
        let counts = &outcome.counts;
        let changed = counts.created + counts.updated + counts.removed;
        if changed == 0 {
            return None;
        }
        let keys = outcome.keys.clone().unwrap_or_else(|| self.keys(&chunk.records));
        let row = import_outbox::ActiveModel {
            topic: Set(SEARCH.to_owned()),
            dataset: Set(self.dataset.clone()),
            import_log_id: Set(self.job),
            kind: Set(CHANGED.to_owned()),
            records: Set(signed(changed)),
            keys: Set(Some(keys)),
            changed_at: Set(now),
            ..Default::default()
        };
        Some(import_outbox::Entity::insert(row).build(backend))
    }

    /// The keys of all records: which of them changed is seen when they are read.
    fn keys(&self, records: &Records) -> String {
        let mut json = String::with_capacity(records.len() * 24);
        json.push('[');
        for record in 0..records.len() {
            json.push_str(if record == 0 { "{" } else { ",{" });
            for (number, field) in self.key.iter().enumerate() {
                if number > 0 {
                    json.push(',');
                }
                json.push_str(&field.json_name);
                push_value(&mut json, records.value(record, field.value), field.kind);
            }
            json.push('}');
        }
        json.push(']');
        json
    }
}

fn push_value(json: &mut String, value: Value<'_>, kind: ColumnType) {
    // Writing into a text does not fail.
    let _infallible = match value {
        Value::Null | Value::Absent => json.write_str("null"),
        Value::Text(text) => write!(json, "{}", serde_json::Value::from(text)),
        Value::Integer(number) => write!(json, "{number}"),
        Value::Decimal(units) => {
            let scale = match kind {
                ColumnType::Decimal { scale, .. } => usize::from(scale),
                _ => 0,
            };
            push_decimal(json, units, scale)
        }
        Value::Boolean(flag) => write!(json, "{flag}"),
        Value::Date(day) => write!(json, "\"{day}\""),
        Value::DateTime(time) => {
            write!(json, "\"{}\"", time.to_rfc3339_opts(SecondsFormat::AutoSi, false))
        }
    };
}

fn push_decimal(json: &mut String, units: i64, scale: usize) -> std::fmt::Result {
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at_checked(digits.len() - scale).unwrap_or((&digits, ""));
    let point = if scale > 0 { "." } else { "" };
    write!(json, "{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_number::RowNumber;

    fn notes(kinds: &[ColumnType]) -> ChangeNotes {
        let field = |(value, kind): (usize, &ColumnType)| KeyField {
            value,
            json_name: format!("\"k{value}\":"),
            kind: *kind,
        };
        let key = kinds.iter().enumerate().map(field).collect();
        ChangeNotes { dataset: "d".to_owned(), job: 1, key }
    }

    #[test]
    fn keys_are_json_whatever_they_hold() {
        let decimal = ColumnType::Decimal { precision: 6, scale: 2 };
        let kinds = [ColumnType::Text, decimal, ColumnType::Date, ColumnType::DateTime];
        let mut records = Records::new(4);
        for (text, units) in [("a\"\u{1}ö", -5), ("b", 123_400)] {
            records.push(Value::Text(text));
            records.push(Value::Decimal(units));
            records.push(Value::Date("2026-01-31".parse().unwrap()));
            records.push(Value::DateTime("2026-01-31T10:00:00.5Z".parse().unwrap()));
            records.finish(RowNumber::new(2));
        }
        assert_eq!(
            notes(&kinds).keys(&records),
            "[{\"k0\":\"a\\\"\\u0001ö\",\"k1\":-0.05,\"k2\":\"2026-01-31\",\
             \"k3\":\"2026-01-31T10:00:00.500+00:00\"},{\"k0\":\"b\",\"k1\":1234.00,\
             \"k2\":\"2026-01-31\",\"k3\":\"2026-01-31T10:00:00.500+00:00\"}]"
        );
    }
}
