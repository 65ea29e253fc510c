//! The records that rows name: read once a job, looked up and created chunk by chunk.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, params_from_iter};
use uuid::Uuid;

use super::bind::{read_id, time_text};
use crate::domain::record::NAME_SEPARATOR;
use crate::store::chunk::protocol::WriteOptions;
use crate::store::chunk::record_id::{KeyKind, RecordId};
use crate::store::chunk::references::{ChunkReferences, References};
use crate::store::chunk::target::{ReferenceTarget, list, quoted, quoted_table};
use crate::store::refusal::RowRefusal;

/// Reads the names that are there already.
pub(super) fn load(connection: &Connection, references: &mut References) -> rusqlite::Result<()> {
    let tables: Vec<ReferenceTarget> = references.iter().cloned().collect();
    for (index, table) in tables.iter().enumerate() {
        each_name(connection, table, |name, id| references.add_stored(index, name, id))?;
    }
    Ok(())
}

fn each_name(
    connection: &Connection,
    reference: &ReferenceTarget,
    mut take: impl FnMut(&str, RecordId),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&reference.select_names())?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        if let (Some(id), Ok(name)) =
            (read_id(row.get_ref(0)?, reference.key_kind), row.get_ref(1)?.as_str())
        {
            take(name, id);
        }
    }
    Ok(())
}

/// Looks up the names of the chunk that are not known yet and creates those that are missing.
/// With `isolate_rows` a name that the database refuses is remembered and the others are created.
pub(super) fn create(
    transaction: &Connection,
    references: &mut References,
    named: &mut ChunkReferences<'_>,
    options: WriteOptions,
) -> rusqlite::Result<()> {
    let WriteOptions { now, isolate_rows, .. } = options;
    let mut read_again = None;
    for missing in named.missing() {
        let Some(reference) = references.get(missing.reference).cloned() else { continue };
        // SQLite knows the letter case of ASCII only: names with other letters are compared here.
        if !missing.name.is_ascii() && read_again != Some(missing.reference) {
            read_again = Some(missing.reference);
            each_name(transaction, &reference, |name, id| {
                if !name.is_ascii() {
                    references.add(missing.reference, name, id);
                }
            })?;
        }
        if references.knows(&missing) {
            continue;
        }
        if let Some(id) = find(transaction, &reference, &missing.name)? {
            references.add(missing.reference, &missing.name, id);
        } else if reference.create {
            if isolate_rows {
                transaction.execute_batch("SAVEPOINT one_reference")?;
            }
            match insert(transaction, &reference, &missing.name, now) {
                Ok(id) => {
                    references.add(missing.reference, &missing.name, id);
                    references.created(&missing);
                }
                Err(error) => {
                    let refusal = RowRefusal::of_sqlite(&error).filter(|_| isolate_rows);
                    let Some(refusal) = refusal else { return Err(error) };
                    transaction.execute_batch("ROLLBACK TO one_reference")?;
                    references.refuse(missing.reference, &missing.name, refusal.into_answer());
                }
            }
            if isolate_rows {
                transaction.execute_batch("RELEASE one_reference")?;
            }
        }
    }
    named.look_up_again(references);
    Ok(())
}

fn find(
    transaction: &Connection,
    reference: &ReferenceTarget,
    name: &str,
) -> rusqlite::Result<Option<RecordId>> {
    let (table, key) = (quoted_table(&reference.table), reference.key_sql(""));
    let is_it = |(at, column): (usize, String)| format!("{column} = ?{} COLLATE NOCASE", at + 1);
    let are_all: Vec<String> = reference.name_columns().enumerate().map(is_it).collect();
    let find = format!("SELECT {key} FROM {table} WHERE {}", are_all.join(" AND "));
    let mut find = transaction.prepare_cached(&find)?;
    let mut found = find.query(params_from_iter(name.split(NAME_SEPARATOR)))?;
    Ok(match found.next()? {
        Some(row) => read_id(row.get_ref(0)?, reference.key_kind),
        None => None,
    })
}

fn insert(
    transaction: &Connection,
    reference: &ReferenceTarget,
    name: &str,
    now: DateTime<Utc>,
) -> rusqlite::Result<RecordId> {
    if reference.key_kind != KeyKind::Uuid {
        return insert_unnumbered(transaction, reference, name, now);
    }
    let (id, key) = (Uuid::now_v7(), quoted(&reference.key));
    let columns = std::iter::once(key).chain(named_columns(reference));
    let mut insert = transaction.prepare_cached(&insert_sql(reference, columns))?;
    insert.raw_bind_parameter(1, &id.as_bytes()[..])?;
    bind_name(&mut insert, 2, reference, name, now)?;
    insert.raw_execute()?;
    Ok(RecordId::Uuid(id))
}

/// The columns of a new record besides its key.
fn named_columns(reference: &ReferenceTarget) -> impl Iterator<Item = String> {
    reference.name_columns().chain(reference.times.iter().map(|name| (*name).to_owned()))
}

fn insert_sql(reference: &ReferenceTarget, columns: impl Iterator<Item = String>) -> String {
    let columns: Vec<String> = columns.collect();
    let values = (1..=columns.len()).map(|number| format!("?{number}"));
    let table = quoted_table(&reference.table);
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), list(values))
}

/// Binds the values of [`named_columns`], the first one as parameter `at`.
fn bind_name(
    insert: &mut CachedStatement<'_>,
    at: usize,
    reference: &ReferenceTarget,
    name: &str,
    now: DateTime<Utc>,
) -> rusqlite::Result<()> {
    for (index, part) in name.split(NAME_SEPARATOR).enumerate() {
        insert.raw_bind_parameter(at + index, part)?;
    }
    let behind = at + reference.match_columns.len();
    for index in 0..reference.times.len() {
        insert.raw_bind_parameter(behind + index, time_text(&now))?;
    }
    Ok(())
}

/// Creates a record whose key the database counts, or is the name itself.
fn insert_unnumbered(
    transaction: &Connection,
    reference: &ReferenceTarget,
    name: &str,
    now: DateTime<Utc>,
) -> rusqlite::Result<RecordId> {
    let insert = insert_sql(reference, named_columns(reference));
    let key = reference.key_sql("");
    let mut insert = transaction.prepare_cached(&format!("{insert} RETURNING {key}"))?;
    bind_name(&mut insert, 1, reference, name, now)?;
    let mut made = insert.raw_query();
    let row = made.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let id = read_id(row.get_ref(0)?, reference.key_kind);
    id.ok_or(rusqlite::Error::QueryReturnedNoRows)
}
