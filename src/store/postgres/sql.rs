//! The SQL of a target, written once a job. Names come from checked definitions and are quoted;
//! values are only ever bound or copied.
//!
//! The planner knows nothing of the stage. Left alone it would read a whole large table to join it
//! with a chunk; so tables are reached by `LIMIT` in a lateral or scalar subquery, or by `= ANY` of
//! an array, all of which probe an index for each row whatever the statistics say.

use std::fmt::Write as _;

use crate::dataset::model::ColumnType;
use crate::domain::options::Mode;
use crate::store::target::{HistoryTarget, Target, list, quoted};

/// The statements of a target.
#[derive(Debug)]
pub(super) struct Statements {
    /// Creates the session's temporary tables.
    pub(super) prepare: Vec<String>,
    /// Copies records into the stage.
    pub(super) copy: String,
    /// Merges the stage into the table.
    pub(super) merge: Merge,
    /// The same, and says which records were created and which updated.
    pub(super) merge_telling: Merge,
    /// For modes that refuse rows: the record indexes that the merge will not take.
    pub(super) refuse: Option<String>,
    /// The staged records whose key is not in the table after the merge.
    pub(super) left_out: String,
    /// True when the table has triggers of its owner's. No parameters.
    pub(super) has_triggers: String,
    /// One for each history, to be run when records were updated. Parameter: now.
    pub(super) histories: Vec<String>,
}

/// A merge in two shapes. Parameter: now. Columns: created, updated, and arrays of the records'
/// indexes, which are null unless they are asked for: `created_records`, `updated_records`.
#[derive(Debug)]
pub(super) struct Merge {
    pub(super) plain: String,
    /// For chunks of which most records are in the table already: those that are the same are left
    /// out before they are locked.
    pub(super) known: String,
}

impl Merge {
    fn new(names: &Names<'_>, telling: bool) -> Self {
        let shape = |known| match names.target.mode {
            Mode::Upsert => names.upsert(known, telling),
            Mode::Insert => names.insert_only(telling),
            Mode::Update => names.update_only(telling),
        };
        Self { plain: shape(false), known: shape(true) }
    }
}

impl Statements {
    pub(super) fn new(target: &Target) -> Self {
        let names = Names::new(target);
        Self {
            prepare: names.temporary_tables(),
            copy: format!(
                "COPY loadbay_stage (loadbay_record, {}) FROM STDIN (FORMAT binary)",
                names.fields
            ),
            merge: Merge::new(&names, false),
            merge_telling: Merge::new(&names, true),
            refuse: names.refuse(),
            left_out: names.left_out(),
            has_triggers: format!(
                "SELECT EXISTS (SELECT 1 FROM pg_trigger WHERE NOT tgisinternal \
                 AND tgrelid = '{}'::regclass)",
                names.table.replace('\'', "''")
            ),
            histories: target.histories.iter().map(history).collect(),
        }
    }
}

/// Pieces of SQL that several statements share. `t` is the table, `s` the stage.
struct Names<'t> {
    target: &'t Target,
    table: String,
    /// All fields.
    fields: String,
    key: String,
    payload: Vec<String>,
    /// Columns of the histories, each once.
    history_columns: Vec<String>,
    /// `t.a = s.a AND …`
    same_key: String,
}

impl<'t> Names<'t> {
    fn new(target: &'t Target) -> Self {
        let key: Vec<String> = target.key.iter().map(|field| target.field(*field)).collect();
        Self {
            target,
            table: quoted(&target.table),
            fields: list((0..target.fields.len()).map(|field| target.field(field))),
            same_key: same_key(target),
            key: list(key),
            payload: target.payload().map(|field| target.field(field)).collect(),
            history_columns: history_columns(target),
        }
    }

