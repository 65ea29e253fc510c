//! The tables that may join a table with others, for a proposal of lists: they have a foreign key to the
//! table and one to another. Whether lists can go into them is not decided here.

use std::collections::BTreeMap;

use sea_orm::{DbBackend, QueryResult};

use super::details::ACTION;
use crate::dataset::{JoinDetails, TableDetails, TableName};
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

/// Each foreign key of one column to the table `$1`, which is SQL. A partition has those of its table.
const POSTGRES_REFERRING: &str = "SELECT a.attname AS name, \
     CASE WHEN NOT pg_table_is_visible(c.oid) THEN n.nspname END AS other_schema, c.relname AS other \
     FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid \
     JOIN pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1] \
     WHERE f.contype = 'f' AND f.conparentid = 0 AND cardinality(f.conkey) = 1 \
     AND f.confrelid = $1::regclass";

/// Each column of a foreign key to the table `$1`.
const SQLITE_REFERRING: &str = "SELECT f.\"from\" AS name, NULL AS other_schema, m.name AS other \
     FROM sqlite_master m CROSS JOIN pragma_foreign_key_list(m.name) f \
     WHERE m.type = 'table' AND f.\"table\" = $1 COLLATE NOCASE";

impl Store {
    /// Adds the tables that may join a table with others.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn add_joins(&self, details: &mut TableDetails) -> Result<(), StoreError> {
        let referring = if self.backend() == DbBackend::Postgres {
            POSTGRES_REFERRING
        } else {
            SQLITE_REFERRING
        };
        let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.ask(referring, &details.shape.table).await? {
            let (table, owner) = referring_column(&row).context(ACTION)?;
            owners.entry(table).or_default().push(owner);
        }
        for (table, owners) in owners {
            // A table that joins records of one table with each other has two.
            let [owner] = owners.as_slice() else { continue };
            let (mut keys, referenced) = self.foreign_keys(&table).await?;
            let is_owner = keys.iter().position(|key| key.columns == [owner.as_str()]);
            let Some(place) = is_owner.filter(|_| keys.len() == 2) else { continue };
            let owner = keys.swap_remove(place);
            let (Some(item), Some(shape)) = (keys.pop(), self.shape(&table).await?) else {
                continue;
            };
            details.referenced.extend(referenced);
            details.joins.push(JoinDetails { shape, owner, item });
        }
        Ok(())
    }
}

/// A table, and its column that refers to the other.
fn referring_column(row: &QueryResult) -> Result<(String, String), sea_orm::DbErr> {
    let table =
        TableName { schema: row.try_get("", "other_schema")?, name: row.try_get("", "other")? };
    Ok((table.to_string(), row.try_get("", "name")?))
}
