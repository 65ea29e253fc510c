//! The rows of a chunk into the table: names of references first, then stage and merge; a row that
//! the database refuses is found by halving.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::{PostgresWriter, copy, run_plain};
use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::limits::REFERENCES_MAX;
use crate::domain::options::Mode;
use crate::domain::record::Value;
use crate::domain::row_error::RowCode;
use crate::store::accounts::Outcome;
use crate::store::error::{Doing, StoreError};
use crate::store::references::References;
use crate::store::rows;
use crate::store::target::quoted;

/// Reads the names that are there already.
pub(super) async fn load_references(
    connection: &mut PgConnection,
    references: &mut References,
) -> Result<(), sqlx::Error> {
    let targets: Vec<_> = references.iter().cloned().collect();
    for (index, reference) in targets.iter().enumerate() {
        let column = quoted(&reference.match_column);
        let sql = format!(
            "SELECT id, {column}::text FROM {} WHERE {column} IS NOT NULL LIMIT {REFERENCES_MAX}",
            quoted(&reference.table)
        );
        let known: Vec<(Uuid, String)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *connection).await?;
        for (id, name) in known {
            references.know(index, &name, id);
        }
    }
    Ok(())
}

impl PostgresWriter {
    /// Writes the records of a chunk inside the open transaction.
    pub(super) async fn rows(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        now: DateTime<Utc>,
        careful: bool,
    ) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        if chunk.records.is_empty() {
            return Ok(outcome);
        }
        self.create_references(connection, chunk, now).await.doing("create references")?;
        let mut order = rows::in_key_order(&chunk.records, &self.target.key);
        order.retain(|record| match self.unknown_reference(chunk, *record) {
            Some(row) => {
                outcome.failed.push(row);
                false
            }
            None => true,
        });
        if careful {
            self.halve(connection, chunk, order, now, &mut outcome).await?;
        } else {
            self.merge(connection, chunk, &order, now, &mut outcome)
                .await
                .doing("write the rows of a chunk")?;
        }
        Ok(outcome)
    }

    /// Merges `order`; where the database refuses a part, its halves, down to the single row.
    async fn halve(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        order: Vec<usize>,
        now: DateTime<Utc>,
        outcome: &mut Outcome,
    ) -> Result<(), StoreError> {
        let mut parts = vec![order];
        while let Some(part) = parts.pop() {
            run_plain(connection, "SAVEPOINT part").await?;
            let mut of_part = Outcome::default();
            match self.merge(connection, chunk, &part, now, &mut of_part).await {
                Ok(()) => {
                    self.empty_the_stage(connection).await?;
                    run_plain(connection, "RELEASE SAVEPOINT part").await?;
                    outcome.counts += of_part.counts;
                    outcome.failed.append(&mut of_part.failed);
                }
                Err(error) if fault_of_row(&error) => {
                    run_plain(connection, "ROLLBACK TO SAVEPOINT part").await?;
                    run_plain(connection, "RELEASE SAVEPOINT part").await?;
                    if let [record] = part.as_slice() {
                        outcome.failed.push(refused(chunk, *record, &error));
                    } else {
                        let (left, right) = part.split_at(part.len() / 2);
                        parts.push(right.to_vec());
                        parts.push(left.to_vec());
                    }
                }
                Err(error) => return Err(error).doing("write the rows of a chunk one by one"),
            }
        }
        Ok(())
    }

    async fn empty_the_stage(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        run_plain(connection, "TRUNCATE loadbay_stage").await?;
        if !self.sql.histories.is_empty() {
            run_plain(connection, "TRUNCATE loadbay_changed").await?;
        }
        Ok(())
    }

    /// Stage and merge of the records named by `order`.
    async fn merge(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        order: &[usize],
        now: DateTime<Utc>,
        outcome: &mut Outcome,
    ) -> Result<(), sqlx::Error> {
        if order.is_empty() {
            return Ok(());
        }
        copy::encode(&mut self.buffer, &self.target, &self.references, &chunk.records, order);
        let mut copy_in = connection.copy_in_raw(&self.sql.copy).await?;
        for message in self.buffer.chunks(copy::MESSAGE_BYTES) {
            copy_in.send(message).await?;
        }
        copy_in.finish().await?;
        let refused = self.refuse(connection, chunk, outcome).await?;
        let sql = if self.mostly_known { &self.sql.merge_known } else { &self.sql.merge };
        let (created, updated): (i64, i64) = sqlx::query_as(AssertSqlSafe(sql.clone()))
            .bind(now)
            .fetch_one(&mut *connection)
            .await?;
        if updated > 0 {
            for history in &self.sql.histories {
                sqlx::query(AssertSqlSafe(history.clone()))
                    .bind(now)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        let (created, updated) = (created.unsigned_abs(), updated.unsigned_abs());
        let taken = (order.len() - refused) as u64;
        if self.target.mode == Mode::Insert && created != taken {
            // Another job created one of the keys after we looked: look again.
            return Err(sqlx::Error::Protocol("a key appeared in the meantime".to_owned()));
        }
        outcome.counts.created += created;
        outcome.counts.updated += updated;
        outcome.counts.unchanged += taken.saturating_sub(created + updated);
        Ok(())
    }

    /// Takes the records out of the stage that the mode refuses; returns how many.
    async fn refuse(
        &self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        outcome: &mut Outcome,
    ) -> Result<usize, sqlx::Error> {
        let Some(sql) = &self.sql.refuse else { return Ok(0) };
        let records: Vec<i32> =
            sqlx::query_scalar(AssertSqlSafe(sql.clone())).fetch_all(connection).await?;
        let column = self.target.key.first().and_then(|key| self.target.fields.get(*key));
        let column = column.map_or("", |field| field.column.as_str());
        for record in &records {
            let record = usize::try_from(*record).unwrap_or(usize::MAX);
            let key = rows::key_text(&chunk.records, record, &self.target.key);
            outcome.failed.push(match self.target.mode {
                Mode::Insert => rows::already_exists(chunk, record, column, &key),
                Mode::Update | Mode::Upsert => rows::not_found(chunk, record, column, &key),
            });
        }
        Ok(records.len())
    }

    fn unknown_reference(&self, chunk: &Chunk, record: usize) -> Option<FailedRow> {
        for (index, field) in self.target.fields.iter().enumerate() {
            let Some(reference) = &field.reference else { continue };
            let Value::Text(name) = chunk.records.value(record, index) else { continue };
            if self.references.id(index, name).is_none() {
                let table = &reference.table;
                return Some(rows::unknown_reference(chunk, record, &field.column, table, name));
            }
        }
        None
    }

    /// Looks up the names of the chunk that are not known yet and creates those that are missing.
    async fn create_references(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let mut by_reference: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for missing in self.references.missing(&chunk.records) {
            by_reference.entry(missing.reference).or_default().push(missing.name);
        }
        for (reference, names) in by_reference {
            self.find_references(connection, reference, &names).await?;
            let Some(target) = self.references.get(reference).cloned() else { continue };
            if !target.create {
                continue;
            }
            let names = self.references.still_missing(reference, names);
            let ids: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
            let (table, column) = (quoted(&target.table), quoted(&target.match_column));
            let (times, value) =
                if target.has_created_at { (", created_at", ", $3") } else { ("", "") };
            let sql = format!(
                "INSERT INTO {table} (id, {column}{times}) SELECT id, name{value} \
                 FROM unnest($1::uuid[], $2::text[]) AS new (id, name) \
                 WHERE $3::timestamptz IS NOT NULL ON CONFLICT DO NOTHING"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(&ids)
                .bind(&names)
                .bind(now)
                .execute(&mut *connection)
                .await?;
            // Those of another writer are found as well: the insert waited for its commit.
            self.find_references(connection, reference, &names).await?;
        }
        Ok(())
    }

    async fn find_references(
        &mut self,
        connection: &mut PgConnection,
        reference: usize,
        names: &[String],
    ) -> Result<(), sqlx::Error> {
        let Some(target) = self.references.get(reference) else { return Ok(()) };
        let (table, column) = (quoted(&target.table), quoted(&target.match_column));
        let sql = format!(
            "SELECT id, {column}::text FROM {table} WHERE lower({column}) IN \
             (SELECT lower(name) FROM unnest($1::text[]) AS wanted (name))"
        );
        let found: Vec<(Uuid, String)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(names).fetch_all(connection).await?;
        for (id, name) in found {
            self.references.learn(reference, &name, id);
        }
        Ok(())
    }
}

/// True when the statement failed because of a row's values: class 22, data exception, and 23,
/// integrity constraint violation (PostgreSQL manual, appendix A), and what a trigger raises.
fn fault_of_row(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(answer) = error else { return false };
    answer
        .code()
        .is_some_and(|code| code.starts_with("22") || code.starts_with("23") || code == "P0001")
}

pub(super) fn is_fault_of_row(error: &StoreError) -> bool {
    match error {
        StoreError::Postgres { doing: "write the rows of a chunk", source } => fault_of_row(source),
        _ => false,
    }
}

fn refused(chunk: &Chunk, record: usize, error: &sqlx::Error) -> FailedRow {
    let (code, answer) = match error {
        sqlx::Error::Database(answer) => {
            let of_constraint = answer.code().is_some_and(|code| code.starts_with("23"));
            let code = if of_constraint {
                RowCode::ConstraintViolated
            } else {
                RowCode::RefusedByDatabase
            };
            (code, answer.message().to_owned())
        }
        other => (RowCode::RefusedByDatabase, other.to_string()),
    };
    let message = format!("the database refused the row: {answer}");
    rows::refused(chunk, record, code, None, message, None)
}
