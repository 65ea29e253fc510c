//! Notes which keys of the table the rows of a chunk have. The keys go to the database as JSON and become
//! rows of the table's own type there, so that they are compared as the table compares them.

use sea_orm::DbBackend;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::sql::same_key;
use crate::domain::chunk::Chunk;
use crate::store::chunk::key_json::{KeyField, push_keys};
use crate::store::chunk::seen::{WrittenRecords, key_text};
use crate::store::chunk::target::{Target, list, quoted_table};
use crate::store::chunk::writer::WriterSettings;
use crate::store::error::{ErrorContext, StoreError};

/// The statement of the notes.
pub(super) struct PostgresSeen {
    job: i64,
    fields: Vec<KeyField>,
    /// Parameters: the job, keys as a JSON array. Column: how many of them the table has.
    note: String,
}

impl PostgresSeen {
    pub(super) fn new(settings: &WriterSettings, target: &Target) -> Self {
        let table = quoted_table(&target.table);
        let key = list(target.key.iter().map(|field| format!("t.{}", target.field(*field))));
        let note = format!(
            "WITH found AS (SELECT {} AS key FROM json_populate_recordset(NULL::{table}, $2::json) s \
             CROSS JOIN LATERAL (SELECT {key} FROM {table} t WHERE {} LIMIT 1) t), \
             noted AS (INSERT INTO import_seen (import_log_id, key) SELECT $1, key FROM found \
             ON CONFLICT DO NOTHING) SELECT count(*) FROM found",
            key_text(DbBackend::Postgres, target),
            same_key(target)
        );
        let fields = KeyField::all(&settings.dataset, &settings.plan.columns, &target.key);
        Self { job: settings.job.id, fields, note }
    }

    /// Notes the keys of all rows of a chunk that have one; how many of the written records were found.
    pub(super) async fn note(
        &self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        records: &WrittenRecords,
    ) -> Result<u64, StoreError> {
        let mut json = "[".to_owned();
        push_keys(&mut json, &self.fields, &chunk.records, records.written.iter().copied());
        let found = self.note_some(connection, json).await?;
        let mut json = "[".to_owned();
        push_keys(&mut json, &self.fields, &chunk.records, records.failed.iter().copied());
        let of_failed: Vec<KeyField> =
            self.fields.iter().enumerate().map(|(at, field)| field.at(at)).collect();
        push_keys(&mut json, &of_failed, &chunk.failed_keys, 0..chunk.failed_keys.len());
        self.note_some(connection, json).await?;
        Ok(found)
    }

    async fn note_some(
        &self,
        connection: &mut PgConnection,
        mut json: String,
    ) -> Result<u64, StoreError> {
        if json.len() <= 1 {
            return Ok(0);
        }
        json.push(']');
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(self.note.clone()))
            .bind(self.job)
            .bind(json)
            .fetch_one(connection)
            .await
            .context("note the keys of a chunk")?;
        Ok(found.unsigned_abs())
    }
}
