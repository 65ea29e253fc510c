//! The SQL that takes rows back, written once a job. As when rows are written, names come from
//! checked definitions, and tables are reached by `LIMIT` in a lateral subquery or by `= ANY` of an
//! array. Not by both: what is left of `loadbay_back` behind its two conditions looks like one row to
//! the planner, so it probes the key's index for each anyway, and would sort the array each time.
//!
//! A chunk of the journal is looked through once, which locks its rows and decides the fate of each;
//! the rows then go back in parts, from one row number to another.

use crate::dataset::model::ColumnType;
use crate::store::chunk::target::{Target, list, quoted};
use crate::store::postgres::sql::{history, history_columns, same_key};
use crate::store::undo::Owned;
use crate::store::undo::skipped::named_fields;

/// Parameters `$1` and `$2`: the first and the last row of the part.
const OF_PART: &str = "loadbay_row BETWEEN $1 AND $2";

/// The statements of an undoer.
#[derive(Debug)]
pub(super) struct RollbackSql {
    /// Creates the session's temporary tables.
    pub(super) prepare: Vec<String>,
    /// Looks the journal of a job through. Parameters: the job that is taken back, first row, last
    /// row. Columns: row number, fate.
    pub(super) look: String,
    /// Deletes the rows of a part that are to be removed, with their histories: one statement, at
    /// the end of which their references are checked. Parameters: the part.
    pub(super) remove: String,
    /// Gives rows their former values; none where the file feeds nothing but the key. Parameters:
    /// the part, now. Column: how many.
    pub(super) put_back: Option<String>,
    /// As of an import. Parameter: now.
    pub(super) histories: Vec<String>,
    /// The texts of rows that are kept. Parameter: row numbers. Columns: row number, an array with
    /// one text for each field.
    pub(super) show: String,
    /// The same of rows that are gone, with their former values.
    pub(super) show_gone: String,
}

impl RollbackSql {
    pub(super) fn new(target: &Target, owned: &Owned) -> Self {
        let (table, same_key) = (quoted(&target.table), same_key(target));
        let of_table =
            |fate: &str| format!("{same_key} AND s.loadbay_fate = '{fate}' AND s.{OF_PART}");
        let forget = |(number, (history, owner)): (usize, &(String, String))| {
            format!(
                "forgotten{number} AS (DELETE FROM {} WHERE {} = ANY (ARRAY(SELECT id \
                 FROM loadbay_back WHERE loadbay_fate = 'remove' AND {OF_PART})))",
                quoted(history),
                quoted(owner)
            )
        };
        let forget = list(owned.histories.iter().enumerate().map(forget));
        let with = if forget.is_empty() { String::new() } else { format!("WITH {forget} ") };
        Self {
            prepare: temporary_tables(target, owned),
            look: look(target, owned),
            remove: format!(
                "{with}DELETE FROM {table} t USING loadbay_back s WHERE {}",
                of_table("remove")
            ),
            put_back: put_back(target, &of_table("back")),
            histories: target.histories.iter().map(history).collect(),
            show: show(target),
            show_gone: show_gone(target),
        }
    }
}

/// The columns of the table that a row is known by and put back with.
fn columns(target: &Target, owned: &Owned) -> Vec<(String, Origin)> {
    let mut columns = Vec::new();
    let is_field = |name: &str| target.fields.iter().any(|field| field.name == name);
    if owned.has_id && !is_field("id") {
        columns.push((quoted("id"), Origin::After));
    }
    columns.extend(target.key.iter().map(|key| (target.field(*key), Origin::After)));
    columns.extend(target.payload().map(|field| (target.field(field), Origin::Before)));
    columns
}

/// Which image of a row a value is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Before,
    After,
}

fn temporary_tables(target: &Target, owned: &Owned) -> Vec<String> {
    let table = quoted(&target.table);
    let columns = list(columns(target, owned).into_iter().map(|(column, _)| column));
    let mut tables = vec![
        format!(
            "CREATE TEMP TABLE loadbay_back ON COMMIT DELETE ROWS AS \
             SELECT 0::bigint AS loadbay_row, ''::text AS loadbay_fate, {columns} FROM {table} \
             WITH NO DATA"
        ),
        // A part may be a single row: it must not cost a look at all the others.
        "CREATE INDEX ON loadbay_back (loadbay_row)".to_owned(),
    ];
    let of_histories = history_columns(target);
    if !of_histories.is_empty() {
        tables.push(format!(
            "CREATE TEMP TABLE loadbay_changed ON COMMIT DELETE ROWS AS \
             SELECT id, {} FROM {table} WITH NO DATA",
            of_histories.join(", ")
        ));
    }
    tables
}

