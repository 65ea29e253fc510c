//! A meet definition list of the German swimming federation (DSV): which of its events an import
//! takes, and what can be wrong with one of its lines.

use serde::{Deserialize, Serialize};

/// The meeting that a list defines, and which of its events are imported. Decided once, before the
/// first row is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeetSelection {
    /// The name of the meeting in the key of its events.
    pub meeting: String,
    /// Only events of these numbers; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include_events: Vec<u32>,
    /// No events of these numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_events: Vec<u32>,
}

impl MeetSelection {
    /// True for the number of an event that is imported.
    #[must_use]
    pub fn takes(&self, event: u32) -> bool {
        (self.include_events.is_empty() || self.include_events.contains(&event))
            && !self.exclude_events.contains(&event)
    }
}

/// What is wrong with one line of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElementFault {
    /// Attributes are missing at the end.
    #[error(
        "it has {found} attributes, but {expected} are needed; an attribute without a value keeps \
         its `;`"
    )]
    TooFew {
        /// Attributes of the element.
        expected: usize,
        /// Attributes of the line.
        found: usize,
    },
    /// A required attribute has no value.
    #[error("{attribute} has no value, but needs one")]
    Empty {
        /// The attribute's name in the standard.
        attribute: &'static str,
    },
    /// A value breaks the rule of its attribute.
    #[error("{attribute} is `{value}`, but must be {rule}")]
    Value {
        /// The attribute's name in the standard.
        attribute: &'static str,
        /// The value, shortened.
        value: String,
        /// What it must be.
        rule: String,
    },
    /// A value of another format of the standard.
    #[error("{attribute} is `{value}`, which format {version} does not know")]
    OtherVersion {
        /// The attribute's name in the standard.
        attribute: &'static str,
        /// The value, shortened.
        value: String,
        /// The format of the file.
        version: u8,
    },
    /// The file does not define this section.
    #[error("the file has no ABSCHNITT {number} for it")]
    UnknownSection {
        /// The number of the section.
        number: u32,
    },
    /// The number of a section once more.
    #[error("ABSCHNITT {number} is defined in line {line} already")]
    RepeatedSection {
        /// The number of the section.
        number: u32,
        /// The line of the first one.
        line: u64,
    },
    /// The same event once more.
    #[error("event {number} {kind} is defined in line {line} already")]
    RepeatedEvent {
        /// The number of the event.
        number: u32,
        /// Its kind.
        kind: String,
        /// The line of the first one.
        line: u64,
    },
    /// The same `WertungsID` once more.
    #[error("WertungsID {id} stands in line {line} already")]
    RepeatedClass {
        /// The id.
        id: u32,
        /// The line of the first one.
        line: u64,
    },
    /// The element may stand only once.
    #[error("the element may stand once only, and stands in line {line} already")]
    RepeatedElement {
        /// The line of the first one.
        line: u64,
    },
    /// The standard does not know the element.
    #[error("format {version} of the meet definition list has no such element")]
    UnknownElement {
        /// The format of the file.
        version: u8,
    },
    /// A remark has no end.
    #[error("the remark that begins with `(*` is not closed; close it with `*)` on the same line")]
    OpenRemark,
    /// No element at all.
    #[error("the line is no element; an element is written like `WETTKAMPF:1;V;…;`")]
    NoElement,
    /// Behind the end of the list.
    #[error("it stands behind DATEIENDE, which ends the list")]
    BehindEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_events_less_the_excluded_ones_are_taken() {
        let taken = |include: &[u32], exclude: &[u32]| -> Vec<u32> {
            let selection = MeetSelection {
                meeting: "m".to_owned(),
                include_events: include.to_vec(),
                exclude_events: exclude.to_vec(),
            };
            (1..=4).filter(|event| selection.takes(*event)).collect()
        };
        assert_eq!(taken(&[], &[]), [1, 2, 3, 4]);
        assert_eq!(taken(&[], &[2]), [1, 3, 4]);
        assert_eq!(taken(&[2, 3], &[]), [2, 3]);
        assert_eq!(taken(&[2, 3], &[3]), [2]);
    }
}
