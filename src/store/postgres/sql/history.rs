//! The statements of histories: tables that keep the old values of chosen columns.

use crate::store::chunk::target::{HistoryTarget, Target, list, quoted, quoted_table, times_sql};

/// Columns of the histories, quoted, each once.
pub(in crate::store::postgres) fn history_columns(target: &Target) -> Vec<String> {
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
pub(in crate::store::postgres) fn history(history: &HistoryTarget) -> String {
    let (table, owner) = (quoted_table(&history.table), quoted(&history.owner));
    let columns: Vec<String> = history.columns.iter().map(|(c, _)| quoted(c)).collect();
    let stored = list(columns.iter().map(|column| format!("h.{column}")));
    let given = list(columns.iter().map(|column| format!("c.{column}")));
    let names = columns.join(", ");
    let (times, now) = times_sql(&history.times, "$1");
    format!(
        "WITH archived AS (UPDATE {table} h SET archived_at = $1 FROM loadbay_changed c \
         WHERE h.{owner} = ANY (ARRAY(SELECT id FROM loadbay_changed)) \
         AND h.{owner} = c.id AND h.archived_at IS NULL \
         AND ({stored}) IS DISTINCT FROM ({given}) RETURNING h.{owner} AS owner) \
         INSERT INTO {table} ({owner}, {names}{times}) \
         SELECT c.id, {given}{now} FROM loadbay_changed c \
         WHERE (c.id IN (SELECT owner FROM archived) OR (SELECT true FROM {table} h \
         WHERE h.{owner} = c.id AND h.archived_at IS NULL LIMIT 1) IS NULL) AND ({})",
        any_value(history, "c.")
    )
}

pub(super) fn any_value(history: &HistoryTarget, prefix: &str) -> String {
    history
        .columns
        .iter()
        .map(|(column, _)| format!("{prefix}{} IS NOT NULL", quoted(column)))
        .collect::<Vec<_>>()
        .join(" OR ")
}
