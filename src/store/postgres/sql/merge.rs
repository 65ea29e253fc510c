//! The statement that merges the stage into the table, for each mode: one round trip brings the
//! rows, the first records of their histories, and what became of them.

use std::fmt::Write as _;

use super::SqlParts;
use super::history::any_value;
use crate::domain::options::Mode;
use crate::store::chunk::target::{list, quoted, quoted_table, times_sql};

/// A merge in two shapes. Parameter: now. Columns: created, updated, and arrays of the records'
/// indexes, which are null unless they are asked for: `created_records`, `updated_records`.
#[derive(Debug)]
pub(in crate::store::postgres) struct MergeSql {
    pub(in crate::store::postgres) plain: String,
    /// For chunks of which most records are in the table already: those that are the same are left
    /// out before they are locked.
    pub(in crate::store::postgres) known: String,
}

impl MergeSql {
    pub(super) fn new(names: &SqlParts<'_>, returns_rows: bool) -> Self {
        let shape = |known| match names.target.mode {
            Mode::Upsert | Mode::Newer | Mode::Mirror => names.upsert(known, returns_rows),
            Mode::Insert => names.insert_only(returns_rows),
            Mode::Update => names.update_only(returns_rows),
        };
        Self { plain: shape(false), known: shape(true) }
    }
}

