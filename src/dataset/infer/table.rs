//! A proposal from a table of the database.

use super::lists;
use super::naming::{named_by, same};
use super::words::{add_aliases, word};
use super::{Proposal, ProposalFault, ProposedColumn, ProposedPart, ProposedReference};
use crate::dataset::column::OWN_FIELDS;
use crate::dataset::names::{singular, title_of};
use crate::dataset::shape::{Family, FieldShape, ForeignKey, TableDetails, TableShape};
use crate::dataset::table_name::TableName;

/// Proposes a definition for the table. `key` are the columns of the table that tell its records
/// apart, where several sets do; `max_digits` is how many digits of a decimal the database keeps.
///
/// # Errors
/// Why the table has no definition.
pub fn infer_from_table(
    details: &TableDetails,
    name: Option<&str>,
    key: Option<&[String]>,
    max_digits: u8,
) -> Result<Proposal, ProposalFault> {
    let shape = &details.shape;
    if let Some(why) = shape.kind.fault() {
        return Err(ProposalFault::NoTable { table: shape.table.clone(), why: why.to_owned() });
    }
    let key = chosen_key(shape, key)?;
    let bare = TableName::of(&shape.table).name;
    let mut proposal = Proposal {
        name: name.map_or_else(|| word(&bare), str::to_owned),
        title: title_of(&word(&bare)),
        table: shape.table.clone(),
        ..Proposal::default()
    };
    for field in &shape.columns {
        if is_left_out(field, &key) {
            continue;
        }
        match column(details, field, &key, max_digits, &mut proposal.notes) {
            Some(column) => proposal.columns.push(column),
            None if !field.needs_value() => proposal.notes.push(format!(
                "The column `{}` is left out: no type of a dataset fits `{}`.",
                field.name, field.sql_type
            )),
            None => {
                return Err(ProposalFault::Unfed {
                    table: shape.table.clone(),
                    column: field.name.clone(),
                    sql_type: field.sql_type.clone(),
                });
            }
        }
    }
    proposal.columns.extend(lists::columns(details, max_digits));
    own_names(&mut proposal.columns);
    add_parts(&mut proposal.columns, details);
    proposal.notes.extend(proposal.columns.iter().filter_map(lists::note));
    let is_key = |column: &&ProposedColumn| {
        column.join.is_none() && key.contains(column.field.as_ref().unwrap_or(&column.name))
    };
    proposal.key = proposal.columns.iter().filter(is_key).map(|it| it.name.clone()).collect();
    add_aliases(&mut proposal, &singular(&word(&bare)));
    Ok(proposal)
}

/// What the database or Loadbay fills by itself.
fn is_left_out(field: &FieldShape, key: &[String]) -> bool {
    let is_own = OWN_FIELDS.contains(&field.name.as_str());
    is_own || field.is_generated || (field.is_counted() && !key.contains(&field.name))
}

/// The sets of columns by which files could name the records of a table.
#[must_use]
pub fn key_choices(shape: &TableShape) -> Vec<Vec<String>> {
    // A number that the database counts is in no supplier's file.
    let is_fed = |name: &String| {
        let counted = shape.column(name).is_some_and(|it| it.is_counted() || it.is_generated);
        !counted && !OWN_FIELDS.contains(&name.as_str())
    };
    let mut sets = unique_sets(shape);
    sets.retain(|set| set.iter().all(is_fed));
    sets.into_iter().cloned().collect()
}

/// The unique sets of columns, each once.
fn unique_sets(shape: &TableShape) -> Vec<&Vec<String>> {
    let mut sets: Vec<&Vec<String>> = Vec::new();
    for set in &shape.unique {
        if !sets.iter().any(|known| same(known, set)) {
            sets.push(set);
        }
    }
    sets
}

/// The columns of the key.
fn chosen_key(shape: &TableShape, asked: Option<&[String]>) -> Result<Vec<String>, ProposalFault> {
    let table = shape.table.clone();
    if let Some(asked) = asked {
        let sets = unique_sets(shape);
        let key = asked.join(",");
        let bad = |why: String| ProposalFault::BadKey { key: key.clone(), why };
        if let Some(unknown) = asked.iter().find(|name| shape.column(name).is_none()) {
            return Err(bad(format!("table `{table}` has no column `{unknown}`")));
        }
        if !sets.iter().any(|set| same(set, asked)) {
            return Err(bad(format!("no unique index of `{table}` has exactly these columns")));
        }
        if let Some(own) = asked.iter().find(|name| OWN_FIELDS.contains(&name.as_str())) {
            return Err(bad(format!("`{own}` is set by Loadbay or by the database")));
        }
        return Ok(asked.to_vec());
    }
    match key_choices(shape).as_slice() {
        [only] => Ok(only.clone()),
        [] => {
            let index = format!("{}_key", TableName::of(&table).name);
            Err(ProposalFault::NoKey { table, index })
        }
        several => {
            let keys = several.iter().map(|set| set.join(",")).collect();
            Err(ProposalFault::SeveralKeys { table, keys })
        }
    }
}

