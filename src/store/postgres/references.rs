//! The records that rows name: read once a job, looked up and created chunk by chunk.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::rows::PostgresRows;
use super::session::run_plain;
use crate::domain::record::NAME_SEPARATOR;
use crate::store::chunk::protocol::{WriteError, WriteOptions};
use crate::store::chunk::record_id::{KeyKind, RecordId};
use crate::store::chunk::references::{ChunkReferences, MissingReference, References};
use crate::store::chunk::target::{ReferenceTarget, list, quoted, quoted_table, times_sql};
use crate::store::error::{ErrorContext, StoreError};

/// Reads the names that are there already.
pub(super) async fn load(
    connection: &mut PgConnection,
    references: &mut References,
) -> Result<(), sqlx::Error> {
    let targets: Vec<_> = references.iter().cloned().collect();
    for (index, reference) in targets.iter().enumerate() {
        let sql = reference.select_names();
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await?;
        for row in &rows {
            let name: String = row.try_get(1)?;
            references.add_stored(index, &name, record_id(row, reference.key_kind)?);
        }
    }
    Ok(())
}

impl PostgresRows {
    /// Looks up the names of the chunk that are not known yet and creates those that are missing.
    /// With `isolate_rows` a name that the database refuses is remembered and the others are created.
    pub(super) async fn create_references(
        &mut self,
        connection: &mut PgConnection,
        of_chunk: &mut ChunkReferences<'_>,
        options: WriteOptions,
    ) -> Result<(), WriteError> {
        let mut by_reference: BTreeMap<usize, Vec<MissingReference>> = BTreeMap::new();
        for missing in of_chunk.missing() {
            by_reference.entry(missing.reference).or_default().push(missing);
        }
        for (reference, mut missing) in by_reference {
            let names: Vec<String> = missing.iter().map(|it| it.name.clone()).collect();
            self.find_references(connection, reference, &names)
                .await
                .map_err(WriteError::of_rows)?;
            let Some(target) = self.references.get(reference).cloned() else { continue };
            if !target.create {
                continue;
            }
            missing.retain(|it| !self.references.knows(it));
            let names: Vec<String> = missing.iter().map(|it| it.name.clone()).collect();
            let created = if options.isolate_rows {
                self.create_one_by_one(connection, &target, &missing, options.now).await?
            } else {
                insert(connection, &target, &names, options.now)
                    .await
                    .map_err(WriteError::of_rows)?
            };
            for it in missing.iter().filter(|it| created.contains(&it.name)) {
                self.references.created(it);
            }
            // Those of another writer are found as well: the insert waited for its commit.
            self.find_references(connection, reference, &names)
                .await
                .map_err(WriteError::of_rows)?;
        }
        of_chunk.look_up_again(&self.references);
        Ok(())
    }

    /// Creates the records one by one; returns the names of those that are new.
    async fn create_one_by_one(
        &mut self,
        connection: &mut PgConnection,
        target: &ReferenceTarget,
        missing: &[MissingReference],
        now: DateTime<Utc>,
    ) -> Result<HashSet<String>, StoreError> {
        let mut all = HashSet::new();
        for MissingReference { reference, name, .. } in missing {
            run_plain(connection, "SAVEPOINT reference").await?;
            match insert(connection, target, std::slice::from_ref(name), now).await {
                Ok(created) => all.extend(created),
                Err(error) => {
                    let Some(refusal) = error.row_refusal() else { return Err(error) };
                    run_plain(connection, "ROLLBACK TO SAVEPOINT reference").await?;
                    self.references.refuse(*reference, name, refusal.into_answer());
                }
            }
            run_plain(connection, "RELEASE SAVEPOINT reference").await?;
        }
        Ok(all)
    }