impl SqlParts<'_> {
    /// `a = new.a, …`
    fn assignments(&self, new: &str, old: &str) -> String {
        let mut set: Vec<String> =
            self.payload.iter().map(|c| format!("{c} = {}", self.new_value(new, old, c))).collect();
        if self.target.has_updated_at() {
            set.push("updated_at = $1".to_owned());
        }
        set.join(", ")
    }

    fn new_value(&self, new: &str, old: &str, column: &str) -> String {
        if self.target.keep_blank {
            format!("coalesce({new}.{column}, {old}.{column})")
        } else {
            format!("{new}.{column}")
        }
    }

    /// True of records whose stored values are not those of the file.
    pub(super) fn differs(&self, new: &str, old: &str) -> String {
        if self.payload.is_empty() {
            return "false".to_owned();
        }
        let stored = list(self.payload.iter().map(|column| format!("{old}.{column}")));
        let given = list(self.payload.iter().map(|column| self.new_value(new, old, column)));
        format!("({stored}) IS DISTINCT FROM ({given})")
    }

    /// True of records that are written: they differ and, where the mode asks for it, are newer.
    fn is_taken(&self, new: &str, old: &str) -> String {
        let differs = self.differs(new, old);
        let Some(version) = self.target.version.map(|field| self.target.field(field)) else {
            return differs;
        };
        format!(
            "{differs} AND ({new}.{version} > {old}.{version} \
             OR ({old}.{version} IS NULL AND {new}.{version} IS NOT NULL))"
        )
    }

    /// What the histories need to see of the merged records.
    fn returning(&self, returns_rows: bool) -> String {
        let mut columns = String::new();
        if !self.history_columns.is_empty() {
            let history = list(self.history_columns.iter().map(|column| format!("t.{column}")));
            let _infallible = write!(columns, ", t.id, {history}");
        }
        if returns_rows {
            for (number, key) in self.key_fields().enumerate() {
                let _infallible = write!(columns, ", t.{key} AS loadbay_key_{number}");
            }
        }
        columns
    }

    fn key_fields(&self) -> impl Iterator<Item = String> {
        self.target.key.iter().map(|field| self.target.field(*field))
    }

    /// The end of a merge: first records of the histories, notes for the second ones, counts.
    fn ledger(&self, returns_rows: bool) -> String {
        let mut sql = String::new();
        for (number, history) in self.target.histories.iter().enumerate() {
            let columns = list(history.columns.iter().map(|(column, _)| quoted(column)));
            let (times, now) = times_sql(&history.times, "$1");
            let _infallible = write!(
                sql,
                ", history_{number} AS (INSERT INTO {} ({}, {columns}{times}) \
                 SELECT id, {columns}{now} FROM merged WHERE created AND ({}))",
                quoted_table(&history.table),
                quoted(&history.owner),
                any_value(history, "")
            );
        }
        if !self.history_columns.is_empty() {
            let columns = self.history_columns.join(", ");
            let _infallible = write!(
                sql,
                ", changed AS (INSERT INTO loadbay_changed (id, {columns}) \
                 SELECT id, {columns} FROM merged WHERE NOT created)"
            );
        }
        sql.push_str(
            " SELECT count(*) FILTER (WHERE merged.created) AS created, \
             count(*) FILTER (WHERE NOT merged.created) AS updated",
        );
        if returns_rows {
            let same_key: Vec<String> = self
                .key_fields()
                .enumerate()
                .map(|(number, key)| format!("s.{key} = merged.loadbay_key_{number}"))
                .collect();
            // Two sets of a chunk's size, of which the planner knows as much: it takes a hash join.
            // LEFT: a trigger may have changed a key.
            let _infallible = write!(
                sql,
                ", array_agg(s.loadbay_record) FILTER (WHERE merged.created AND s.loadbay_record \
                 IS NOT NULL) AS created_records, \
                 array_agg(s.loadbay_record) FILTER (WHERE NOT merged.created AND s.loadbay_record \
                 IS NOT NULL) AS updated_records \
                 FROM merged LEFT JOIN loadbay_stage s ON {}",
                same_key.join(" AND ")
            );
        } else {
            sql.push_str(
                ", NULL::int[] AS created_records, NULL::int[] AS updated_records FROM merged",
            );
        }
        sql
    }

    fn upsert(&self, known: bool, returns_rows: bool) -> String {
        let (time_columns, time_values) = times_sql(&self.target.times, "$1");
        let fields = self.new_values();
        let source = if known {
            // Without a lock: only to spare the rows that are the same the cost of one. LIMIT keeps
            // it a probe of the key's index for each row.
            let stored: Vec<String> =
                self.payload.iter().map(|column| format!("t.{column}")).collect();
            format!(
                "loadbay_stage s LEFT JOIN LATERAL (SELECT {} FROM {} t WHERE {} LIMIT 1) t ON true \
                 WHERE t.loadbay_known IS NULL OR ({})",
                list(std::iter::once("true AS loadbay_known".to_owned()).chain(stored)),
                self.table,
                self.same_key,
                self.is_taken("s", "t")
            )
        } else {
            "loadbay_stage s".to_owned()
        };
        let conflict = if self.payload.is_empty() {
            "DO NOTHING".to_owned()
        } else {
            format!(
                "DO UPDATE SET {} WHERE {}",
                self.assignments("excluded", "t"),
                self.is_taken("excluded", "t")
            )
        };
        format!(
            "WITH merged AS (INSERT INTO {} AS t ({}{time_columns}) SELECT {fields}{time_values} \
             FROM {source} ON CONFLICT ({}) {conflict} RETURNING (t.xmax = 0) AS created{}){}",
            self.table,
            self.fields,
            self.key,
            self.returning(returns_rows),
            self.ledger(returns_rows)
        )
    }

    fn insert_only(&self, returns_rows: bool) -> String {
        let (time_columns, time_values) = times_sql(&self.target.times, "$1");
        let fields = self.new_values();
        format!(
            "WITH merged AS (INSERT INTO {} AS t ({}{time_columns}) SELECT {fields}{time_values} \
             FROM loadbay_stage s ON CONFLICT ({}) DO NOTHING RETURNING true AS created{}){}",
            self.table,
            self.fields,
            self.key,
            self.returning(returns_rows),
            self.ledger(returns_rows)
        )
    }

    fn update_only(&self, returns_rows: bool) -> String {
        let set = self.assignments("s", "t");
        if set.is_empty() {
            return "SELECT 0::bigint AS created, 0::bigint AS updated, NULL::int[] AS created_records, \
                    NULL::int[] AS updated_records WHERE $1::timestamptz IS NOT NULL"
                .to_owned();
        }
        let first_key = self.target.key.first().map_or_else(String::new, |f| self.target.field(*f));
        format!(
            "WITH merged AS (UPDATE {} AS t SET {set} FROM loadbay_stage s \
             WHERE t.{first_key} = ANY (ARRAY(SELECT {first_key} FROM loadbay_stage)) \
             AND {} AND {} RETURNING false AS created{}){}",
            self.table,
            self.same_key,
            self.differs("s", "t"),
            self.returning(returns_rows),
            self.ledger(returns_rows)
        )
    }
}