/// Locks the rows in the order of their keys, as all who write do. `OFFSET 0` has each image read
/// once and not again for each of its columns.
fn look(target: &Target, owned: &Owned) -> String {
    let table = quoted(&target.table);
    let columns = columns(target, owned);
    let order = target.key.iter().map(|key| {
        let is_text = target.fields.get(*key).is_some_and(|it| it.kind == ColumnType::Text);
        let collation = if is_text { " COLLATE \"C\"" } else { "" };
        format!("(a.a).{}{collation}", target.field(*key))
    });
    let same_key = target.key.iter().map(|key| {
        let key = target.field(*key);
        format!("t.{key} = (x.a).{key}")
    });
    let same = |a: &str, b: &str| {
        let same = target.payload().filter_map(|field| target.fields.get(field)).map(|field| {
            let name = literal(&field.name);
            format!("{a} -> {name} IS NOT DISTINCT FROM {b} -> {name}")
        });
        std::iter::once("true".to_owned()).chain(same).collect::<Vec<_>>().join(" AND ")
    };
    let own_time = if target.has_updated_at { " - 'updated_at'" } else { "" };
    let same_id = if owned.has_id { "c.image -> 'id' = x.after -> 'id'" } else { "true" };
    format!(
        "INSERT INTO loadbay_back (loadbay_row, loadbay_fate, {}) \
         SELECT x.row_number, CASE WHEN c.image IS NULL THEN \
         CASE WHEN x.created THEN 'same' ELSE 'gone' END WHEN x.created THEN \
         CASE WHEN c.image{own_time} = x.after{own_time} THEN 'remove' ELSE 'kept' END \
         WHEN {} THEN 'same' WHEN {same_id} AND {} THEN 'back' ELSE 'kept' END, {} \
         FROM (SELECT u.row_number, u.created, u.after_row::jsonb AS after, \
         u.before_row::jsonb AS before, a.a, b.b FROM import_undo u \
         CROSS JOIN LATERAL (SELECT json_populate_record(NULL::{table}, u.after_row::json) AS a \
         OFFSET 0) a \
         CROSS JOIN LATERAL (SELECT json_populate_record(NULL::{table}, \
         coalesce(u.before_row, u.after_row)::json) AS b OFFSET 0) b \
         WHERE u.import_log_id = $1 AND u.row_number BETWEEN $2 AND $3 ORDER BY {}) x \
         LEFT JOIN LATERAL (SELECT to_jsonb(t.*) AS image FROM {table} t WHERE {} LIMIT 1 \
         FOR UPDATE) c ON true RETURNING loadbay_row, loadbay_fate",
        list(columns.iter().map(|(column, _)| column.clone())),
        same("c.image", "x.before"),
        same("c.image", "x.after"),
        list(columns.iter().map(|(column, origin)| match origin {
            Origin::After => format!("(x.a).{column}"),
            Origin::Before => format!("(x.b).{column}"),
        })),
        list(order),
        same_key.collect::<Vec<_>>().join(" AND "),
    )
}

fn put_back(target: &Target, of_table: &str) -> Option<String> {
    let mut set: Vec<String> =
        target.payload().map(|field| format!("{0} = s.{0}", target.field(field))).collect();
    if set.is_empty() {
        return None;
    }
    if target.has_updated_at {
        set.push("updated_at = $3".to_owned());
    }
    let of_histories = history_columns(target);
    let (returned, changed) = if of_histories.is_empty() {
        ("true".to_owned(), String::new())
    } else {
        let columns = of_histories.join(", ");
        let returned = list(of_histories.iter().map(|column| format!("t.{column}")));
        (
            format!("t.id, {returned}"),
            format!(
                ", changed AS (INSERT INTO loadbay_changed (id, {columns}) \
                 SELECT id, {columns} FROM back)"
            ),
        )
    };
    Some(format!(
        "WITH back AS (UPDATE {} AS t SET {} FROM loadbay_back s WHERE {of_table} \
         AND $3::timestamptz IS NOT NULL RETURNING {returned}){changed} SELECT count(*) FROM back",
        quoted(&target.table),
        set.join(", "),
    ))
}

fn show(target: &Target) -> String {
    let texts = list(named_fields(target).map(|field| format!("{field}::text")));
    format!(
        "SELECT s.loadbay_row, c.texts FROM loadbay_back s CROSS JOIN LATERAL \
         (SELECT ARRAY[{texts}] AS texts FROM {} t WHERE {} LIMIT 1) c \
         WHERE s.loadbay_row = ANY ($1)",
        quoted(&target.table),
        same_key(target)
    )
}

fn show_gone(target: &Target) -> String {
    let texts = list(named_fields(target).map(|field| format!("{field}::text")));
    format!(
        "SELECT t.loadbay_row, ARRAY[{texts}] FROM loadbay_back t WHERE t.loadbay_row = ANY ($1)"
    )
}

/// A name as a text of SQL.
fn literal(name: &str) -> String {
    format!("'{}'", name.replace('\'', "''"))
}
