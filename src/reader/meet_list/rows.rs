//! The rows of a list: its events, and the lines with a fault, in the order of the file.

use super::check::{Checked, event_number};
use super::elements::EVENT;
use super::event::{EventParts, cells};
use crate::domain::meet::MeetSelection;
use crate::domain::row::{CellKind, RowFault};
use crate::domain::row_error::shown;

/// An event, or a line with a fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MeetRow {
    /// The line of the file.
    pub(super) line: u64,
    pub(super) content: MeetRowContent,
}

/// What a row has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MeetRowContent {
    /// The cells of an event.
    Event(Vec<(CellKind, String)>),
    /// A line that cannot be imported.
    Faulty { fault: RowFault, text: String },
}

/// The rows of the events that are wanted, and of the lines with a fault that are about them or about
/// no event.
pub(super) fn rows(list: &Checked<'_>, selection: &MeetSelection) -> Vec<MeetRow> {
    let parts = EventParts::gather(list);
    let mut rows = Vec::new();
    let mut place = 0;
    for line in list.lines() {
        place += u32::from(line.element == EVENT);
        if event_number(line).is_some_and(|number| !selection.takes(number)) {
            continue;
        }
        let content = match &line.fault {
            Some(fault) => MeetRowContent::Faulty {
                fault: RowFault::Element {
                    line: line.number,
                    element: shown(&line.element),
                    fault: fault.clone(),
                },
                text: line.text.to_owned(),
            },
            None if line.element == EVENT => {
                MeetRowContent::Event(cells(list, &parts, line, place, selection))
            }
            None => continue,
        };
        rows.push(MeetRow { line: line.number, content });
    }
    rows
}