/// The column for a field; `None` when no type fits.
fn column(
    details: &TableDetails,
    field: &FieldShape,
    key: &[String],
    max_digits: u8,
    notes: &mut Vec<String>,
) -> Option<ProposedColumn> {
    let is_key = key.contains(&field.name);
    let mut column = ProposedColumn {
        name: word(&field.name),
        required: is_key || field.needs_value(),
        ..ProposedColumn::default()
    };
    let alone = |it: &&ForeignKey| it.columns.as_slice() == [field.name.clone()];
    let foreign = details.foreign_keys.iter().find(alone).filter(|_| !is_key);
    if let Some((foreign, (match_column, also))) =
        foreign.and_then(|it| Some((it, named_by(details, it)?)))
    {
        // Their columns get their names when all others have theirs.
        let part = |other: &&FieldShape| ProposedPart {
            match_column: other.name.clone(),
            column: String::new(),
        };
        let with = also.iter().map(part).collect();
        let (key, table) = (foreign.referenced.first()?.clone(), foreign.table.clone());
        column.max_length = match_column.max_length;
        column.reference =
            Some(ProposedReference { table, match_column: match_column.name.clone(), key, with });
        if let Some(short) = column.name.strip_suffix("_id") {
            // Files that give the stored text itself call it as the table does.
            if column.reference.as_ref().is_some_and(|it| it.match_column == it.key) {
                column.aliases.push(column.name.replace('_', " "));
            }
            column.name = short.to_owned();
        }
    } else {
        if let Some(foreign) = foreign {
            notes.push(format!(
                "`{}` refers to `{}`, which has no unique text: files give the stored value itself.",
                field.name, foreign.table
            ));
        }
        column.kind = kind(field, max_digits)?;
        if column.kind.is_empty() {
            column.max_length = field.max_length;
            let checked = details.allowed.get(&field.name).unwrap_or(&field.labels);
            column.allowed.clone_from(checked);
        }
    }
    let is_default = match &column.reference {
        Some(_) => field.name == format!("{}_id", column.name),
        None => field.name == column.name,
    };
    column.field = (!is_default).then(|| field.name.clone());
    Some(column)
}

/// Columns for the further parts of names, each behind the column of its reference.
fn add_parts(columns: &mut Vec<ProposedColumn>, details: &TableDetails) {
    let mut names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let all = std::mem::take(columns);
    for mut column in all {
        let (main, required) = (column.name.clone(), column.required);
        let mut parts = Vec::new();
        if let Some(reference) = &mut column.reference {
            let other = details.referenced.get(&reference.table);
            for part in &mut reference.with {
                let mut name = format!("{main}_{}", word(&part.match_column));
                while names.contains(&name) {
                    name.push_str("_name");
                }
                names.push(name.clone());
                part.column.clone_from(&name);
                let field = other.and_then(|other| other.column(&part.match_column));
                parts.push(ProposedColumn {
                    title: title_of(&name),
                    name,
                    required,
                    max_length: field.and_then(|field| field.max_length),
                    ..ProposedColumn::default()
                });
            }
        }
        columns.push(column);
        columns.append(&mut parts);
    }
}

/// The word of the type, empty for text; `None` when none fits.
fn kind(field: &FieldShape, max_digits: u8) -> Option<String> {
    Some(match field.family() {
        Family::Text | Family::Any => String::new(),
        Family::Integer => "integer".to_owned(),
        Family::Decimal => {
            let scale = field.scale.unwrap_or(4).min(u32::from(max_digits));
            let digits = field.precision.unwrap_or(u32::from(max_digits));
            let digits = digits.clamp(scale.max(1), u32::from(max_digits));
            format!("decimal({digits},{scale})")
        }
        // What a float keeps of a decimal: fifteen digits.
        Family::Float if field.sql_type == "float4" => return None,
        Family::Float => {
            let (digits, scale) = (field.precision.unwrap_or(15), field.scale.unwrap_or(4));
            format!("decimal({},{})", digits.clamp(scale.max(1), 15), scale.min(15))
        }
        Family::Boolean => "boolean".to_owned(),
        Family::Date => "date".to_owned(),
        Family::Moment => "datetime".to_owned(),
        Family::Json => "json".to_owned(),
        Family::Uuid | Family::Other => return None,
    })
}

