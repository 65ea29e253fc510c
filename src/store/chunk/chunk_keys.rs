//! The keys that a chunk of a mirror is about, as one JSON array for each chunk: those that rows of the
//! file have, and those of records that the file does not have. A key of one column is its value, a key
//! of several is an array of them. What the table takes for equal, it says itself when it is asked.

use std::collections::BTreeSet;

use entity::import_chunk_key;
use sea_orm::{ActiveValue::Set, DbBackend, EntityTrait, QueryTrait, Statement};

use crate::dataset::model::ColumnType;
use crate::domain::chunk::Chunk;
use crate::domain::job::Job;
use crate::domain::options::Mode;
use crate::domain::record::{Records, Value};
use crate::domain::row_number::RowNumber;
use crate::store::chunk::key_json::push_value;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::target::Target;
use crate::store::log::job_row::small;

/// True of a job that removes what its file does not have: it must see the whole file.
pub(in crate::store) fn notes_keys(job: &Job) -> bool {
    job.options.mode == Mode::Mirror && job.selection.is_none() && job.rollback_of.is_none()
}

/// The statement that notes the keys of all rows of a chunk that have one.
pub(in crate::store) fn note(
    backend: DbBackend,
    job: i64,
    target: &Target,
    chunk: &Chunk,
) -> Statement {
    let mut keys = String::with_capacity(16 + chunk.rows() * 16);
    keys.push('[');
    push_keys(&mut keys, backend, target, &chunk.records, &target.key);
    let places: Vec<usize> = (0..target.key.len()).collect();
    push_keys(&mut keys, backend, target, &chunk.failed_keys, &places);
    keys.push(']');
    let row = import_chunk_key::ActiveModel {
        import_log_id: Set(job),
        number: Set(small(chunk.number)),
        absent: Set(false),
        keys: Set(keys),
    };
    import_chunk_key::Entity::insert(row).build(backend)
}

/// `places` are the values of the key in the records.
fn push_keys(
    keys: &mut String,
    backend: DbBackend,
    target: &Target,
    records: &Records,
    places: &[usize],
) {
    let kinds = || target.key.iter().filter_map(|field| target.fields.get(*field));
    for record in 0..records.len() {
        if keys.len() > 1 {
            keys.push(',');
        }
        if places.len() > 1 {
            keys.push('[');
        }
        for (number, (place, field)) in places.iter().zip(kinds()).enumerate() {
            if number > 0 {
                keys.push(',');
            }
            match (records.value(record, *place), backend) {
                // A fraction would be read as a number that is not quite the stored one.
                (Value::Decimal(units), DbBackend::Sqlite) => {
                    push_value(keys, Value::Integer(units), ColumnType::Integer);
                }
                (value, _) => push_value(keys, value, field.kind),
            }
        }
        if places.len() > 1 {
            keys.push(']');
        }
    }
}

/// Records of a chunk that the table must have now: all but those that failed, and in a dry run all but
/// those that would be created as well. Asked only of tables with triggers, which may change a key.
#[derive(Debug)]
pub(in crate::store) struct WrittenRecords {
    /// Records that did not fail.
    pub(in crate::store) written: Vec<usize>,
    /// How many of `written` must be found.
    expected: u64,
}

impl WrittenRecords {
    pub(in crate::store) fn of(chunk: &Chunk, outcome: &ChunkOutcome, is_dry_run: bool) -> Self {
        let failed: BTreeSet<RowNumber> = outcome.failed.iter().map(|row| row.row_number).collect();
        let is_written = |record: &usize| !failed.contains(&chunk.records.row_number(*record));
        let counts = &outcome.counts;
        let there = counts.updated + counts.unchanged;
        let expected = if is_dry_run { there } else { there + counts.created };
        Self { written: (0..chunk.records.len()).filter(is_written).collect(), expected }
    }

    /// How many are lost when so many are found.
    pub(in crate::store) fn lost(&self, found: u64) -> u64 {
        self.expected.saturating_sub(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::chunk::target::TargetField;

    fn field(name: &str, kind: ColumnType) -> TargetField {
        TargetField {
            name: name.to_owned(),
            column: name.to_owned(),
            kind,
            sensitive: false,
            enum_type: None,
            default_sql: None,
            reference: None,
        }
    }

    fn target(kinds: &[ColumnType]) -> Target {
        Target {
            table: "t".to_owned(),
            fields: kinds.iter().map(|kind| field("k", *kind)).collect(),
            key: (0..kinds.len()).collect(),
            mode: Mode::Mirror,
            ..Target::default()
        }
    }

    #[track_caller]
    fn check(backend: DbBackend, kinds: &[ColumnType], rows: &[&[Value<'_>]], expected: &str) {
        let mut records = Records::new(kinds.len());
        for (number, row) in (2..).zip(rows) {
            for value in *row {
                records.push(*value);
            }
            records.finish(RowNumber::new(number));
        }
        let chunk = Chunk { number: 7, records, ..Chunk::default() };
        let statement = note(backend, 3, &target(kinds), &chunk);
        let values = statement.values.unwrap().0;
        assert_eq!(values.last().unwrap(), &sea_orm::Value::from(expected.to_owned()));
    }

    #[test]
    fn keys_of_one_column_are_values_and_keys_of_several_are_arrays() {
        let decimal = ColumnType::Decimal { precision: 6, scale: 2 };
        let texts: [&[Value<'_>]; 2] = [&[Value::Text("a\"")], &[Value::Text("ö")]];
        check(DbBackend::Sqlite, &[ColumnType::Text], &texts, "[\"a\\\"\",\"ö\"]");
        let both: [&[Value<'_>]; 1] = [&[Value::Text("a"), Value::Decimal(-5)]];
        check(DbBackend::Postgres, &[ColumnType::Text, decimal], &both, "[[\"a\",-0.05]]");
        check(DbBackend::Sqlite, &[ColumnType::Text, decimal], &both, "[[\"a\",-5]]");
        check(DbBackend::Sqlite, &[ColumnType::Text], &[], "[]");
    }
}
