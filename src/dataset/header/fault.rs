//! Why the header of a file cannot be used.

use crate::dataset::constants::ConstantFault;
use crate::dataset::names::listed;
use crate::dataset::replacements::ReplacementFault;
use crate::domain::error_code::ErrorCode;

/// Why a file's header cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// No cell is the name of a column.
    #[error(
        "no column of the dataset was recognized; found {}, expected at least {}",
        Found(found),
        listed(expected.iter().map(String::as_str))
    )]
    NoHeader {
        /// The header's cells.
        found: Vec<String>,
        /// The titles of the required columns.
        expected: Vec<String>,
    },
    /// A required column is not there.
    #[error("the required column `{column}` is missing; {}found {}", Near(nearest.as_deref()), Found(found))]
    Missing {
        /// The title of the column.
        column: String,
        /// The header cell that is most like it, if any is like it.
        nearest: Option<String>,
        /// The header's cells.
        found: Vec<String>,
    },
    /// Several header cells feed the same column.
    #[error(
        "{} all feed the column `{column}`; rename or remove all but one, or decide with the \
         option `mapping`",
        listed(headers.iter().map(String::as_str))
    )]
    Duplicate {
        /// The title of the column.
        column: String,
        /// The header cells, from left to right.
        headers: Vec<String>,
    },
    /// The mapping names a header that the file does not have.
    #[error("`mapping` names the header `{header}`, which the file does not have; {}found {}", Near(nearest.as_deref()), Found(found))]
    UnknownHeader {
        /// The header as the mapping has it.
        header: String,
        /// The header cell that is most like it, if any is like it.
        nearest: Option<String>,
        /// The header's cells.
        found: Vec<String>,
    },
    /// The mapping names a column that the dataset does not have.
    #[error(
        "`mapping` sends the header `{header}` to the column `{column}`, which the dataset does not \
         have; its columns are {}",
        listed(columns.iter().map(String::as_str))
    )]
    UnknownColumn {
        /// The header as the mapping has it.
        header: String,
        /// The column as the mapping has it.
        column: String,
        /// The names of the dataset's columns.
        columns: Vec<String>,
    },
    /// What `set` says cannot be taken.
    #[error(transparent)]
    Constant(#[from] ConstantFault),
    /// What `replace` says cannot be taken.
    #[error(transparent)]
    Replacement(#[from] ReplacementFault),
    /// `set` names a column that the file has, too.
    #[error(
        "`set` names the column `{column}`, which {} of the file feeds; leave it out of `set`, or \
         leave the header out with the option `mapping`",
        listed(headers.iter().map(String::as_str))
    )]
    ConstantInFile {
        /// The title of the column.
        column: String,
        /// The header cells, from left to right.
        headers: Vec<String>,
    },
}

impl HeaderFault {
    /// The code that the upload is refused with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoHeader { .. } => ErrorCode::NoHeader,
            Self::Missing { .. } => ErrorCode::MissingColumn,
            Self::Duplicate { .. } | Self::ConstantInFile { .. } => ErrorCode::DuplicateColumn,
            Self::UnknownHeader { .. } | Self::UnknownColumn { .. } => ErrorCode::BadMapping,
            Self::Constant(_) => ErrorCode::BadConstant,
            Self::Replacement(_) => ErrorCode::InvalidOption,
        }
    }
}

/// Header cells that a sentence shows before it says how many more there are.
const SHOWN_CELLS: usize = 30;

struct Found<'a>(&'a [String]);

impl std::fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = self.0.len().saturating_sub(SHOWN_CELLS);
        match self.0 {
            [] => f.write_str("nothing"),
            cells => f.write_str(&listed(cells.iter().take(SHOWN_CELLS).map(String::as_str))),
        }?;
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

struct Near<'a>(Option<&'a str>);

impl std::fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.map_or(Ok(()), |near| write!(f, "did you mean `{near}`? "))
    }
}