/// No two columns have the same name; a number tells them apart. Titles follow from names.
pub(super) fn own_names(columns: &mut [ProposedColumn]) {
    let mut seen: Vec<String> = Vec::new();
    for column in columns {
        let base = column.name.clone();
        let mut number = 2;
        while seen.contains(&column.name) {
            column.name = format!("{base}_{number}");
            number += 1;
        }
        if column.name != base && column.field.is_none() && column.join.is_none() {
            column.field = Some(match column.reference {
                Some(_) => format!("{base}_id"),
                None => base,
            });
        }
        seen.push(column.name.clone());
        if column.title.is_empty() {
            column.title = title_of(&column.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, sql_type: &str) -> FieldShape {
        FieldShape {
            name: name.to_owned(),
            sql_type: sql_type.to_owned(),
            nullable: true,
            max_length: (sql_type == "varchar").then_some(40),
            ..FieldShape::default()
        }
    }

    /// Products of Northwind, whose names are in mixed case.
    fn northwind() -> TableDetails {
        let mut id = field("ProductID", "int4");
        (id.nullable, id.has_default) = (false, true);
        let mut name = field("ProductName", "varchar");
        name.nullable = false;
        let mut price = field("UnitPrice", "numeric");
        (price.precision, price.scale) = (Some(10), Some(2));
        let columns = vec![
            id,
            name,
            field("SupplierID", "int4"),
            price,
            field("Discontinued", "bool"),
            field("Photo", "bytea"),
            field("state", "varchar"),
        ];
        let suppliers = TableShape {
            table: "Suppliers".to_owned(),
            columns: vec![field("SupplierID", "int4"), field("CompanyName", "varchar")],
            unique: vec![vec!["SupplierID".to_owned()], vec!["CompanyName".to_owned()]],
            ..TableShape::default()
        };
        TableDetails {
            shape: TableShape {
                table: "Products".to_owned(),
                columns,
                unique: vec![vec!["ProductID".to_owned()], vec!["ProductName".to_owned()]],
                ..TableShape::default()
            },
            foreign_keys: vec![ForeignKey {
                columns: vec!["SupplierID".to_owned()],
                table: "Suppliers".to_owned(),
                referenced: vec!["SupplierID".to_owned()],
            }],
            allowed: [("state".to_owned(), vec!["new".to_owned(), "old".to_owned()])].into(),
            referenced: [("Suppliers".to_owned(), suppliers)].into(),
            joins: Vec::new(),
        }
    }

    #[test]
    fn a_table_becomes_a_definition() {
        let proposal = infer_from_table(&northwind(), None, None, 18).unwrap();
        let text = proposal.to_toml().unwrap();
        for line in [
            "# The column `Photo` is left out: no type of a dataset fits `bytea`.",
            "name  = \"products\"",
            "table = \"Products\"",
            "key   = [\"product_name\"]",
            "field      = \"UnitPrice\"\ntype       = \"decimal(10,2)\"",
            "name       = \"supplier\"",
            "references = { table = \"Suppliers\", match = \"CompanyName\", key = \"SupplierID\" }",
            "allowed    = [\"new\", \"old\"]",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn texts_that_are_unique_together_name_a_record() {
        let mut details = northwind();
        let suppliers = details.referenced.get_mut("Suppliers").unwrap();
        suppliers.columns.push(field("Country", "varchar"));
        suppliers.unique[1].push("Country".to_owned());
        let text = infer_from_table(&details, None, None, 18).unwrap().to_toml().unwrap();
        for line in [
            "references = { table = \"Suppliers\", match = [\"CompanyName\", \"Country\"], \
             with = [\"supplier_country\"], key = \"SupplierID\" }",
            "name       = \"supplier_country\"\ntitle      = \"Supplier Country\"",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn several_keys_are_asked_for() {
        let mut details = northwind();
        details.shape.unique.push(vec!["state".to_owned(), "SupplierID".to_owned()]);
        let fault = infer_from_table(&details, None, None, 18).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "`Products` can be told apart by `ProductName` or by `state,SupplierID`; choose with \
             `--key ProductName`"
        );
        let key = ["state".to_owned(), "SupplierID".to_owned()];
        let proposal = infer_from_table(&details, None, Some(&key), 18).unwrap();
        assert_eq!(proposal.key, ["supplier_id", "state"]);
        details.shape.unique.clear();
        let fault = infer_from_table(&details, None, None, 18).unwrap_err();
        assert!(matches!(fault, ProposalFault::NoKey { .. }), "{fault}");
    }
}
