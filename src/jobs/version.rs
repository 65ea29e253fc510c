//! The version by which `mode=newer` compares: the dataset names its column, and the file must have it.

use crate::dataset::Match;
use crate::dataset::model::Dataset;
use crate::domain::error_code::ErrorCode;

/// Why `mode=newer` cannot say which rows are newer.
#[derive(Debug, thiserror::Error)]
pub enum VersionFault {
    /// No column of the dataset is a version.
    #[error(
        "the dataset `{dataset}` has no `version_column`, so `mode=newer` cannot say which rows are newer; upload with another mode"
    )]
    NoColumn {
        /// The dataset.
        dataset: String,
    },
    /// The file has no versions.
    #[error("`mode=newer` needs the column `{column}`, which the file does not have")]
    NotFed {
        /// The column's title.
        column: String,
    },
}

impl VersionFault {
    /// The code of the answer.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoColumn { .. } => ErrorCode::InvalidOption,
            Self::NotFed { .. } => ErrorCode::MissingColumn,
        }
    }
}

/// Refuses `mode=newer` where nothing says which version is newer.
///
/// # Errors
/// The dataset or the file has no version.
pub fn check_version(dataset: &Dataset, matched: &Match) -> Result<(), VersionFault> {
    let version = dataset.version.and_then(|at| Some((at, dataset.columns.get(at)?)));
    let Some((index, column)) = version else {
        return Err(VersionFault::NoColumn { dataset: dataset.name.clone() });
    };
    let column = || column.title.clone();
    if matched.has(index) { Ok(()) } else { Err(VersionFault::NotFed { column: column() }) }
}
