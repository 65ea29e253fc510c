//! The rows of a chunk into the table: stage, then merge; a row that the database refuses is found by
//! halving.

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::copy;
use super::rows::PostgresRows;
use super::session::run_plain;
use crate::domain::chunk::Chunk;
use crate::domain::event::RowEventKind;
use crate::domain::options::Mode;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::protocol::{WriteError, WriteOptions};
use crate::store::chunk::references::ChunkReferences;
use crate::store::chunk::rows;
use crate::store::error::{ErrorContext, StoreError};

impl PostgresRows {
    /// Writes the records of a chunk inside the open transaction.
    pub(super) async fn rows(
        &mut self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        options: WriteOptions,
    ) -> Result<ChunkOutcome, WriteError> {
        let mut outcome = ChunkOutcome::default();
        if chunk.records.is_empty() {
            return Ok(outcome);
        }
        let mut named = ChunkReferences::new(&self.target, &self.references, &chunk.records);
        self.create_references(connection, &mut named, options).await?;
        if self.dry_run {
            outcome.new_references = self.references.named_anew(&named, &chunk.records);
        }
        let mut order = rows::in_key_order(&chunk.records, &self.target.key);
        if !named.are_all_known() {
            order.retain(|record| {
                let (target, references) = (&self.target, &self.references);
                let unknown = rows::unknown_reference(target, references, &named, chunk, *record);
                let is_known = unknown.is_none();
                outcome.failed.extend(unknown);
                is_known
            });
        }
        if order.is_empty() {
            return Ok(outcome);
        }
        let chunk = NamedChunk { chunk, named: &named };
        if options.isolate_rows {
            self.bisect(connection, chunk, order, options, &mut outcome).await?;
        } else {
            let staged = self.stage(connection, chunk, &order).await;
            staged.map_err(WriteError::of_rows)?;
            let merged = self.merge(connection, chunk, &order, options, &mut outcome).await;
            if merged.map_err(WriteError::of_rows)? == Outcomes::Unknown {
                return Err(WriteError::OutcomesUnknown);
            }
        }
        Ok(outcome)
    }

    /// Merges `order`; where the database refuses a part, its halves, down to the single row.
    async fn bisect(
        &mut self,
        connection: &mut PgConnection,
        chunk: NamedChunk<'_>,
        order: Vec<usize>,
        options: WriteOptions,
        outcome: &mut ChunkOutcome,
    ) -> Result<(), StoreError> {
        let is_kept = self.keep(connection, chunk, &order).await?;
        let mut parts = vec![order];
        while let Some(part) = parts.pop() {
            run_plain(connection, "SAVEPOINT part").await?;
            let mut of_part = ChunkOutcome::default();
            let staged = if is_kept {
                take_kept(connection, &part).await
            } else {
                self.stage(connection, chunk, &part).await
            };
            let merged = match staged {
                Ok(()) => self.merge(connection, chunk, &part, options, &mut of_part).await,
                Err(error) => Err(error),
            };
            match merged {
                Ok(_) => {
                    self.empty_the_stage(connection).await?;
                    run_plain(connection, "RELEASE SAVEPOINT part").await?;
                    outcome.counts += of_part.counts;
                    outcome.failed.append(&mut of_part.failed);
                    outcome.changed.append(&mut of_part.changed);
                    outcome.not_newer.append(&mut of_part.not_newer);
                }
                Err(error) => {
                    let Some(refusal) = error.row_refusal() else { return Err(error) };
                    run_plain(connection, "ROLLBACK TO SAVEPOINT part").await?;
                    run_plain(connection, "RELEASE SAVEPOINT part").await?;
                    if let [record] = part.as_slice() {
                        outcome.failed.push(rows::refused_by_database(
                            &self.target,
                            chunk.chunk,
                            *record,
                            refusal,
                        ));
                    } else {
                        let (left, right) = part.split_at(part.len() / 2);
                        parts.push(right.to_vec());
                        parts.push(left.to_vec());
                    }
                }
            }
        }
        Ok(())
    }

