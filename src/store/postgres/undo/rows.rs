//! The rows of a chunk of a journal: what was created is deleted, what was updated gets its former
//! values back, and what changed since is kept. Rows that the database refuses are found by dividing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::PostgresRollback;
use crate::domain::chunk::Chunk;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::postgres::merge::{answer, fault_of_row};
use crate::store::postgres::session::run_plain;
use crate::store::undo::skipped::{SkipReason, skipped_row};

const ACTION: &str = "take the rows of a chunk back";

/// Pieces that a refused part is divided into. With two of them a chunk of which each row is refused
/// would be tried in twice as many parts as it has rows.
const PIECES: usize = 8;

/// What is to become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RollbackStep {
    Remove,
    PutBack,
}

/// A row to be taken back.
#[derive(Debug, Clone, Copy)]
struct Due {
    row_number: i64,
    step: RollbackStep,
}

/// When the histories of rows that are put back follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Histories {
    /// Once for all parts of a chunk.
    AtTheEnd,
    WithEachPart,
}

/// What became of the rows that were due.
#[derive(Debug, Default)]
struct Divided {
    removed: u64,
    put_back: u64,
    /// By row number.
    refused: BTreeMap<i64, SkipReason>,
}

/// Why a part did not go back as a whole.
enum PartRefusal {
    Database(sqlx::Error),
    LeftOut,
}

