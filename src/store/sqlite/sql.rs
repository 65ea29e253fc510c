//! The SQL of a target, written once a job. Names come from checked definitions and are quoted;
//! values are only ever bound.

use crate::store::chunk::target::{HistoryTarget, Target, list, quoted, quoted_table, times_sql};

/// The statements of a target and where their parameters are.
#[derive(Debug)]
pub(super) struct RowSql {
    /// What they were made from.
    pub(super) target: Target,
    /// Parameters: the key. Columns: rowid, the payload fields, then `read_along`.
    pub(super) find: String,
    /// Parameters: all fields, then `now` for each of the table's own times.
    pub(super) insert: String,
    /// Parameters: the payload fields, `now` if the table keeps it, the rowid.
    pub(super) update: Option<String>,
    /// One for each history.
    pub(super) histories: Vec<HistorySql>,
    /// Record values of the payload, in the order of `find` and `update`.
    pub(super) payload: Vec<usize>,
}

/// The statements of a history.
#[derive(Debug)]
pub(super) struct HistorySql {
    /// Parameters: `now`, the owner.
    pub(super) archive: String,
    /// Parameters: `now`, the owner. Takes the values from the dataset's table itself, so that
    /// columns which the file does not feed keep their values; nothing when all are null.
    pub(super) insert: String,
    /// Record values that the history keeps.
    pub(super) fed: Vec<usize>,
}

impl RowSql {
    pub(super) fn new(target: Target) -> Self {
        let table = quoted_table(&target.table);
        let payload: Vec<usize> = target.payload().collect();
        let by_key = target
            .key
            .iter()
            .map(|field| format!("{} = ?", target.field(*field)))
            .collect::<Vec<_>>()
            .join(" AND ");
        let selected = list(
            std::iter::once("rowid".to_owned()).chain(payload.iter().map(|f| target.field(*f))),
        );
        let mut inserted: Vec<String> =
            (0..target.fields.len()).map(|field| target.field(field)).collect();
        inserted.extend(target.times.iter().map(|name| (*name).to_owned()));
        let mark =
            |index: usize| match target.fields.get(index).and_then(|it| it.default_sql.as_ref()) {
                // A column that takes no NULL: nothing means its default.
                Some(default) => format!("coalesce(?, ({default}))"),
                None => "?".to_owned(),
            };
        let marks = list((0..inserted.len()).map(mark));
        let mut set: Vec<String> = payload
            .iter()
            .map(|field| {
                let name = target.field(*field);
                if target.keep_blank {
                    format!("{name} = coalesce(?, {name})")
                } else {
                    format!("{name} = ?")
                }
            })
            .collect();
        let update = (!set.is_empty()).then(|| {
            if target.has_updated_at() {
                set.push(format!("{} = ?", quoted("updated_at")));
            }
            format!("UPDATE {table} SET {} WHERE rowid = ?", list(set))
        });
        Self {
            find: format!("SELECT {selected} FROM {table} WHERE {by_key}"),
            insert: format!("INSERT INTO {table} ({}) VALUES ({marks})", list(inserted)),
            update,
            histories: target.histories.iter().map(|h| HistorySql::new(&table, h)).collect(),
            payload,
            target,
        }
    }
}

impl HistorySql {
    fn new(table: &str, history: &HistoryTarget) -> Self {
        let (name, owner) = (quoted_table(&history.table), quoted(&history.owner));
        let columns = list(history.columns.iter().map(|(column, _)| quoted(column)));
        let any = history
            .columns
            .iter()
            .map(|(column, _)| format!("{} IS NOT NULL", quoted(column)))
            .collect::<Vec<_>>()
            .join(" OR ");
        let (times, now) = times_sql(&history.times, "?1");
        Self {
            archive: format!(
                "UPDATE {name} SET archived_at = ? WHERE {owner} = ? AND archived_at IS NULL"
            ),
            insert: format!(
                "INSERT INTO {name} ({owner}, {columns}{times}) \
                 SELECT id, {columns}{now} FROM {table} WHERE id = ?2 AND ({any})"
            ),
            fed: history.columns.iter().filter_map(|(_, fed)| *fed).collect(),
        }
    }
}
