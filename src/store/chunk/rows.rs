//! What both writers do with the rows of a chunk before and after the database sees them.

use std::cmp::Ordering;

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::options::Mode;
use crate::domain::record::{Records, Value, readable_name};
use crate::domain::row_error::{RowCode, RowError, shown};
use crate::store::chunk::references::{ChunkReferences, References};
use crate::store::chunk::target::Target;
use crate::store::refusal::RowRefusal;

/// The records in the order of their keys. All writers write in this order, so that two jobs which
/// touch the same keys wait for each other instead of deadlocking, and neighbours in the table's
/// indexes are written together.
pub(in crate::store) fn in_key_order(records: &Records, key: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by(|a, b| {
        key.iter()
            .map(|field| compare(records.value(*a, *field), records.value(*b, *field)))
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal)
    });
    order
}

fn compare(a: Value<'_>, b: Value<'_>) -> Ordering {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) | (Value::Decimal(a), Value::Decimal(b)) => {
            a.cmp(&b)
        }
        (Value::Date(a), Value::Date(b)) => a.cmp(&b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(&b),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(&b),
        // A column has one type; the rest is nulls, which a key does not have.
        _ => Ordering::Equal,
    }
}

/// A record that was refused after it was valid, handed back with its raw cells.
pub(in crate::store) fn refused(
    chunk: &Chunk,
    record: usize,
    code: RowCode,
    column: Option<&str>,
    message: String,
    value: Option<&str>,
) -> FailedRow {
    let row_number = chunk.records.row_number(record);
    let (line, cells) = chunk.raw.get(record).unwrap_or_default();
    let error = RowError {
        row_number,
        line,
        column: column.map(str::to_owned),
        code,
        message,
        value: value.map(shown),
    };
    FailedRow { row_number, cells, errors: vec![error] }
}

/// The record as a failed row, when the database refused it.
pub(in crate::store) fn refused_by_database(
    target: &Target,
    chunk: &Chunk,
    record: usize,
    refusal: RowRefusal,
) -> FailedRow {
    let code = match refusal {
        RowRefusal::Constraint(_) => RowCode::ConstraintViolated,
        RowRefusal::Other(_) => RowCode::RefusedByDatabase,
    };
    let message = if target.has_sensitive {
        // What a database says may hold any value of the row.
        "the database refused the row; what it said may hold values that nobody may see".to_owned()
    } else {
        format!("the database refused the row: {}", refusal.into_answer())
    };
    refused(chunk, record, code, None, message, None)
}

/// The record as a failed row when it names another record that does not exist: it may not be
/// created, or the database refused to.
pub(in crate::store) fn unknown_reference(
    target: &Target,
    references: &References,
    named: &ChunkReferences<'_>,
    chunk: &Chunk,
    record: usize,
) -> Option<FailedRow> {
    let unknown = |(index, column, name): (usize, &str, &str)| {
        let table = &target.reference(index)?.table;
        let readable = readable_name(name);
        let shown_name = shown(&readable);
        let (code, message) = match references.refusal(index, name) {
            Some(answer) => (
                RowCode::ConstraintViolated,
                format!("the database refused a new `{shown_name}` in `{table}`: {answer}"),
            ),
            None => (
                RowCode::UnknownReference,
                format!(
                    "there is no `{shown_name}` in `{table}`; create it first or correct the name"
                ),
            ),
        };
        Some(refused(chunk, record, code, Some(column), message, Some(readable.as_ref())))
    };
    let fields = target.fields.iter().enumerate().filter(|(_, field)| field.reference.is_some());
    let of_fields = fields.filter_map(|(index, field)| match chunk.records.value(record, index) {
        Value::Text(name) if named.id(index, record).is_none() => {
            Some((index, field.column.as_str(), name))
        }
        _ => None,
    });
    let of_lists = target.lists.iter().filter_map(|list| {
        let mut items = named.items(list.value, record);
        let (name, _) = items.find(|(_, id)| id.is_none())?;
        Some((list.value, list.column.as_str(), name))
    });
    of_fields.chain(of_lists).next().and_then(unknown)
}

/// A trigger of the table's owner took the row away without an error.
pub(in crate::store) fn left_out(chunk: &Chunk, record: usize) -> FailedRow {
    let message = "a trigger of the table left the row out".to_owned();
    refused(chunk, record, RowCode::RefusedByDatabase, None, message, None)
}

/// The mode refuses the record: `mode=insert` met a key that is there, `mode=update` one that is not.
pub(in crate::store) fn refused_by_mode(
    target: &Target,
    chunk: &Chunk,
    record: usize,
) -> FailedRow {
    let key = key_text(&chunk.records, record, &target.key);
    let (code, message) = match target.mode {
        Mode::Insert => (
            RowCode::AlreadyExists,
            format!("`{}` is in the table already and the upload has mode=insert", shown(&key)),
        ),
        Mode::Update | Mode::Upsert | Mode::Newer | Mode::Mirror => (
            RowCode::NotFound,
            format!("`{}` is not in the table and the upload has mode=update", shown(&key)),
        ),
    };
    refused(chunk, record, code, Some(target.key_column()), message, Some(&key))
}

/// The key of a record as people read it.
pub(in crate::store) fn key_text(records: &Records, record: usize, key: &[usize]) -> String {
    let part = |field: &usize| match records.value(record, *field) {
        Value::Text(text) => text.to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(units) => units.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Date(day) => day.to_string(),
        Value::DateTime(time) => time.to_rfc3339(),
        Value::Null | Value::Absent => String::new(),
    };
    key.iter().map(part).collect::<Vec<_>>().join(", ")
}
