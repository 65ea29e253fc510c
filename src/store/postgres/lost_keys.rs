//! Looks whether the table has each record that was just written under its key: a trigger of the table's
//! owner may have changed it. The keys go to the database as JSON and become rows of the table's own type
//! there, so that they are compared as the table compares them.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::sql::same_key;
use crate::domain::chunk::Chunk;
use crate::store::chunk::chunk_keys::WrittenRecords;
use crate::store::chunk::key_json::{KeyField, push_keys};
use crate::store::chunk::target::{Target, quoted_table};
use crate::store::chunk::writer::WriterSettings;
use crate::store::error::{ErrorContext, StoreError};

/// The statement that looks.
pub(super) struct LostKeys {
    fields: Vec<KeyField>,
    /// Parameter: keys as a JSON array. Column: how many of them the table has.
    count: String,
}

impl LostKeys {
    pub(super) fn new(settings: &WriterSettings, target: &Target) -> Self {
        let table = quoted_table(&target.table);
        let count = format!(
            "SELECT count(*) FROM json_populate_recordset(NULL::{table}, $1::json) s \
             CROSS JOIN LATERAL (SELECT true FROM {table} t WHERE {} LIMIT 1) t",
            same_key(target)
        );
        let fields = KeyField::all(&settings.dataset, &settings.plan.columns, &target.key);
        Self { fields, count }
    }

    /// How many of the written records are not found.
    pub(super) async fn count(
        &self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        records: &WrittenRecords,
    ) -> Result<u64, StoreError> {
        let mut json = "[".to_owned();
        push_keys(&mut json, &self.fields, &chunk.records, records.written.iter().copied());
        json.push(']');
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(self.count.clone()))
            .bind(json)
            .fetch_one(connection)
            .await
            .context("look for the records of a chunk")?;
        Ok(records.lost(found.unsigned_abs()))
    }
}
