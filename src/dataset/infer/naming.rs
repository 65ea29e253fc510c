//! By which columns a file names the record of a table.

use super::words::word;
use crate::dataset::shape::{Family, FieldShape, ForeignKey, TableDetails, TableShape};

/// The columns by which people name a record, the best first.
const NAMES: [&str; 8] = ["name", "code", "title", "label", "sku", "number", "key", "slug"];

/// The unique text by which a file names a record of the other table, or the texts that are unique
/// together.
pub(super) fn named_by<'d>(
    details: &'d TableDetails,
    foreign: &ForeignKey,
) -> Option<(&'d FieldShape, Vec<&'d FieldShape>)> {
    let other = details.referenced.get(&foreign.table)?;
    let stored = foreign.referenced.first().and_then(|name| other.column(name))?;
    if !matches!(stored.family(), Family::Uuid | Family::Integer | Family::Text | Family::Any) {
        return None;
    }
    // What is stored is a text that people know, such as the code of a country.
    if stored.family() == Family::Text {
        return Some((stored, Vec::new()));
    }
    let is_unique = |name: &String| other.unique.iter().any(|set| set.as_slice() == [name.clone()]);
    let texts = || {
        let texts = other.columns.iter();
        texts.filter(|it| it.family() == Family::Text && is_unique(&it.name))
    };
    let named = |wanted: &&str| texts().find(|it| word(&it.name).ends_with(wanted));
    let alone = NAMES.iter().find_map(named).or_else(|| texts().next());
    alone.map(|name| (name, Vec::new())).or_else(|| named_together(other))
}

/// Texts that are unique together; what sounds like a name or a code comes first.
fn named_together(other: &TableShape) -> Option<(&FieldShape, Vec<&FieldShape>)> {
    let text = |name: &String| other.column(name).filter(|it| it.family() == Family::Text);
    let mut sets = other.unique.iter().filter(|set| set.len() > 1);
    let mut set = sets.find_map(|set| set.iter().map(text).collect::<Option<Vec<_>>>())?;
    let named = |wanted: &&str| set.iter().position(|it| word(&it.name).ends_with(*wanted));
    let first = NAMES.iter().find_map(named).unwrap_or(0);
    let main = set.remove(first);
    Some((main, set))
}

/// Both sets have the same columns.
pub(super) fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}
