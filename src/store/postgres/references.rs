//! The records that rows name: read once a job, looked up and created chunk by chunk.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::rows::PostgresRows;
use super::session::run_plain;
use crate::store::chunk::protocol::{WriteError, WriteOptions};
use crate::store::chunk::references::{ChunkReferences, MissingReference, References};
use crate::store::chunk::target::{ReferenceTarget, quoted, quoted_table};
use crate::store::error::{ErrorContext, StoreError};

/// Reads the names that are there already.
pub(super) async fn load(
    connection: &mut PgConnection,
    references: &mut References,
) -> Result<(), sqlx::Error> {
    let targets: Vec<_> = references.iter().cloned().collect();
    for (index, reference) in targets.iter().enumerate() {
        let known: Vec<(Uuid, String)> = sqlx::query_as(AssertSqlSafe(reference.select_names()))
            .fetch_all(&mut *connection)
            .await?;
        for (id, name) in known {
            references.add_stored(index, &name, id);
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
        let (table, column) = (quoted_table(&target.table), quoted(&target.match_column));
        let sql = format!(
            "SELECT r.id, r.{column}::text, wanted.name FROM unnest($1::text[]) AS wanted (name) \
             JOIN {table} r ON lower(r.{column}) = lower(wanted.name)"
        );
        let found: Vec<(Uuid, String, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(names)
            .fetch_all(connection)
            .await
            .context("look up references")?;
        for (id, name, wanted) in found {
            self.references.add(reference, &name, id);
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
    let ids: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
    let (table, column) = (quoted_table(&target.table), quoted(&target.match_column));
    let (times, value) = if target.has_created_at { (", created_at", ", $3") } else { ("", "") };
    let sql = format!(
        "INSERT INTO {table} (id, {column}{times}) SELECT id, name{value} \
         FROM unnest($1::uuid[], $2::text[]) AS new (id, name) \
         WHERE $3::timestamptz IS NOT NULL ON CONFLICT DO NOTHING RETURNING {column}::text"
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
