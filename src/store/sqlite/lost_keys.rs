//! Looks whether the table has each record that was just written under its key: a trigger of the table's
//! owner may have changed it.

use rusqlite::{Connection, OptionalExtension};

use super::bind::BoundValue;
use crate::domain::chunk::Chunk;
use crate::store::chunk::chunk_keys::WrittenRecords;
use crate::store::chunk::target::{Target, quoted_table};

/// True when the table has triggers.
pub(super) fn has_triggers(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let name = table.strip_prefix("main.").unwrap_or(table);
    let look = "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?1)";
    let found = connection.query_row(look, [name], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// How many of the written records are not found.
pub(super) fn count(
    connection: &Connection,
    target: &Target,
    chunk: &Chunk,
    records: &WrittenRecords,
) -> rusqlite::Result<u64> {
    let same = target.key.iter().map(|field| format!("t.{} = ?", target.field(*field)));
    let find = format!(
        "SELECT 1 FROM {} AS t WHERE {}",
        quoted_table(&target.table),
        same.collect::<Vec<_>>().join(" AND ")
    );
    let mut find = connection.prepare_cached(&find)?;
    let mut found = 0;
    for record in &records.written {
        for (position, field) in target.key.iter().enumerate() {
            let Some(kind) = target.fields.get(*field).map(|field| field.kind) else { continue };
            let value = BoundValue::Value(chunk.records.value(*record, *field), kind);
            value.bind(&mut find, position + 1)?;
        }
        found += u64::from(find.raw_query().next()?.is_some());
    }
    Ok(records.lost(found))
}