    async fn find_references(
        &mut self,
        connection: &mut PgConnection,
        reference: usize,
        names: &[String],
    ) -> Result<(), StoreError> {
        let Some(target) = self.references.get(reference) else { return Ok(()) };
        let (table, wanted) = (quoted_table(&target.table), name_parts(target, "wanted.name"));
        let is_it = |(column, wanted)| format!("lower(r.{column}::text) = lower({wanted})");
        let are_all: Vec<String> = target.name_columns().zip(wanted).map(is_it).collect();
        let sql = format!(
            "SELECT {}, {}, wanted.name FROM unnest($1::text[]) AS wanted (name) \
             JOIN {table} r ON {}",
            target.key_sql("r."),
            target.name_sql("r."),
            are_all.join(" AND ")
        );
        let (action, kind) = ("look up references", target.key_kind);
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(names).fetch_all(connection).await;
        for row in &rows.context(action)? {
            let id = record_id(row, kind).context(action)?;
            let name: String = row.try_get(1).context(action)?;
            let wanted: String = row.try_get(2).context(action)?;
            self.references.add(reference, &name, id.clone());
            // The database's idea of lower case may be another one than ours.
            self.references.add(reference, &wanted, id);
        }
        Ok(())
    }
}

/// Creates the records that are missing; returns their names.
async fn insert(
    connection: &mut PgConnection,
    target: &ReferenceTarget,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<HashSet<String>, StoreError> {
    if target.key_kind != KeyKind::Uuid {
        return insert_unnumbered(connection, target, names, now).await;
    }
    let ids: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
    let key = quoted(&target.key);
    let (table, columns) = (quoted_table(&target.table), list(target.name_columns()));
    let (parts, made) = (list(name_parts(target, "name")), target.name_sql(""));
    let (times, value) = times_sql(&target.times, "$3");
    let sql = format!(
        "INSERT INTO {table} ({key}, {columns}{times}) SELECT id, {parts}{value} \
         FROM unnest($1::uuid[], $2::text[]) AS new (id, name) \
         WHERE $3::timestamptz IS NOT NULL ON CONFLICT DO NOTHING RETURNING {made}"
    );
    let created: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(&ids)
        .bind(names)
        .bind(now)
        .fetch_all(connection)
        .await
        .context("create references")?;
    Ok(created.into_iter().collect())
}

/// Creates records whose key the database counts, or is the name itself.
async fn insert_unnumbered(
    connection: &mut PgConnection,
    target: &ReferenceTarget,
    names: &[String],
    now: DateTime<Utc>,
) -> Result<HashSet<String>, StoreError> {
    let (table, columns) = (quoted_table(&target.table), list(target.name_columns()));
    let (parts, made) = (list(name_parts(target, "name")), target.name_sql(""));
    let (times, value) = times_sql(&target.times, "$2");
    let sql = format!(
        "INSERT INTO {table} ({columns}{times}) SELECT {parts}{value} FROM unnest($1::text[]) AS new (name) \
         WHERE $2::timestamptz IS NOT NULL ON CONFLICT DO NOTHING RETURNING {made}"
    );
    let created: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(names)
        .bind(now)
        .fetch_all(connection)
        .await
        .context("create references")?;
    Ok(created.into_iter().collect())
}

/// The parts of a name, as SQL, one for each column by which a record is found.
fn name_parts(target: &ReferenceTarget, name: &str) -> Vec<String> {
    let count = target.match_columns.len();
    if count == 1 {
        return vec![name.to_owned()];
    }
    let separator = u32::from(NAME_SEPARATOR);
    (1..=count).map(|part| format!("split_part({name}, chr({separator}), {part})")).collect()
}

/// The key that stands first in a row.
fn record_id(row: &PgRow, kind: KeyKind) -> Result<RecordId, sqlx::Error> {
    Ok(match kind {
        KeyKind::Uuid => RecordId::Uuid(row.try_get(0)?),
        KeyKind::Integer => RecordId::Integer(row.try_get(0)?),
        KeyKind::Text => RecordId::Text(row.try_get::<String, _>(0)?.into()),
    })
}