impl From<sqlx::Error> for PartRefusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl PostgresRollback {
    /// Takes the rows of a chunk back inside the open transaction.
    pub(super) async fn rows(
        &self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        now: DateTime<Utc>,
    ) -> Result<ChunkOutcome, StoreError> {
        let fates: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(self.sql.look.clone()))
            .bind(self.undone)
            .bind(i64::from(chunk.first_row))
            .bind(i64::from(chunk.last_row))
            .fetch_all(&mut *connection)
            .await
            .context("look the journal of a job through")?;
        let (mut due, mut kept) = (Vec::new(), BTreeMap::new());
        let mut outcome = ChunkOutcome::default();
        for (row_number, step) in fates {
            match step.as_str() {
                "remove" => due.push(Due { row_number, step: RollbackStep::Remove }),
                "back" => due.push(Due { row_number, step: RollbackStep::PutBack }),
                "same" => outcome.counts.unchanged += 1,
                "gone" => {
                    kept.insert(row_number, SkipReason::Gone);
                }
                _ => {
                    kept.insert(row_number, SkipReason::Changed);
                }
            }
        }
        // Parts are rows from one number to another.
        due.sort_unstable_by_key(|row| row.row_number);
        let divided = self.take_back(connection, due, now).await?;
        (outcome.counts.removed, outcome.counts.updated) = (divided.removed, divided.put_back);
        kept.extend(divided.refused);
        self.hand_back(connection, &kept, &mut outcome)
            .await
            .context("show the rows that are kept")?;
        outcome.counts.failed = outcome.failed.len() as u64;
        Ok(outcome)
    }

    /// Takes `due` back. The histories follow all at once; only where the database refuses them
    /// because of a row, each part takes its own, so that the row is found.
    async fn take_back(
        &self,
        connection: &mut PgConnection,
        due: Vec<Due>,
        now: DateTime<Utc>,
    ) -> Result<Divided, StoreError> {
        run_plain(connection, "SAVEPOINT chunk").await?;
        let divided = self.divide(connection, due.clone(), now, Histories::AtTheEnd).await?;
        match self.archive(connection, now).await {
            Ok(()) => run_plain(connection, "RELEASE SAVEPOINT chunk").await.map(|()| divided),
            Err(error) if fault_of_row(&error) => {
                run_plain(connection, "ROLLBACK TO SAVEPOINT chunk").await?;
                self.divide(connection, due, now, Histories::WithEachPart).await
            }
            Err(error) => Err(error).context(ACTION),
        }
    }

    /// Takes `due` back; where the database refuses a part, its pieces, down to the single row.
    async fn divide(
        &self,
        connection: &mut PgConnection,
        due: Vec<Due>,
        now: DateTime<Utc>,
        histories: Histories,
    ) -> Result<Divided, StoreError> {
        let mut divided = Divided::default();
        let mut parts = vec![due];
        run_plain(connection, "SAVEPOINT part").await?;
        while let Some(part) = parts.pop() {
            let why = match self.part(connection, &part, now, histories).await {
                Ok((removed, put_back)) => {
                    divided.removed += removed;
                    divided.put_back += put_back;
                    run_plain(connection, "RELEASE SAVEPOINT part; SAVEPOINT part").await?;
                    continue;
                }
                Err(PartRefusal::LeftOut) => SkipReason::LeftOut,
                Err(PartRefusal::Database(error)) if fault_of_row(&error) => why(&error),
                Err(PartRefusal::Database(error)) => return Err(error).context(ACTION),
            };
            run_plain(connection, "ROLLBACK TO SAVEPOINT part").await?;
            if let [row] = part.as_slice() {
                divided.refused.insert(row.row_number, why);
            } else {
                let pieces = part.chunks(part.len().div_ceil(PIECES));
                parts.extend(pieces.rev().map(<[Due]>::to_vec));
            }
        }
        run_plain(connection, "RELEASE SAVEPOINT part").await?;
        Ok(divided)
    }

    /// Takes a part back; answers how many rows were removed and how many put back.
    async fn part(
        &self,
        connection: &mut PgConnection,
        part: &[Due],
        now: DateTime<Utc>,
        histories: Histories,
    ) -> Result<(u64, u64), PartRefusal> {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return Ok((0, 0)) };
        let (first, last) = (first.row_number, last.row_number);
        let removals = part.iter().filter(|row| row.step == RollbackStep::Remove).count() as u64;
        let updates = part.len() as u64 - removals;
        if removals > 0 {
            let query = sqlx::query(AssertSqlSafe(self.sql.remove.clone())).bind(first).bind(last);
            if query.execute(&mut *connection).await?.rows_affected() != removals {
                return Err(PartRefusal::LeftOut);
            }
        }
        if updates > 0 && self.put_back(connection, first, last, now).await? != updates {
            return Err(PartRefusal::LeftOut);
        }
        if updates > 0 && histories == Histories::WithEachPart {
            self.archive(connection, now).await?;
        }
        Ok((removals, updates))
    }

    /// Gives rows their former values, and keeps those of the histories aside.
    async fn put_back(
        &self,
        connection: &mut PgConnection,
        first: i64,
        last: i64,
        now: DateTime<Utc>,
    ) -> Result<u64, sqlx::Error> {
        let Some(sql) = &self.sql.put_back else { return Ok(0) };
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql.clone()))
            .bind(first)
            .bind(last)
            .bind(now)
            .fetch_one(&mut *connection)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// Archives what was in the histories, by the rules of an import, for all rows that were put back
    /// since this was last done.
    async fn archive(
        &self,
        connection: &mut PgConnection,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        for history in &self.sql.histories {
            let query = sqlx::query(AssertSqlSafe(history.clone())).bind(now);
            query.execute(&mut *connection).await?;
        }
        if !self.sql.histories.is_empty() {
            sqlx::raw_sql("TRUNCATE loadbay_changed").execute(connection).await?;
        }
        Ok(())
    }

    /// Makes failed rows of those that are kept, with their values as they stand; of those that are
    /// gone, as they would be put back.
    async fn hand_back(
        &self,
        connection: &mut PgConnection,
        kept: &BTreeMap<i64, SkipReason>,
        outcome: &mut ChunkOutcome,
    ) -> Result<(), sqlx::Error> {
        let (gone, there): (Vec<i64>, Vec<i64>) =
            kept.keys().partition(|row| kept.get(row) == Some(&SkipReason::Gone));
        let mut shown: BTreeMap<i64, Vec<Option<String>>> = BTreeMap::new();
        for (sql, rows) in [(&self.sql.show, there), (&self.sql.show_gone, gone)] {
            if !rows.is_empty() {
                let query = sqlx::query_as(AssertSqlSafe(sql.clone())).bind(rows);
                shown.extend(query.fetch_all(&mut *connection).await?);
            }
        }
        for (row_number, why) in kept {
            let values = shown.remove(row_number).unwrap_or_default();
            let values: Vec<String> = values.into_iter().map(Option::unwrap_or_default).collect();
            let number = u32::try_from(*row_number).unwrap_or(u32::MAX);
            let plan = &self.plan;
            outcome.failed.push(skipped_row(&self.target, plan, number, why, &values));
        }
        Ok(())
    }
}

/// Why the database refuses to take a single row back.
fn why(error: &sqlx::Error) -> SkipReason {
    let of_constraint = matches!(error, sqlx::Error::Database(answer)
        if answer.code().is_some_and(|code| code.starts_with("23")));
    if of_constraint {
        SkipReason::Constraint(answer(error))
    } else {
        SkipReason::Refused(answer(error))
    }
}
