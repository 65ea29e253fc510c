//! The lists of a row into their join tables: what is stored is compared with what the row has, then what is
//! gone is deleted and what is new inserted.

use rusqlite::types::Value as Stored;
use rusqlite::{CachedStatement, Connection};

use super::bind::BoundValue;
use crate::domain::record::Records;
use crate::store::chunk::record_id::RecordId;
use crate::store::chunk::references::ChunkReferences;
use crate::store::chunk::target::{ListTarget, Target, quoted, quoted_table, times_sql};

/// The statements of the lists of a target.
pub(super) struct SqliteLists<'t> {
    lists: Vec<JoinStatements<'t>>,
    /// Notes the time at a row of which only lists change. Parameters: now, the rowid.
    touch: Option<CachedStatement<'t>>,
}

struct JoinStatements<'t> {
    list: &'t ListTarget,
    /// Parameter: the record. Column: an item.
    read: CachedStatement<'t>,
    /// Parameters: the record, the item.
    delete: CachedStatement<'t>,
    /// Parameters: the record, the item, and now where the table keeps it.
    insert: CachedStatement<'t>,
    /// Items that the record at hand no longer has.
    gone: Vec<Stored>,
    /// Items that it has anew.
    added: Vec<&'t RecordId>,
}

impl<'t> SqliteLists<'t> {
    pub(super) fn prepare(
        connection: &'t Connection,
        target: &'t Target,
    ) -> rusqlite::Result<Self> {
        let lists = target.lists.iter().map(|list| JoinStatements::prepare(connection, list));
        let touch =
            format!("UPDATE {} SET updated_at = ? WHERE rowid = ?", quoted_table(&target.table));
        let touches = target.has_updated_at() && !target.lists.is_empty();
        Ok(Self {
            lists: lists.collect::<rusqlite::Result<_>>()?,
            touch: touches.then(|| connection.prepare_cached(&touch)).transpose()?,
        })
    }

    /// Compares the lists of a record with what is stored of its row; true where they differ.
    pub(super) fn look(
        &mut self,
        target: &Target,
        named: &'t ChunkReferences<'t>,
        records: &Records,
        (record, rowid): (usize, i64),
    ) -> rusqlite::Result<bool> {
        let mut differs = false;
        for it in &mut self.lists {
            it.gone.clear();
            it.added.clear();
            if target.says(it.list, records, record).is_none() {
                continue;
            }
            for (_, id) in named.items(it.list.value, record) {
                // Two names may be the same record's.
                it.added.extend(id.filter(|id| !it.added.contains(id)));
            }
            let mut found = it.read.query([rowid])?;
            while let Some(row) = found.next()? {
                let held = row.get_ref(0)?;
                let is_it = |id: &&RecordId| BoundValue::Id(Some(id)).is(held);
                match it.added.iter().position(is_it) {
                    Some(place) => {
                        it.added.swap_remove(place);
                    }
                    None => it.gone.push(row.get(0)?),
                }
            }
            differs |= !it.gone.is_empty() || !it.added.is_empty();
        }
        Ok(differs)
    }

    /// Writes what [`look`](Self::look) found.
    pub(super) fn write(&mut self, rowid: i64, now: &str) -> rusqlite::Result<()> {
        for JoinStatements { list, delete, insert, gone, added, .. } in &mut self.lists {
            for item in gone.drain(..) {
                delete.execute((rowid, item))?;
            }
            for item in added.drain(..) {
                insert.raw_bind_parameter(1, rowid)?;
                BoundValue::Id(Some(item)).bind(insert, 2)?;
                if !list.times.is_empty() {
                    insert.raw_bind_parameter(3, now)?;
                }
                insert.raw_execute()?;
            }
        }
        Ok(())
    }

    /// Notes the time at a row of which only lists change.
    pub(super) fn touch(&mut self, rowid: i64, now: &str) -> rusqlite::Result<()> {
        if let Some(touch) = &mut self.touch {
            touch.execute((now, rowid))?;
        }
        Ok(())
    }
}

impl<'t> JoinStatements<'t> {
    fn prepare(connection: &'t Connection, list: &'t ListTarget) -> rusqlite::Result<Self> {
        let (table, owner, item) =
            (quoted_table(&list.table), quoted(&list.owner), quoted(&list.item));
        let read = format!("SELECT {item} FROM {table} WHERE {owner} = ? AND {item} IS NOT NULL");
        let delete = format!("DELETE FROM {table} WHERE {owner} = ? AND {item} = ?");
        let (times, now) = times_sql(&list.times, "?3");
        let insert = format!("INSERT INTO {table} ({owner}, {item}{times}) VALUES (?1, ?2{now})");
        Ok(Self {
            list,
            read: connection.prepare_cached(&read)?,
            delete: connection.prepare_cached(&delete)?,
            insert: connection.prepare_cached(&insert)?,
            gone: Vec::new(),
            added: Vec::new(),
        })
    }
}
