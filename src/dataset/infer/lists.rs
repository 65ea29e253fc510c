//! Lists of a proposal: the join tables between a table and those of its items.

use super::naming::{named_by, same};
use super::words::word;
use super::{ProposedColumn, ProposedJoin, ProposedReference};
use crate::dataset::column::OWN_TIMES;
use crate::dataset::shape::{Family, FieldShape, JoinDetails, TableDetails, TableKind};
use crate::dataset::table_name::TableName;

/// A column for each join table that lists can go into. `max_digits` is how many digits of a decimal the
/// database keeps: SQLite, which keeps few, knows a row by its number.
pub(super) fn columns(details: &TableDetails, max_digits: u8) -> Vec<ProposedColumn> {
    let is_usable = |id: &&FieldShape| id.has_default && (max_digits > 15 || id.is_integer());
    let Some(id) = details.shape.column("id").filter(is_usable) else { return Vec::new() };
    details.joins.iter().filter_map(|join| column(details, join, id)).collect()
}

/// What a person should know of a list.
pub(super) fn note(column: &ProposedColumn) -> Option<String> {
    let join = column.join.as_ref()?;
    Some(format!(
        "`{}` is a list in the join table `{}`: a file that has the column inserts and deletes rows there. \
         Take the column out if the lists are not to change.",
        column.name, join.table
    ))
}

fn column(details: &TableDetails, join: &JoinDetails, id: &FieldShape) -> Option<ProposedColumn> {
    let JoinDetails { shape, owner, item } = join;
    let [owner_column] = owner.columns.as_slice() else { return None };
    let [item_column] = item.columns.as_slice() else { return None };
    let items = details.referenced.get(&item.table)?;
    let key = item.referenced.first().and_then(|key| items.column(key))?;
    let (name, also) = named_by(details, item)?;
    let is_plain = matches!(shape.kind, TableKind::Table | TableKind::WithoutRowid);
    let pair = [owner_column.clone(), item_column.clone()];
    let is_filled = |field: &FieldShape| {
        let is_own = OWN_TIMES.contains(&field.name.as_str()) || pair.contains(&field.name);
        is_own || !field.needs_value()
    };
    let fits = is_plain
        && also.is_empty()
        && owner.referenced.iter().all(|column| *column == id.name)
        && holds(shape.column(owner_column)?, id)
        && holds(shape.column(item_column)?, key)
        && shape.unique.iter().any(|set| same(set, &pair))
        && shape.columns.iter().all(is_filled);
    let reference = ProposedReference {
        table: item.table.clone(),
        match_column: name.name.clone(),
        key: key.name.clone(),
        with: Vec::new(),
    };
    let [owner, item] = pair;
    fits.then(|| ProposedColumn {
        name: word(&TableName::of(&reference.table).name),
        kind: "list".to_owned(),
        join: Some(ProposedJoin { table: shape.table.clone(), owner, item, reference }),
        ..ProposedColumn::default()
    })
}

/// A column can hold what the other does.
fn holds(field: &FieldShape, other: &FieldShape) -> bool {
    let families = [field.family(), other.family()];
    !field.is_generated && (families[0] == families[1] || families.contains(&Family::Any))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::infer_from_table;
    use crate::dataset::shape::{ForeignKey, TableShape};

    fn field(name: &str, sql_type: &str, has_default: bool) -> FieldShape {
        let (name, sql_type) = (name.to_owned(), sql_type.to_owned());
        FieldShape { name, sql_type, has_default, ..FieldShape::default() }
    }

    fn table(name: &str, columns: Vec<FieldShape>, unique: &[&[&str]]) -> TableShape {
        let set = |set: &&[&str]| set.iter().map(|it| (*it).to_owned()).collect();
        let unique = unique.iter().map(set).collect();
        TableShape { table: name.to_owned(), columns, unique, ..TableShape::default() }
    }

    fn foreign(column: &str, table: &str) -> ForeignKey {
        let (columns, referenced) = (vec![column.to_owned()], vec!["id".to_owned()]);
        ForeignKey { columns, table: table.to_owned(), referenced }
    }

    /// Products with tags.
    fn products() -> TableDetails {
        let numbered = |name: &str, text: &str| {
            let columns = vec![field("id", "int8", true), field(text, "varchar", false)];
            table(name, columns, &[&[text], &["id"]])
        };
        let between = vec![field("product_id", "int8", false), field("tag_id", "int8", false)];
        TableDetails {
            shape: numbered("products", "sku"),
            referenced: [("tags".to_owned(), numbered("tags", "name"))].into(),
            joins: vec![JoinDetails {
                shape: table("product_tags", between, &[&["tag_id", "product_id"]]),
                owner: foreign("product_id", "products"),
                item: foreign("tag_id", "tags"),
            }],
            ..TableDetails::default()
        }
    }

    fn text(details: &TableDetails) -> String {
        infer_from_table(details, None, None, 18).unwrap().to_toml().unwrap()
    }

    #[test]
    fn a_join_table_becomes_a_list() {
        let text = text(&products());
        for line in [
            "# `tags` is a list in the join table `product_tags`: a file that has the column inserts",
            "name       = \"tags\"\ntitle      = \"Tags\"\ntype       = \"list\"\n",
            "into       = { table = \"product_tags\", owner = \"product_id\", item = \"tag_id\", \
             references = { table = \"tags\", match = \"name\" } }",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_list_has_a_name_of_its_own() {
        let mut details = products();
        let tags = FieldShape { nullable: true, ..field("tags", "varchar", false) };
        details.shape.columns.push(tags);
        let text = text(&details);
        assert!(
            text.contains("\"tags_2\"\ntitle      = \"Tags 2\"\ntype       = \"list\""),
            "{text}"
        );
        assert!(text.contains("# `tags_2` is a list"), "{text}");
    }

    #[test]
    fn other_tables_become_none() {
        type Change = fn(&mut TableDetails);
        let changes: [(&str, Change); 7] = [
            ("not unique together", |it| it.joins[0].shape.unique.clear()),
            ("a column that nothing fills", |it| {
                it.joins[0].shape.columns.push(field("place", "int4", false));
            }),
            ("a view", |it| it.joins[0].shape.kind = TableKind::View),
            ("another key of the table", |it| it.joins[0].owner.referenced = vec!["sku".into()]),
            ("items without names", |it| {
                it.referenced.values_mut().for_each(|items| items.unique.truncate(0));
            }),
            ("another type", |it| it.joins[0].shape.columns[1].sql_type = "varchar".into()),
            ("an id that nothing fills", |it| it.shape.columns[0].has_default = false),
        ];
        for (what, change) in changes {
            let mut details = products();
            change(&mut details);
            assert!(columns(&details, 18).is_empty(), "{what}");
        }
        let mut details = products();
        for time in OWN_TIMES {
            details.joins[0].shape.columns.push(field(time, "timestamptz", false));
        }
        assert_eq!(columns(&details, 18).len(), 1);
    }
}
