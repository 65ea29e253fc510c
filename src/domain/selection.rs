//! Which rows of a file a job takes, when not all of them.

use serde::{Deserialize, Serialize};

/// A part of the rows of a file, as an earlier job over the same file left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rows", rename_all = "lowercase")]
pub enum Selection {
    /// The rows that failed; their numbers lie beside the file.
    Failed,
    /// The rows that had no outcome yet: in each lane those behind the last committed one.
    Unprocessed {
        /// The last committed row of each lane; 0 when it has none.
        lanes: Vec<u32>,
    },
}

impl Selection {
    /// The word of the API.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unprocessed { .. } => "unprocessed",
        }
    }
}