    fn temporary_tables(&self) -> Vec<String> {
        let columns = self.target.fields.iter().map(|field| {
            let kind = match field.kind {
                _ if field.reference.is_some() => "uuid",
                ColumnType::Text => "text",
                ColumnType::Integer => "bigint",
                ColumnType::Decimal { .. } => "numeric",
                ColumnType::Boolean => "boolean",
                ColumnType::Date => "date",
                ColumnType::DateTime => "timestamptz",
                ColumnType::Json | ColumnType::List => "jsonb",
            };
            format!("{} {kind}", quoted(&field.name))
        });
        let mut tables = vec![format!(
            "CREATE TEMP TABLE loadbay_stage (loadbay_record int, {}) ON COMMIT DELETE ROWS",
            list(columns)
        )];
        if !self.history_columns.is_empty() {
            tables.push(format!(
                "CREATE TEMP TABLE loadbay_changed ON COMMIT DELETE ROWS AS \
                 SELECT id, {} FROM {} WITH NO DATA",
                self.history_columns.join(", "),
                self.table
            ));
        }
        tables
    }

    /// `created_at, updated_at`, as far as the table has them, and a value for each.
    fn own_times(&self) -> (String, String) {
        let mut columns = String::new();
        let mut values = String::new();
        for (has, column) in
            [(self.target.has_created_at, "created_at"), (self.target.has_updated_at, "updated_at")]
        {
            if has {
                columns.push_str(", ");
                columns.push_str(column);
                values.push_str(", $1");
            }
        }
        (columns, values)
    }

