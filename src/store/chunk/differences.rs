//! The differences of a dry run: made from the rows of its journal, which its transaction wrote before it
//! was rolled back. Knows no SQL of a database.

use std::collections::{BTreeSet, HashMap};

use crate::dataset::model::{ColumnType, HIDDEN};
use crate::domain::difference::{Difference, DifferenceOutcome, ValueChange};
use crate::domain::record::list_cell;
use crate::domain::row_number::RowNumber;
use crate::store::chunk::target::{ListTarget, Target, TargetField};
use crate::store::rollback::image::Image;

/// A row of the journal.
#[derive(Debug)]
pub(in crate::store) struct ChangedRow {
    row_number: RowNumber,
    before: Option<Image>,
    after: Image,
}

impl ChangedRow {
    /// Reads a row of the journal that the same transaction wrote.
    pub(in crate::store) fn new(row_number: i64, before: Option<&str>, after: &str) -> Self {
        let row_number = RowNumber::try_from(row_number);
        let (before, after) = (before.map(Image::parse), Image::parse(after));
        assert!(
            row_number.is_ok() && after.is_some() && before.as_ref().is_none_or(Option::is_some),
            "the journal holds what was written to it"
        );
        Self {
            row_number: row_number.unwrap_or(RowNumber::NONE),
            before: before.flatten(),
            after: after.unwrap_or_default(),
        }
    }
}

/// The names of referenced records, by the index of the field and the id as the journal has it.
pub(in crate::store) type ReferenceNames = HashMap<(usize, String), String>;

/// The ids of referenced records in these rows, for each field that is a reference.
pub(in crate::store) fn referenced_ids(
    target: &Target,
    rows: &[ChangedRow],
) -> Vec<(usize, BTreeSet<String>)> {
    let images = || rows.iter().flat_map(|row| row.before.iter().chain([&row.after]));
    let references = target.fields.iter().enumerate().filter(|(_, it)| it.reference.is_some());
    let ids = |field: &TargetField| {
        images().filter_map(|image| image.stored_text(&field.name)).collect::<BTreeSet<_>>()
    };
    let of_fields = references.map(|(index, field)| (index, ids(field)));
    let of_lists = target
        .lists
        .iter()
        .map(|list| (list.value, images().flat_map(|image| image.item_keys(&list.name)).collect()));
    of_fields.chain(of_lists).collect()
}

/// The names of the items of a record, as a cell lists them.
fn shown_items(list: &ListTarget, image: &Image, names: &ReferenceNames) -> Option<String> {
    let name = |id: String| names.get(&(list.value, id.clone())).cloned().unwrap_or(id);
    let mut items: Vec<String> = image.item_keys(&list.name).into_iter().map(name).collect();
    items.sort();
    (!items.is_empty()).then(|| list_cell(&items))
}

/// What the rows of the journal change, by columns of the dataset.
pub(in crate::store) fn differences(
    target: &Target,
    rows: &[ChangedRow],
    names: &ReferenceNames,
    is_sqlite: bool,
) -> Vec<Difference> {
    let shown = |image: &Image, index: usize| -> Option<String> {
        let field = target.fields.get(index)?;
        let stored = image.stored_text(&field.name)?;
        let text = if field.reference.is_some() {
            names.get(&(index, stored.clone())).cloned().unwrap_or(stored)
        } else {
            image.text(&field.name, is_sqlite)
        };
        Some(readable(text, field.kind))
    };
    let of_row = |row: &ChangedRow| {
        let changes = target.payload().filter_map(|index| {
            let field = target.fields.get(index)?;
            let before = row.before.as_ref();
            if before.is_some_and(|before| before.agrees(&row.after, &field.name)) {
                return None;
            }
            let change = ValueChange {
                column: field.column.clone(),
                before: before.and_then(|before| shown(before, index)),
                after: shown(&row.after, index),
            };
            let is_change = change.before != change.after;
            is_change.then(|| if field.sensitive { hidden(change) } else { change })
        });
        let lists = target.lists.iter().filter_map(|list| {
            let before = row.before.as_ref().and_then(|it| shown_items(list, it, names));
            let after = shown_items(list, &row.after, names);
            let column = || list.column.clone();
            (before != after).then(|| ValueChange { column: column(), before, after })
        });
        let key = target.key.iter().filter_map(|index| shown(&row.after, *index));
        Difference {
            row_number: row.row_number,
            key: key.collect::<Vec<_>>().join(", "),
            outcome: match row.before {
                None => DifferenceOutcome::Created,
                Some(_) => DifferenceOutcome::Updated,
            },
            changes: changes.chain(lists).collect(),
        }
    };
    let found = rows.iter().map(of_row);
    // What only a trigger of the table changed is no difference between file and table.
    let is_one =
        |it: &Difference| it.outcome == DifferenceOutcome::Created || !it.changes.is_empty();
    found.filter(is_one).collect()
}

/// That a value is another one, without the values.
pub(in crate::store) fn hidden(change: ValueChange) -> ValueChange {
    let hide = |value: Option<String>| value.map(|_| HIDDEN.to_owned());
    ValueChange { before: hide(change.before), after: hide(change.after), ..change }
}

/// A value as both databases show it alike.
pub(in crate::store) fn readable(text: String, kind: ColumnType) -> String {
    match (kind, text.as_str()) {
        (ColumnType::Boolean, "1") => "true".to_owned(),
        (ColumnType::Boolean, "0") => "false".to_owned(),
        (ColumnType::Decimal { scale, .. }, digits) => with_scale(digits, usize::from(scale)),
        _ => text,
    }
}

/// A decimal with all digits after its point, as its column has them.
fn with_scale(digits: &str, scale: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if scale == 0 || fraction.len() >= scale || !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return digits.to_owned();
    }
    format!("{whole}.{fraction:0<scale$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_the_digits_of_its_column() {
        let kind = ColumnType::Decimal { precision: 12, scale: 2 };
        for (stored, shown) in [("12", "12.00"), ("12.5", "12.50"), ("-0.25", "-0.25")] {
            assert_eq!(readable(stored.to_owned(), kind), shown);
        }
        assert_eq!(readable("1".to_owned(), ColumnType::Boolean), "true");
        assert_eq!(readable("1".to_owned(), ColumnType::Integer), "1");
    }
}
