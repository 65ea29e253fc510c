//! The meet definition list of the German swimming federation (DSV), formats 6, 7 and 8: text in,
//! events of the meeting out.
//!
//! A list is small, and what belongs to an event stands all over it, so it is read as a whole. Each
//! event is a row. Of the other lines, those with a fault are rows, too: they fail and are listed.
//! Knows no encoding and no dataset.

mod check;
mod elements;
mod event;
mod fault;
mod lines;
mod rows;

use self::check::Checked;
pub use self::fault::MeetListFault;
use self::rows::{MeetRow, MeetRowContent, rows};
use crate::domain::meet::MeetSelection;
use crate::domain::options::Options;
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_number::RowNumber;
use crate::domain::warning::Warnings;

pub(super) use self::event::HEADER;

/// The rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeetList {
    /// In the order of their lines.
    rows: Vec<MeetRow>,
    /// The meeting, and which events were taken.
    pub(super) selection: MeetSelection,
    /// What a person should see of the list.
    pub(super) warnings: Warnings,
}

/// Who says which events are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum MeetChoice<'a> {
    /// What the client asks for; the meeting may be without a name.
    Asked(&'a Options),
    /// What was decided before.
    Decided(&'a MeetSelection),
}

impl MeetList {
    /// Reads a list.
    pub(super) fn parse(text: &str, wanted: MeetChoice<'_>) -> Result<Self, MeetListFault> {
        let checked = Checked::read(text)?;
        let selection = match wanted {
            MeetChoice::Decided(selection) => selection.clone(),
            MeetChoice::Asked(options) => MeetSelection {
                meeting: options.meeting.clone().unwrap_or_else(|| checked.meeting_name()),
                include_events: options.include_events.clone(),
                exclude_events: options.exclude_events.clone(),
            },
        };
        let warnings = checked.warnings(&selection);
        Ok(Self { rows: rows(&checked, &selection), selection, warnings })
    }

    /// The row at `index` as a row of a file with the columns of [`HEADER`]. False behind the last.
    pub(super) fn row(&self, index: usize, row: &mut RawRow) -> bool {
        row.clear();
        let Some(found) = self.rows.get(index) else { return false };
        row.line = found.line;
        row.row_number = RowNumber::try_from(found.line).unwrap_or_default();
        match &found.content {
            MeetRowContent::Event(cells) => {
                for (kind, text) in cells {
                    let is_broken = text.contains(char::REPLACEMENT_CHARACTER);
                    row.push(if is_broken { CellKind::BadEncoding } else { *kind }, text);
                }
            }
            MeetRowContent::Faulty { fault, text } => {
                row.push_faulty(fault.clone(), HEADER.len(), text);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