    /// Stages `order` once for all of its parts: a COPY for each part costs a pause of the network
    /// each time. False when not even the stage takes them all.
    async fn keep(
        &mut self,
        connection: &mut PgConnection,
        chunk: NamedChunk<'_>,
        order: &[usize],
    ) -> Result<bool, StoreError> {
        run_plain(connection, "SAVEPOINT part").await?;
        let is_kept = match self.stage(connection, chunk, order).await {
            Ok(()) => {
                // The transaction of a whole file may have one of another chunk.
                let keep = "DROP TABLE IF EXISTS pg_temp.loadbay_kept; \
                     CREATE TEMP TABLE loadbay_kept ON COMMIT DROP AS TABLE loadbay_stage";
                run_plain(connection, keep).await?;
                run_plain(connection, "TRUNCATE loadbay_stage").await?;
                true
            }
            Err(error) if error.row_refusal().is_some() => {
                run_plain(connection, "ROLLBACK TO SAVEPOINT part").await?;
                false
            }
            Err(error) => return Err(error),
        };
        run_plain(connection, "RELEASE SAVEPOINT part").await?;
        Ok(is_kept)
    }

    pub(super) async fn empty_the_stage(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(), StoreError> {
        run_plain(connection, "TRUNCATE loadbay_stage").await?;
        if !self.sql.histories.is_empty() {
            run_plain(connection, "TRUNCATE loadbay_changed").await?;
        }
        if self.journal.is_some() {
            run_plain(connection, "TRUNCATE loadbay_before").await?;
        }
        Ok(())
    }

    /// Copies the records named by `order` into the stage.
    async fn stage(
        &mut self,
        connection: &mut PgConnection,
        chunk: NamedChunk<'_>,
        order: &[usize],
    ) -> Result<(), StoreError> {
        let action = "stage the rows of a chunk";
        copy::encode(&mut self.buffer, &self.target, chunk.named, &chunk.chunk.records, order);
        let mut copy_in = connection.copy_in_raw(&self.sql.copy).await.context(action)?;
        for message in self.buffer.chunks(copy::MESSAGE_BYTES) {
            copy_in.send(message).await.context(action)?;
        }
        copy_in.finish().await.context(action)?;
        Ok(())
    }

    /// Merges the `staged` records of the stage into the table.
    async fn merge(
        &mut self,
        connection: &mut PgConnection,
        chunk: NamedChunk<'_>,
        staged: &[usize],
        options: WriteOptions,
        outcome: &mut ChunkOutcome,
    ) -> Result<Outcomes, StoreError> {
        let action = "merge the rows of a chunk";
        let refused = self.refuse(connection, chunk, outcome).await?;
        if let Some(journal) = self.journal.as_ref().filter(|_| options.journal) {
            journal.before(&mut *connection).await?;
        }
        if let Some(sql) =
            self.sql.fill_absent.as_ref().filter(|_| chunk.chunk.records.has_absent())
        {
            let fill = sqlx::query(AssertSqlSafe(sql.clone()));
            fill.execute(&mut *connection).await.context(action)?;
        }
        // Whether a list makes a record an updated one is known only where it was not one before.
        let asks_outcomes = options.asks_outcomes || self.lists.are_any();
        let merge = if asks_outcomes { &self.sql.merge_returning_rows } else { &self.sql.merge };
        let sql = if self.mostly_known { &merge.known } else { &merge.plain };
        let (created, updated, created_records, updated_records): Merged =
            sqlx::query_as(AssertSqlSafe(sql.clone()))
                .bind(options.now)
                .fetch_one(&mut *connection)
                .await
                .context(action)?;
        outcome.changed.extend(records(created_records, RowEventKind::Created));
        outcome.changed.extend(records(updated_records, RowEventKind::Updated));
        if updated > 0 {
            self.keep_histories(&mut *connection, options.now).await?;
        }
        let (created, updated) = (created.unsigned_abs(), updated.unsigned_abs());
        let touched = if self.lists.are_any() {
            self.lists.write(&mut *connection, options.now, outcome).await?
        } else {
            0
        };
        if let Some(journal) = self.journal.as_ref().filter(|_| options.journal) {
            journal.after(&mut *connection, self.job, chunk.chunk, created).await?;
        }
        let mut taken = (staged.len() - refused) as u64;
        if self.has_triggers && created + updated < taken {
            taken -= self.left_out(connection, chunk, outcome).await?;
        }
        if self.target.mode == Mode::Insert && created != taken {
            return Err(StoreError::KeyAppeared);
        }
        outcome.counts.created += created;
        outcome.counts.updated += updated + touched;
        outcome.counts.unchanged += taken.saturating_sub(created + updated + touched);
        if let Some(sql) = self.sql.not_newer.as_ref().filter(|_| created + updated < taken) {
            let records: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
                .fetch_all(&mut *connection)
                .await
                .context("find the rows that are not newer")?;
            outcome.not_newer.extend(records.into_iter().map(record_index));
        }
        // A record may differ in its columns and in its lists.
        outcome.not_newer.sort_unstable();
        outcome.not_newer.dedup();
        if asks_outcomes || created + updated == 0 {
            return Ok(Outcomes::Known);
        }
        let kind = match (created, updated) {
            (created, 0) if created == taken => RowEventKind::Created,
            (0, updated) if updated == taken => RowEventKind::Updated,
            _ => return Ok(Outcomes::Unknown),
        };
        outcome.changed.extend(staged.iter().map(|record| (*record, kind)));
        Ok(Outcomes::Known)
    }

    /// Archives the former values of the records that the merge updated.
    async fn keep_histories(
        &self,
        connection: &mut PgConnection,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for history in &self.sql.histories {
            sqlx::query(AssertSqlSafe(history.clone()))
                .bind(now)
                .execute(&mut *connection)
                .await
                .context("merge the rows of a chunk")?;
        }
        Ok(())
    }

    /// Finds the records that a trigger of the table left out; returns how many.
    async fn left_out(
        &self,
        connection: &mut PgConnection,
        chunk: NamedChunk<'_>,
        outcome: &mut ChunkOutcome,
    ) -> Result<u64, StoreError> {
        let sql = self.sql.left_out.clone();
        let records: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(connection)
            .await
            .context("find the rows that a trigger left out")?;
        for record in &records {
            let record = record_index(*record);
            outcome.failed.push(rows::left_out(chunk.chunk, record));
        }
        Ok(records.len() as u64)
    }

    /// Takes the records out of the stage that the mode refuses; returns how many.
    async fn refuse(
        &self,
        connection: &mut PgConnection,
        chunk: NamedChunk<'_>,
        outcome: &mut ChunkOutcome,
    ) -> Result<usize, StoreError> {
        let Some(sql) = &self.sql.refuse else { return Ok(0) };
        let records: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
            .fetch_all(connection)
            .await
            .context("find the rows that the mode refuses")?;
        for record in &records {
            let record = record_index(*record);
            outcome.failed.push(rows::refused_by_mode(&self.target, chunk.chunk, record));
        }
        Ok(records.len())
    }
}

/// Whether a merge knows which records were created and which updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcomes {
    Known,
    Unknown,
}

