//! `into` of a list column: the join table that its items go into, read and checked against the other keys
//! of the column.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::model::{Column, ColumnType, JoinTable};
use super::names::{Identifier, singular};
use super::reference_keys;
use super::source::{DefinitionFile, Section};
use super::table_name::TableName;

/// The keys of `into`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinKeys {
    table: Option<TableName>,
    owner: Option<Identifier>,
    item: Option<Identifier>,
    // Read on its own, as a section.
    #[serde(rename = "references")]
    _reference: Option<IgnoredAny>,
}

/// Reads `into`. An owner that is left out is filled in by [`complete`].
pub(super) fn read(file: &mut DefinitionFile<'_>, section: &Section<'_, '_>) -> Option<JoinTable> {
    let inner = section.section(file, "into")?;
    let keys: JoinKeys = inner.read(file);
    inner.missing(file, "table", "the join table, such as `product_tags`");
    inner.missing(file, "references", "the table of the items, such as `{ table = \"tags\" }`");
    let reference = reference_keys::read(file, &inner)?;
    if !reference.also.is_empty() {
        let message = "an item of a list is one text; name one column in `match`".to_owned();
        inner.fault(file, "references", message);
    }
    let of_item = || format!("{}_id", singular(&TableName::of(&reference.table).name));
    Some(JoinTable {
        table: keys.table?.to_string(),
        owner: keys.owner.map_or_else(String::new, |owner| owner.0),
        item: keys.item.map_or_else(of_item, |item| item.0),
        reference,
    })
}

/// The place of the items, as the journal and the destination of a job name it.
pub(super) fn field(join: &JoinTable) -> String {
    format!("{}.{}", join.table, join.item)
}

/// The keys of a column that cannot stand beside `into`.
pub(super) fn check(
    file: &mut DefinitionFile<'_>,
    section: &Section<'_, '_>,
    column: &Column,
    has_history: bool,
) {
    if column.join.is_none() {
        return;
    }
    if column.kind != ColumnType::List {
        let message = "is for columns of type list only; set `type = \"list\"`".to_owned();
        section.fault(file, "into", message);
    }
    for (is_there, key, fault) in [
        (section.has("field"), "field", "the items go into the join table; leave `field` out"),
        (section.has("default"), "default", "a list in a join table cannot have a default"),
        (has_history, "history", "a list in a join table cannot have a history"),
        (
            column.sensitive,
            "sensitive",
            "a list in a join table cannot be sensitive: the table of the items shows its names",
        ),
    ] {
        if is_there {
            section.fault(file, key, fault.to_owned());
        }
    }
}

/// Fills in the owners that the definition leaves out, and refuses a join table of two columns.
pub(super) fn complete(
    file: &mut DefinitionFile<'_>,
    table: Option<&str>,
    lists: &mut dyn Iterator<Item = (&mut JoinTable, &Section<'_, '_>)>,
) {
    // Without a table, which is a fault of its own, the owner is never asked for.
    let owner = format!("{}_id", singular(&TableName::of(table.unwrap_or_default()).name));
    let mut seen: Vec<String> = Vec::new();
    for (join, section) in lists {
        if join.owner.is_empty() {
            join.owner.clone_from(&owner);
        }
        let fault = if seen.contains(&join.table) {
            format!("`{}` takes the lists of another column already", join.table)
        } else if table == Some(join.table.as_str()) {
            format!("`{}` is the table of the dataset; a join table is another one", join.table)
        } else if join.owner == join.item {
            format!("`owner` and `item` are both `{}`; they are two columns", join.owner)
        } else {
            seen.push(join.table.clone());
            continue;
        };
        section.fault(file, "into", fault);
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::compile;

    fn text(list: &str) -> String {
        format!(
            "name = 'products'\ntable = 'shop.products'\nkey = ['sku']\n\
             column = [{{ name = 'sku', required = true }}, {{ name = 'tags', {list} }}]"
        )
    }

    #[test]
    fn names_that_are_left_out_follow_from_the_tables() {
        let list =
            "type = 'list', into = { table = 'product_tags', references = { table = 'tags' } }";
        let dataset = compile("d.toml", &text(list)).unwrap().dataset;
        let join = dataset.columns[1].join.as_ref().unwrap();
        assert_eq!((join.owner.as_str(), join.item.as_str()), ("product_id", "tag_id"));
        assert_eq!((join.reference.match_column.as_str(), join.reference.create), ("name", false));
        assert_eq!(dataset.tables(), ["shop.products", "tags", "product_tags"]);
        assert!(!dataset.columns[1].has_field());
    }

    #[test]
    fn what_does_not_go_together_is_said() {
        let into = "into = { table = 'pt', references = { table = 'tags' } }";
        for (list, words) in [
            (into.to_owned(), "is for columns of type list only"),
            (format!("type = 'list', field = 'f', {into}"), "leave `field` out"),
            (format!("type = 'list', default = 'a', {into}"), "cannot have a default"),
            (format!("type = 'list', history = 'h', {into}"), "cannot have a history"),
            (format!("type = 'list', sensitive = true, {into}"), "cannot be sensitive"),
            (
                "type = 'list', into = { references = { table = 'tags' } }".to_owned(),
                "`table`: is missing",
            ),
            ("type = 'list', into = { table = 'pt' }".to_owned(), "`references`: is missing"),
            (
                "type = 'list', into = { table = 'pt', references = { table = 'tags', \
                 match = ['a', 'b'] } }"
                    .to_owned(),
                "name one column in `match`",
            ),
            (
                "type = 'list', into = { table = 'shop.products', references = { table = 't' } }"
                    .to_owned(),
                "is the table of the dataset",
            ),
            (
                "type = 'list', into = { table = 'pt', owner = 'tag_id', \
                 references = { table = 'tags' } }"
                    .to_owned(),
                "they are two columns",
            ),
            (
                format!("type = 'list', {into} }}, {{ name = 'more', type = 'list', {into}"),
                "takes the lists of another column already",
            ),
        ] {
            let faults = compile("d.toml", &text(&list)).expect_err(&list);
            let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert!(said.iter().any(|it| it.contains(words)), "{list}: {said:?}");
        }
    }
}
