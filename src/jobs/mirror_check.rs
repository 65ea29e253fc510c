//! Whether a mirror can be made of an upload: the dataset says what becomes of records that the file does
//! not have, and the scope names columns that the file feeds.

use crate::dataset::model::Dataset;
use crate::dataset::{ColumnValues, Match, ValueFault};
use crate::domain::error_code::ErrorCode;
use crate::domain::options::{Mode, Options};

/// Why `mode=mirror` cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum MirrorFault {
    /// The dataset does not say what becomes of such records.
    #[error(
        "the dataset `{dataset}` has no section `[mirror]`, so `mode=mirror` cannot say what becomes of records that the file does not have; add the section to its definition, or upload with another mode"
    )]
    NotDefined {
        /// The dataset.
        dataset: String,
    },
    /// Another mode removes nothing.
    #[error("option `{option}` belongs to `mode=mirror`; the upload has another mode")]
    OtherMode {
        /// The option.
        option: &'static str,
    },
    /// The scope names what the dataset does not have.
    #[error("the option `scope` cannot be read: {0}")]
    Scope(ValueFault),
    /// Nobody knows which rows of the file are in scope.
    #[error("`scope` names the column `{column}`, which the file does not have")]
    NotFed {
        /// The column's title.
        column: String,
    },
    /// Every row would be outside of the scope.
    #[error("`set` gives the column `{column}` another value than `scope`; give it the same one")]
    SetElsewhere {
        /// The column's title.
        column: String,
    },
    /// A file without rows would remove everything.
    #[error(
        "the file has no rows, so `mode=mirror` would remove every record; send a file with rows, or remove the records in the database"
    )]
    NoRows,
    /// Removal follows the rows, in transactions of its own.
    #[error(
        "`atomic=true` and `mode=mirror` do not go together: records are removed after the rows were written; upload without `atomic`"
    )]
    Atomic,
    /// Each file would remove what the others brought.
    #[error(
        "`mode=mirror` takes one file at a time: each file would remove the records of the others; send them one by one, each with its `scope`"
    )]
    SeveralFiles,
}

impl MirrorFault {
    /// The code of the answer.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotDefined { .. }
            | Self::OtherMode { .. }
            | Self::Scope(_)
            | Self::SetElsewhere { .. }
            | Self::SeveralFiles
            | Self::Atomic => ErrorCode::InvalidOption,
            Self::NotFed { .. } => ErrorCode::MissingColumn,
            Self::NoRows => ErrorCode::EmptyFile,
        }
    }
}

/// Refuses what cannot be mirrored, before anything of the file is known.
///
/// # Errors
/// The dataset or the options do not fit.
pub(super) fn check_options(dataset: &Dataset, options: &Options) -> Result<(), MirrorFault> {
    if options.mode != Mode::Mirror {
        let given =
            [("scope", !options.scope.is_empty()), ("mirrorMax", options.mirror_max.is_some())];
        return match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(MirrorFault::OtherMode { option }),
            None => Ok(()),
        };
    }
    if options.atomic {
        return Err(MirrorFault::Atomic);
    }
    if dataset.absent.is_none() {
        return Err(MirrorFault::NotDefined { dataset: dataset.name.clone() });
    }
    let scope = options.scope.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    ColumnValues::read(dataset, scope).map(drop).map_err(MirrorFault::Scope)
}

/// Refuses a file that does not feed the columns of the scope, or has no rows.
///
/// # Errors
/// The file does not fit.
pub(super) fn check_file(
    dataset: &Dataset,
    options: &Options,
    matched: &Match,
    has_rows: bool,
) -> Result<(), MirrorFault> {
    check_options(dataset, options)?;
    if options.mode != Mode::Mirror {
        return Ok(());
    }
    if !has_rows {
        return Err(MirrorFault::NoRows);
    }
    let scope = options.scope.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let scope = ColumnValues::read(dataset, scope).map_err(MirrorFault::Scope)?;
    for (index, _) in scope.iter() {
        let column = dataset.columns.get(index);
        let column = || column.map_or_else(String::new, |column| column.title.clone());
        if !matched.has(index) {
            return Err(MirrorFault::NotFed { column: column() });
        }
        let constant = matched.constants.get(index);
        if constant.is_some_and(|constant| !scope.takes(dataset, index, constant.value())) {
            return Err(MirrorFault::SetElsewhere { column: column() });
        }
    }
    Ok(())
}