    /// `a = new.a, …`
    fn assignments(&self, new: &str, old: &str) -> String {
        let mut set: Vec<String> =
            self.payload.iter().map(|c| format!("{c} = {}", self.new_value(new, old, c))).collect();
        if self.target.has_updated_at {
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
    fn differs(&self, new: &str, old: &str) -> String {
        if self.payload.is_empty() {
            return "false".to_owned();
        }
        let stored = list(self.payload.iter().map(|column| format!("{old}.{column}")));
        let given = list(self.payload.iter().map(|column| self.new_value(new, old, column)));
        format!("({stored}) IS DISTINCT FROM ({given})")
    }

    /// What the histories need to see of the merged records.
    fn returning(&self, telling: bool) -> String {
        let mut columns = String::new();
        if !self.history_columns.is_empty() {
            let history = list(self.history_columns.iter().map(|column| format!("t.{column}")));
            let _infallible = write!(columns, ", t.id, {history}");
        }
        if telling {
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
    fn account(&self, telling: bool) -> String {
        let mut sql = String::new();
        for (number, history) in self.target.histories.iter().enumerate() {
            let columns = list(history.columns.iter().map(|(column, _)| quoted(column)));
            let _infallible = write!(
                sql,
                ", history_{number} AS (INSERT INTO {} ({}, {columns}, created_at) \
                 SELECT id, {columns}, $1 FROM merged WHERE created AND ({}))",
                quoted(&history.table),
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
        if telling {
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

    fn upsert(&self, known: bool, telling: bool) -> String {
        let (time_columns, time_values) = self.own_times();
        let fields =
            list((0..self.target.fields.len()).map(|f| format!("s.{}", self.target.field(f))));
        let source = if known {
            // Without a lock: only to spare the rows that are the same the cost of one. LIMIT keeps
            // it a probe of the key's index for each row.
            let stored: Vec<String> =
                self.payload.iter().map(|column| format!("t.{column}")).collect();
            format!(
                "loadbay_stage s LEFT JOIN LATERAL (SELECT {} FROM {} t WHERE {} LIMIT 1) t ON true \
                 WHERE t.loadbay_known IS NULL OR {}",
                list(std::iter::once("true AS loadbay_known".to_owned()).chain(stored)),
                self.table,
                self.same_key,
                self.differs("s", "t")
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
                self.differs("excluded", "t")
            )
        };
        format!(
            "WITH merged AS (INSERT INTO {} AS t ({}{time_columns}) SELECT {fields}{time_values} \
             FROM {source} ON CONFLICT ({}) {conflict} RETURNING (t.xmax = 0) AS created{}){}",
            self.table,
            self.fields,
            self.key,
            self.returning(telling),
            self.account(telling)
        )
    }

    fn insert_only(&self, telling: bool) -> String {
        let (time_columns, time_values) = self.own_times();
        let fields =
            list((0..self.target.fields.len()).map(|f| format!("s.{}", self.target.field(f))));
        format!(
            "WITH merged AS (INSERT INTO {} AS t ({}{time_columns}) SELECT {fields}{time_values} \
             FROM loadbay_stage s ON CONFLICT ({}) DO NOTHING RETURNING true AS created{}){}",
            self.table,
            self.fields,
            self.key,
            self.returning(telling),
            self.account(telling)
        )
    }

    fn update_only(&self, telling: bool) -> String {
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
            self.returning(telling),
            self.account(telling)
        )
    }

    fn left_out(&self) -> String {
        format!(
            "SELECT loadbay_record FROM loadbay_stage s \
             WHERE (SELECT true FROM {} t WHERE {} LIMIT 1) IS NULL",
            self.table, self.same_key
        )
    }

    /// Locks nothing: a key that another job creates or deletes in between is settled by the merge.
    fn refuse(&self) -> Option<String> {
        let found = match self.target.mode {
            Mode::Upsert => return None,
            Mode::Insert => "IS NOT NULL",
            Mode::Update => "IS NULL",
        };
        Some(format!(
            "DELETE FROM loadbay_stage s WHERE (SELECT true FROM {} t WHERE {} LIMIT 1) {found} \
             RETURNING loadbay_record",
            self.table, self.same_key
        ))
    }
}

/// `t.a = s.a AND …`: the row of the table `t` with the key of `s`.
pub(super) fn same_key(target: &Target) -> String {
    let same = target.key.iter().map(|field| format!("t.{0} = s.{0}", target.field(*field)));
    same.collect::<Vec<_>>().join(" AND ")
}

/// Columns of the histories, quoted, each once.
pub(super) fn history_columns(target: &Target) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for (column, _) in target.histories.iter().flat_map(|history| &history.columns) {
        let column = quoted(column);
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// Archives the current records that are no longer true and adds the new ones, also for
/// records that had none. What the new ones replace is archived first: the test of the first
/// condition runs the update to its end, which the index on current records relies on.
pub(super) fn history(history: &HistoryTarget) -> String {
    let (table, owner) = (quoted(&history.table), quoted(&history.owner));
    let columns: Vec<String> = history.columns.iter().map(|(c, _)| quoted(c)).collect();
    let stored = list(columns.iter().map(|column| format!("h.{column}")));
    let given = list(columns.iter().map(|column| format!("c.{column}")));
    let names = columns.join(", ");
    format!(
        "WITH archived AS (UPDATE {table} h SET archived_at = $1 FROM loadbay_changed c \
         WHERE h.{owner} = ANY (ARRAY(SELECT id FROM loadbay_changed)) \
         AND h.{owner} = c.id AND h.archived_at IS NULL \
         AND ({stored}) IS DISTINCT FROM ({given}) RETURNING h.{owner} AS owner) \
         INSERT INTO {table} ({owner}, {names}, created_at) \
         SELECT c.id, {given}, $1 FROM loadbay_changed c \
         WHERE (c.id IN (SELECT owner FROM archived) OR (SELECT true FROM {table} h \
         WHERE h.{owner} = c.id AND h.archived_at IS NULL LIMIT 1) IS NULL) AND ({})",
        any_value(history, "c.")
    )
}

fn any_value(history: &HistoryTarget, prefix: &str) -> String {
    history
        .columns
        .iter()
        .map(|(column, _)| format!("{prefix}{} IS NOT NULL", quoted(column)))
        .collect::<Vec<_>>()
        .join(" OR ")
}