/// A chunk, and which records its rows name.
#[derive(Clone, Copy)]
struct NamedChunk<'c> {
    chunk: &'c Chunk,
    named: &'c ChunkReferences<'c>,
}

/// The index of a record, as it was staged.
fn record_index(staged: i32) -> usize {
    let record = usize::try_from(staged);
    assert!(record.is_ok(), "record {staged} was never staged");
    record.unwrap_or_default()
}

/// What a merge answers: created, updated, and the indexes of both, if they are asked for.
type Merged = (i64, i64, Option<Vec<i32>>, Option<Vec<i32>>);

fn records(
    indexes: Option<Vec<i32>>,
    kind: RowEventKind,
) -> impl Iterator<Item = (usize, RowEventKind)> {
    indexes.into_iter().flatten().map(move |record| (record_index(record), kind))
}

/// Puts those of the kept records that `part` names back into the stage.
async fn take_kept(connection: &mut PgConnection, part: &[usize]) -> Result<(), StoreError> {
    let records: Vec<i32> = part.iter().map(|record| copy::staged_index(*record)).collect();
    sqlx::query(
        "INSERT INTO loadbay_stage SELECT * FROM loadbay_kept WHERE loadbay_record = ANY ($1)",
    )
    .bind(records)
    .execute(connection)
    .await
    .context("stage the rows of a chunk")?;
    Ok(())
}
