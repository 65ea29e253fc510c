//! The lists of rows that are rolled back: their join tables get the items that an image has. Names come
//! from checked definitions and are quoted; values are only ever bound.

use std::collections::HashMap;
use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};

use super::image::Image;
use crate::domain::record::list_cell;
use crate::store::chunk::target::{ListTarget, Target, quoted, quoted_table, times_sql};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::postgres::sql::stage_type;

/// Gives the rows the items that their images have in a list: two statements, and how many rows the second
/// one must insert.
pub(super) fn restore(
    list: &ListTarget,
    backend: DbBackend,
    rows: &[&Image],
) -> (Statement, Statement, u64) {
    let (mut json, mut items) = ("[".to_owned(), 0);
    for (number, row) in rows.iter().enumerate() {
        let keys = row.item_keys(&list.name);
        items += keys.len() as u64;
        let keys = serde_json::to_string(&keys).unwrap_or_default();
        let id = row.get("id").unwrap_or("null");
        let comma = if number == 0 { "" } else { "," };
        // A `String` takes everything.
        let _ = write!(json, "{comma}{{\"id\":{id},\"items\":{keys}}}");
    }
    json.push(']');
    let (table, owner, item) = (quoted_table(&list.table), quoted(&list.owner), quoted(&list.item));
    let (times, now) = times_sql(&list.times, "CURRENT_TIMESTAMP");
    let (delete, insert) = if backend == DbBackend::Sqlite {
        let (items, key) = (quoted_table(&list.reference.table), quoted(&list.reference.key));
        (
            format!(
                "DELETE FROM {table} WHERE {owner} IN \
                 (SELECT json_extract(l.value, '$.id') FROM json_each($1) l)"
            ),
            // An id is a blob whose hexadecimal digits the image has, a number or a text.
            format!(
                "INSERT INTO {table} ({owner}, {item}{times}) \
                 SELECT json_extract(l.value, '$.id'), r.{key}{now} FROM json_each($1) l \
                 CROSS JOIN json_each(l.value, '$.items') i \
                 CROSS JOIN {items} r ON r.{key} = unhex(i.value) OR r.{key} = i.value"
            ),
        )
    } else {
        let text = |name: &str| format!("'{}'", name.replace('\'', "''"));
        let (owner_text, item_text) = (text(&list.owner), text(&list.item));
        (
            format!(
                "DELETE FROM {table} WHERE {owner} IN (SELECT r.{owner} \
                 FROM json_array_elements($1::json) AS l (value) CROSS JOIN LATERAL \
                 json_populate_record(NULL::{table}, json_build_object({owner_text}, l.value -> 'id')) r)"
            ),
            format!(
                "INSERT INTO {table} ({owner}, {item}{times}) SELECT r.{owner}, r.{item}{now} \
                 FROM json_array_elements($1::json) AS l (value) \
                 CROSS JOIN LATERAL json_array_elements_text(l.value -> 'items') AS i (item) \
                 CROSS JOIN LATERAL json_populate_record(NULL::{table}, \
                 json_build_object({owner_text}, l.value -> 'id', {item_text}, i.item)) r"
            ),
        )
    };
    let statement =
        |sql: String| Statement::from_sql_and_values(backend, sql, [json.clone().into()]);
    (statement(delete), statement(insert), items)
}

/// The lists of rows as cells, for each row one of each list that the file feeds.
pub(super) async fn cells(
    transaction: &DatabaseTransaction,
    target: &Target,
    rows: &[Image],
) -> Result<Vec<Vec<String>>, StoreError> {
    let mut cells: Vec<Vec<String>> = rows.iter().map(|_| Vec::new()).collect();
    for list in target.fed_lists() {
        let keys: Vec<Vec<String>> = rows.iter().map(|row| row.item_keys(&list.name)).collect();
        let names = names(transaction, list, &keys.concat()).await?;
        for (cells, keys) in cells.iter_mut().zip(keys) {
            let name = |key: String| names.get(&key).cloned().unwrap_or(key);
            let mut items: Vec<String> = keys.into_iter().map(name).collect();
            items.sort();
            cells.push(list_cell(&items));
        }
    }
    Ok(cells)
}

/// The names of items, by their keys as an image has them.
async fn names(
    transaction: &DatabaseTransaction,
    list: &ListTarget,
    keys: &[String],
) -> Result<HashMap<String, String>, StoreError> {
    let action = "show the rows that a rollback skips";
    let backend = transaction.get_database_backend();
    let reference = &list.reference;
    let (table, key) = (quoted_table(&reference.table), quoted(&reference.key));
    let name = reference.shown_sql("r.");
    let sql = if backend == DbBackend::Sqlite {
        format!(
            "SELECT DISTINCT k.value, {name} FROM json_each($1) k \
             CROSS JOIN {table} r ON r.{key} = unhex(k.value) OR r.{key} = k.value"
        )
    } else {
        let kind = stage_type(reference.key_kind);
        format!(
            "SELECT r.{key}::text, {name} FROM {table} r WHERE r.{key} = ANY (ARRAY(\
             SELECT k.value::{kind} FROM json_array_elements_text($1::json) AS k (value)))"
        )
    };
    let keys = serde_json::to_string(keys).unwrap_or_default();
    let ask = Statement::from_sql_and_values(backend, sql, [keys.into()]);
    let rows = transaction.query_all_raw(ask).await.context(action)?;
    let pair = |row: &sea_orm::QueryResult| -> Result<(String, String), sea_orm::DbErr> {
        let name: Option<String> = row.try_get_by_index(1)?;
        Ok((row.try_get_by_index(0)?, name.unwrap_or_default()))
    };
    rows.iter().map(pair).collect::<Result<_, _>>().context(action)
}
