//! The journal of an import that can be rolled back: each row that it changes as it was before and
//! after, stored with the row itself. Statements of its own around those of the merge, which stay
//! what they are.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::domain::chunk::Chunk;
use crate::domain::difference::Difference;
use crate::domain::options::Mode;
use crate::store::chunk::differences::{self, ChangedRow, ReferenceNames};
use crate::store::chunk::list_sql::image_json;
use crate::store::chunk::target::{Target, quoted, quoted_table};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::postgres::sql::{same_key, stage_type};

/// The statements of a journal.
#[derive(Debug)]
pub(super) struct PostgresJournal {
    /// Creates the session's temporary table.
    pub(super) prepare: String,
    /// Keeps the rows that the stage will hit as they are, and locks them; nothing where the mode
    /// hits none. In the order of the stage, which is that of the keys.
    before: Option<String>,
    /// Stores what became of the staged records. Parameters: the job, the row number of each record
    /// of the chunk. Column: rows that were created.
    after: String,
}

impl PostgresJournal {
    pub(super) fn new(target: &Target) -> Self {
        let (table, same_key) = (quoted_table(&target.table), same_key(target));
        let image = image_json(target);
        let before = format!(
            "INSERT INTO loadbay_before SELECT s.loadbay_record, b.image FROM loadbay_stage s \
             CROSS JOIN LATERAL (SELECT {image} AS image FROM {table} t \
             WHERE {same_key} LIMIT 1 FOR NO KEY UPDATE) b"
        );
        Self {
            prepare: "CREATE TEMP TABLE loadbay_before (loadbay_record int, image text) \
                      ON COMMIT DELETE ROWS"
                .to_owned(),
            before: (target.mode != Mode::Insert).then_some(before),
            after: format!(
                "WITH kept AS (INSERT INTO import_undo \
                 (import_log_id, row_number, created, before_row, after_row) \
                 SELECT $1, ($2::bigint[])[s.loadbay_record + 1], b.image IS NULL, b.image, a.image \
                 FROM loadbay_stage s \
                 LEFT JOIN loadbay_before b ON b.loadbay_record = s.loadbay_record \
                 CROSS JOIN LATERAL (SELECT {image} AS image FROM {table} t \
                 WHERE {same_key} LIMIT 1) a \
                 WHERE b.image IS DISTINCT FROM a.image RETURNING created) \
                 SELECT count(*) FILTER (WHERE created) FROM kept"
            ),
        }
    }

    /// Before the merge.
    pub(super) async fn before(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if let Some(before) = &self.before {
            let keep = sqlx::query(AssertSqlSafe(before.clone())).execute(connection).await;
            keep.context("keep the former values of a chunk")?;
        }
        Ok(())
    }

    /// After the merge, which created `created` rows.
    pub(super) async fn after(
        &self,
        connection: &mut PgConnection,
        job: i64,
        chunk: &Chunk,
        created: u64,
    ) -> Result<(), StoreError> {
        let records = &chunk.records;
        let row_numbers: Vec<i64> =
            (0..records.len()).map(|record| i64::from(records.row_number(record))).collect();
        let kept: i64 = sqlx::query_scalar(AssertSqlSafe(self.after.clone()))
            .bind(job)
            .bind(row_numbers)
            .fetch_one(connection)
            .await
            .context("keep the former values of a chunk")?;
        if kept.unsigned_abs() > created {
            // How the row was that the other job created is not known.
            return Err(StoreError::KeyAppeared);
        }
        Ok(())
    }
}

/// What the rows in the journal of the open transaction change.
pub(super) async fn differences(
    connection: &mut PgConnection,
    target: &Target,
    job: i64,
    limit: u64,
) -> Result<Vec<Difference>, StoreError> {
    let rows: Vec<(i64, Option<String>, String)> = sqlx::query_as(
        "SELECT row_number, before_row, after_row FROM import_undo WHERE import_log_id = $1 \
         ORDER BY row_number LIMIT $2",
    )
    .bind(job)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(&mut *connection)
    .await
    .context("read what a dry run would change")?;
    let rows: Vec<ChangedRow> = rows
        .into_iter()
        .map(|(number, before, after)| ChangedRow::new(number, before.as_deref(), &after))
        .collect();
    let names = reference_names(connection, target, &rows).await?;
    Ok(differences::differences(target, &rows, &names, false))
}

/// The names of the records that the rows refer to.
async fn reference_names(
    connection: &mut PgConnection,
    target: &Target,
    rows: &[ChangedRow],
) -> Result<ReferenceNames, StoreError> {
    let mut names = ReferenceNames::new();
    for (index, ids) in differences::referenced_ids(target, rows) {
        let Some(reference) = target.reference(index) else {
            continue;
        };
        let (key, kind) = (quoted(&reference.key), stage_type(reference.key_kind));
        let select = format!(
            "SELECT {key}::text, {} FROM {} WHERE {key} = ANY ($1::text[]::{kind}[])",
            reference.shown_sql(""),
            quoted_table(&reference.table)
        );
        let found: Vec<(String, Option<String>)> = sqlx::query_as(AssertSqlSafe(select))
            .bind(ids.into_iter().collect::<Vec<_>>())
            .fetch_all(&mut *connection)
            .await
            .context("read the names of the references")?;
        names.extend(found.into_iter().filter_map(|(id, name)| Some(((index, id), name?))));
    }
    Ok(names)
}
