//! The rows of a chunk of a journal: what was created is deleted, what was updated gets its former
//! values back, and what changed since is kept. Rows that the database refuses are found by halving.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::PostgresUndoer;
use crate::domain::chunk::Chunk;
use crate::store::accounts::Outcome;
use crate::store::error::{Doing, StoreError};
use crate::store::postgres::merge::{answer, fault_of_row};
use crate::store::postgres::run_plain;
use crate::store::undo::kept::{Why, failed_row};

const DOING: &str = "take the rows of a chunk back";

/// What is to become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Remove,
    PutBack,
}

/// A row to be taken back.
#[derive(Debug, Clone, Copy)]
struct Due {
    row_number: i64,
    fate: Fate,
}

/// Why a part did not go back as a whole.
enum Refusal {
    Database(sqlx::Error),
    LeftOut,
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl PostgresUndoer {
    /// Takes the rows of a chunk back inside the open transaction.
    pub(super) async fn rows(
        &self,
        connection: &mut PgConnection,
        chunk: &Chunk,
        now: DateTime<Utc>,
    ) -> Result<Outcome, StoreError> {
        let fates: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(self.sql.look.clone()))
            .bind(self.undone)
            .bind(i64::from(chunk.first_row))
            .bind(i64::from(chunk.last_row))
            .fetch_all(&mut *connection)
            .await
            .doing("look the journal of a job through")?;
        let (mut due, mut kept) = (Vec::new(), BTreeMap::new());
        let mut outcome = Outcome::default();
        for (row_number, fate) in fates {
            match fate.as_str() {
                "remove" => due.push(Due { row_number, fate: Fate::Remove }),
                "back" => due.push(Due { row_number, fate: Fate::PutBack }),
                "same" => outcome.counts.unchanged += 1,
                _ => {
                    kept.insert(row_number, Why::Changed);
                }
            }
        }
        // Parts are rows from one number to another.
        due.sort_unstable_by_key(|row| row.row_number);
        self.halve(connection, due, now, &mut outcome, &mut kept).await?;
        self.hand_back(connection, &kept, &mut outcome)
            .await
            .doing("show the rows that are kept")?;
        outcome.counts.failed = outcome.failed.len() as u64;
        Ok(outcome)
    }

    /// Takes `due` back; where the database refuses a part, its halves, down to the single row.
    async fn halve(
        &self,
        connection: &mut PgConnection,
        due: Vec<Due>,
        now: DateTime<Utc>,
        outcome: &mut Outcome,
        kept: &mut BTreeMap<i64, Why>,
    ) -> Result<(), StoreError> {
        let mut parts = vec![due];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            run_plain(connection, "SAVEPOINT part").await?;
            let why = match self.part(connection, &part, now).await {
                Ok((removed, put_back)) => {
                    outcome.counts.removed += removed;
                    outcome.counts.updated += put_back;
                    run_plain(connection, "RELEASE SAVEPOINT part").await?;
                    continue;
                }
                Err(Refusal::LeftOut) => Why::LeftOut,
                Err(Refusal::Database(error)) if fault_of_row(&error) => why(&error),
                Err(Refusal::Database(error)) => return Err(error).doing(DOING),
            };
            run_plain(connection, "ROLLBACK TO SAVEPOINT part").await?;
            run_plain(connection, "RELEASE SAVEPOINT part").await?;
            if let [row] = part.as_slice() {
                kept.insert(row.row_number, why);
            } else {
                let (left, right) = part.split_at(part.len() / 2);
                parts.push(right.to_vec());
                parts.push(left.to_vec());
            }
        }
        Ok(())
    }

    /// Takes a part back; answers how many rows were removed and how many put back.
    async fn part(
        &self,
        connection: &mut PgConnection,
        part: &[Due],
        now: DateTime<Utc>,
    ) -> Result<(u64, u64), Refusal> {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return Ok((0, 0)) };
        let (first, last) = (first.row_number, last.row_number);
        let removals = part.iter().filter(|row| row.fate == Fate::Remove).count() as u64;
        let updates = part.len() as u64 - removals;
        if removals > 0 {
            let mut removed = 0;
            for sql in self.sql.forget.iter().chain([&self.sql.remove]) {
                let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(first).bind(last);
                removed = query.execute(&mut *connection).await?.rows_affected();
            }
            if removed != removals {
                return Err(Refusal::LeftOut);
            }
        }
        if updates > 0 && self.put_back(connection, first, last, now).await? != updates {
            return Err(Refusal::LeftOut);
        }
        Ok((removals, updates))
    }

    /// Gives rows their former values by the rules of an import: what was is archived.
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
        for history in &self.sql.histories {
            let query = sqlx::query(AssertSqlSafe(history.clone())).bind(now);
            query.execute(&mut *connection).await?;
        }
        if !self.sql.histories.is_empty() {
            sqlx::raw_sql("TRUNCATE loadbay_changed").execute(connection).await?;
        }
        Ok(count.unsigned_abs())
    }

    /// Makes failed rows of those that are kept, with their values as they stand.
    async fn hand_back(
        &self,
        connection: &mut PgConnection,
        kept: &BTreeMap<i64, Why>,
        outcome: &mut Outcome,
    ) -> Result<(), sqlx::Error> {
        if kept.is_empty() {
            return Ok(());
        }
        let row_numbers: Vec<i64> = kept.keys().copied().collect();
        let shown: Vec<(i64, Vec<Option<String>>)> =
            sqlx::query_as(AssertSqlSafe(self.sql.show.clone()))
                .bind(row_numbers)
                .fetch_all(connection)
                .await?;
        let mut shown: BTreeMap<_, _> = shown.into_iter().collect();
        for (row_number, why) in kept {
            let values = shown.remove(row_number).unwrap_or_default();
            let values: Vec<String> = values.into_iter().map(Option::unwrap_or_default).collect();
            let number = u32::try_from(*row_number).unwrap_or(u32::MAX);
            let plan = &self.settings.plan;
            outcome.failed.push(failed_row(&self.target, plan, number, why, &values));
        }
        Ok(())
    }
}

/// Why the database refuses to take a single row back.
fn why(error: &sqlx::Error) -> Why {
    let of_constraint = matches!(error, sqlx::Error::Database(answer)
        if answer.code().is_some_and(|code| code.starts_with("23")));
    if of_constraint { Why::Constraint(answer(error)) } else { Why::Refused(answer(error)) }
}
