//! The items of a list that goes into a join table: names of records, each cleaned as the name of a
//! reference is, and once whatever its letter case.

use std::collections::HashSet;

use super::json::{SEPARATORS, push_item, written_items};
use super::text::{self, CleanText, TextFault, TextRole};
use crate::dataset::model::Column;
use crate::domain::limits::LIST_ITEMS_MAX;
use crate::domain::warning::WarningCode;

/// Why a cell is no list of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemsFault {
    /// An item holds a character that no text may.
    Text(TextFault),
    /// An item has more characters than the table of the items takes.
    LongItem,
    /// So many items, which are too many.
    TooMany(usize),
}

/// Writes the items of `cell` as a JSON array into `json`, with the buffer `item` for one; false when there
/// is none.
pub(super) fn read(
    column: &Column,
    cell: &str,
    (json, item): (&mut String, &mut String),
    warnings: &mut Vec<WarningCode>,
) -> Result<bool, ItemsFault> {
    json.clear();
    let written = written_items(cell);
    let mut seen = HashSet::new();
    let mut add = |raw: &str| -> Result<(), ItemsFault> {
        let clean = text::clean(raw, TextRole::Name, item).map_err(ItemsFault::Text)?;
        let CleanText { text, is_folded } = clean;
        if text.is_empty() {
            return Ok(());
        }
        if column.max_length.is_some_and(|most| text::is_longer(text, most)) {
            return Err(ItemsFault::LongItem);
        }
        if is_folded && !warnings.contains(&WarningCode::FoldedKeys) {
            warnings.push(WarningCode::FoldedKeys);
        }
        if text::has_entity(text) && !warnings.contains(&WarningCode::Entities) {
            warnings.push(WarningCode::Entities);
        }
        if seen.insert(text.to_lowercase()) && seen.len() <= LIST_ITEMS_MAX {
            push_item(json, text);
        }
        Ok(())
    };
    match &written {
        Some(items) => items.iter().try_for_each(|item| add(item))?,
        None => cell.split(SEPARATORS).try_for_each(add)?,
    }
    if seen.len() > LIST_ITEMS_MAX {
        return Err(ItemsFault::TooMany(seen.len()));
    }
    if !json.is_empty() {
        json.push(']');
    }
    Ok(!json.is_empty())
}
