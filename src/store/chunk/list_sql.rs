//! The lists of a record in SQL: what an image of its row has of them, and what a file does. Names come from
//! checked definitions and are quoted.

use sea_orm::DbBackend;

use crate::dataset::model::JoinTable;
use crate::store::chunk::target::{ListTarget, Target, quoted, quoted_table};

/// The keys of the items of the row `t`, sorted, as the text of a JSON array; of a blob its hexadecimal
/// digits.
fn item_keys(list: &ListTarget, backend: DbBackend) -> String {
    let (table, owner) = (quoted_table(&list.table), quoted(&list.owner));
    let item = format!("j.{}", quoted(&list.item));
    match backend {
        DbBackend::Sqlite => format!(
            "(SELECT json_group_array(i.item) FROM (SELECT CASE typeof({item}) WHEN 'blob' \
             THEN hex({item}) ELSE CAST({item} AS text) END AS item FROM {table} j \
             WHERE j.{owner} = t.id ORDER BY 1) AS i)"
        ),
        _ => format!(
            "(SELECT coalesce(json_agg({item}::text ORDER BY {item}::text COLLATE \"C\"), '[]')::text \
             FROM {table} j WHERE j.{owner} = t.id)"
        ),
    }
}

/// The names of the items of the row `t`, sorted, as a JSON array; on PostgreSQL null for none.
pub(in crate::store) fn item_names(join: &JoinTable, backend: DbBackend) -> String {
    let reference = &join.reference;
    let from = format!(
        "FROM {} j JOIN {} r ON r.{} = j.{} WHERE j.{} = t.id",
        quoted_table(&join.table),
        quoted_table(&reference.table),
        quoted(&reference.key),
        quoted(&join.item),
        quoted(&join.owner)
    );
    let name = format!("CAST(r.{} AS text)", quoted(&reference.match_column));
    match backend {
        DbBackend::Sqlite => format!(
            "(SELECT json_group_array(i.name) FROM (SELECT {name} AS name {from} ORDER BY 1) AS i)"
        ),
        _ => format!("(SELECT json_agg({name} ORDER BY {name} COLLATE \"C\") {from})"),
    }
}

/// What an image of the row `t` has: its columns, and its lists under their names.
pub(in crate::store) fn image_columns(target: &Target, backend: DbBackend) -> String {
    let mut columns = "t.*".to_owned();
    for list in &target.lists {
        columns.push_str(", ");
        columns.push_str(&item_keys(list, backend));
        columns.push_str(" AS ");
        columns.push_str(&quoted(&list.name));
    }
    columns
}

/// The image of the row `t` as JSON, on PostgreSQL.
pub(in crate::store) fn image_json(target: &Target) -> String {
    if target.lists.is_empty() {
        return "row_to_json(t.*)::text".to_owned();
    }
    let columns = image_columns(target, DbBackend::Postgres);
    format!("(SELECT row_to_json(i.*)::text FROM (SELECT {columns}) i)")
}
