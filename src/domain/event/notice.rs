//! What a stream of events cannot deliver, said to one subscriber: it has no number and is not stored.

use serde::Serialize;

/// A remark about events that a subscriber does not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[schema(as = EventNotice)]
pub enum Notice {
    /// Some of these events are not kept any more.
    EventsPruned {
        /// The number of the first.
        first: u64,
        /// The number of the last.
        last: u64,
    },
    /// None of these events is kept any more.
    EventsRemoved {
        /// The number of the first.
        first: u64,
        /// The number of the last.
        last: u64,
    },
    /// The outcome of each of the job's first rows was not recorded.
    RowsNotRecorded {
        /// How many rows.
        rows: u64,
    },
    /// The upload asked that no outcome of a row is recorded.
    RowsDisabled,
}

impl Notice {
    /// The remark in a sentence.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::EventsPruned { first, last } => format!(
                "Some of the events {first} to {last} were removed; the job's status has the counts"
            ),
            Self::EventsRemoved { first, last } => {
                format!(
                    "The events {first} to {last} were removed; the job's status has the counts"
                )
            }
            Self::RowsNotRecorded { rows } => format!(
                "The outcomes of the first {rows} rows were not recorded: no client had asked for \
                 them"
            ),
            Self::RowsDisabled => {
                "The outcomes of rows are not recorded: the upload has `rows=none`".to_owned()
            }
        }
    }
}
