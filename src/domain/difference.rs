//! What a dry run found: a row of the file that would change the table, column by column. Knows no
//! table.

use serde::{Deserialize, Serialize};

use super::row_number::RowNumber;

/// A row that the import of the file would create, update or remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The row of the file; of a record that would be removed, a number behind its last row.
    pub row_number: RowNumber,
    /// The key of the record as people read it.
    pub key: String,
    /// What would become of the record.
    pub outcome: DifferenceOutcome,
    /// The columns that would change, in the order of the file's columns.
    pub changes: Vec<ValueChange>,
}

/// What would become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceOutcome {
    /// The table does not have it yet.
    Created,
    /// Some of its values would change.
    Updated,
    /// The file does not have it, so that a mirror would remove it.
    Removed,
}

impl DifferenceOutcome {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Removed => "removed",
        }
    }
}

/// A value that would change. `None` is no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ValueChange {
    /// The dataset's column.
    pub column: String,
    /// What the table has.
    pub before: Option<String>,
    /// What the file has.
    pub after: Option<String>,
}
