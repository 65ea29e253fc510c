//! The lists of the staged records into their join tables: what a record no longer has is deleted, what is
//! new is inserted. Statements of their own behind the merge, which a dataset without such a list never
//! runs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use super::sql::{same_key, stage_column};
use crate::domain::event::RowEventKind;
use crate::store::chunk::outcome::ChunkOutcome;
use crate::store::chunk::target::{ListTarget, Target, quoted, quoted_table, times_sql};
use crate::store::error::{ErrorContext, StoreError};

/// The statements of the lists of a target.
#[derive(Debug, Default)]
pub(super) struct PostgresLists {
    /// One for each list. Parameters: now, the records that may change or null for all. Column: the
    /// records whose items changed.
    write: Vec<String>,
    /// One for each list, where only newer rows may change records. Column: the records that still differ
    /// from what is stored.
    differ: Vec<String>,
    /// Notes the time at records of which only lists changed. Parameters: now, the records.
    touch: Option<String>,
}

/// Room for the items of a chunk until the transaction ends: with less the planner would go through all of
/// them again for each row of a join table.
const HASH_ROOM: &str = "SELECT set_config('work_mem', greatest(pg_size_bytes(current_setting('work_mem')), \
                         67108864) / 1024 || 'kB', true)";

impl PostgresLists {
    pub(super) fn new(target: &Target) -> Self {
        let lists = || target.lists.iter().enumerate();
        let touch = (target.has_updated_at() && !target.lists.is_empty()).then(|| touch(target));
        let differ = lists().filter(|_| target.version.is_some());
        Self {
            write: lists().map(|(number, list)| write(target, number, list)).collect(),
            differ: differ.map(|(number, list)| differ_sql(target, number, list)).collect(),
            touch,
        }
    }

    /// False where no list goes into a join table.
    pub(super) fn are_any(&self) -> bool {
        !self.write.is_empty()
    }

    /// Writes the lists of the staged records, whose own outcomes `outcome` has; answers how many of them
    /// changed that were left as they were.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        now: DateTime<Utc>,
        outcome: &mut ChunkOutcome,
    ) -> Result<u64, StoreError> {
        let action = "write the lists of a chunk";
        let changed: BTreeSet<i32> =
            outcome.changed.iter().filter_map(|(record, _)| i32::try_from(*record).ok()).collect();
        // Who is not newer keeps its lists, too.
        let only: Option<Vec<i32>> =
            (!self.differ.is_empty()).then(|| changed.iter().copied().collect());
        let mut touched = BTreeSet::new();
        sqlx::query(HASH_ROOM).execute(&mut *connection).await.context(action)?;
        for write in &self.write {
            let found: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(write.clone()))
                .bind(now)
                .bind(&only)
                .fetch_all(&mut *connection)
                .await
                .context(action)?;
            touched.extend(found);
        }
        for differ in &self.differ {
            let found: Vec<i32> = sqlx::query_scalar(AssertSqlSafe(differ.clone()))
                .fetch_all(&mut *connection)
                .await
                .context("find the rows that are not newer")?;
            let found = found.into_iter().filter_map(|record| usize::try_from(record).ok());
            outcome.not_newer.extend(found);
        }
        let touched: Vec<i32> = touched.difference(&changed).copied().collect();
        if let Some(touch) = self.touch.as_ref().filter(|_| !touched.is_empty()) {
            sqlx::query(AssertSqlSafe(touch.clone()))
                .bind(now)
                .bind(&touched)
                .execute(&mut *connection)
                .await
                .context(action)?;
        }
        let records = touched.iter().filter_map(|record| usize::try_from(*record).ok());
        outcome.changed.extend(records.map(|record| (record, RowEventKind::Updated)));
        Ok(touched.len() as u64)
    }
}

/// `said`: the staged records that say which items they have, each with its id in the table. `wanted`: the
/// items. No part of it joins two sets whose sizes the planner does not know.
fn staged(target: &Target, number: usize, condition: &str) -> String {
    let (table, same_key, items) =
        (quoted_table(&target.table), same_key(target), stage_column(number));
    format!(
        "WITH said AS MATERIALIZED (SELECT s.loadbay_record AS record, s.{items} AS items, t.id AS owner \
         FROM loadbay_stage s CROSS JOIN LATERAL (SELECT t.id FROM {table} t WHERE {same_key} LIMIT 1) t \
         WHERE s.{items} IS NOT NULL{condition}), \
         wanted AS MATERIALIZED (SELECT said.owner, i.item FROM said \
         CROSS JOIN LATERAL unnest(said.items) AS i (item))"
    )
}

fn write(target: &Target, number: usize, list: &ListTarget) -> String {
    let only = " AND ($2::int[] IS NULL OR s.loadbay_record IN (SELECT unnest($2::int[])))";
    let staged = staged(target, number, only);
    let (table, owner, item) = (quoted_table(&list.table), quoted(&list.owner), quoted(&list.item));
    let (times, now) = times_sql(&list.times, "$1");
    format!(
        "{staged}, gone AS (DELETE FROM {table} j WHERE j.{owner} = ANY (ARRAY(SELECT owner FROM said)) \
         AND (j.{owner}, j.{item}) NOT IN (SELECT owner, item FROM wanted) RETURNING j.{owner} AS owner), \
         added AS (INSERT INTO {table} ({owner}, {item}{times}) SELECT owner, item{now} FROM wanted \
         WHERE $1::timestamptz IS NOT NULL \
         ON CONFLICT ({owner}, {item}) DO NOTHING RETURNING {owner} AS owner) \
         SELECT record FROM said WHERE owner IN (SELECT owner FROM gone UNION ALL SELECT owner FROM added)"
    )
}

fn differ_sql(target: &Target, number: usize, list: &ListTarget) -> String {
    let staged = staged(target, number, "");
    let (table, owner, item) = (quoted_table(&list.table), quoted(&list.owner), quoted(&list.item));
    format!(
        "{staged}, held AS MATERIALIZED (SELECT j.{owner} AS owner, j.{item} AS item FROM {table} j \
         WHERE j.{owner} = ANY (ARRAY(SELECT owner FROM said))) \
         SELECT record FROM said WHERE owner IN (SELECT h.owner FROM held h \
         WHERE (h.owner, h.item) NOT IN (SELECT owner, item FROM wanted)) \
         OR owner IN (SELECT w.owner FROM wanted w \
         WHERE (w.owner, w.item) NOT IN (SELECT owner, item FROM held WHERE item IS NOT NULL))"
    )
}

fn touch(target: &Target) -> String {
    let first_key = target.key.first().map_or_else(String::new, |key| target.field(*key));
    format!(
        "UPDATE {} AS t SET updated_at = $1 FROM loadbay_stage s \
         WHERE t.{first_key} = ANY (ARRAY(SELECT {first_key} FROM loadbay_stage \
         WHERE loadbay_record = ANY ($2))) AND {} AND s.loadbay_record = ANY ($2)",
        quoted_table(&target.table),
        same_key(target)
    )
}
