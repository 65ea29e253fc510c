//! Why there are no datasets, or a definition is not taken.

use std::path::PathBuf;

use crate::dataset::{DefinitionFault, ProposalFault};
use crate::domain::error_code::ErrorCode;
use crate::store::StoreError;

/// A fault of definitions.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionsError {
    /// The folder or a file cannot be read.
    #[error("LOADBAY_DATASETS_DIR: cannot read `{}`", .path.display())]
    Unreadable {
        /// The folder or the file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Definitions have faults.
    #[error("the dataset files have {} fault(s):{}", .0.len(), lines(.0))]
    Faults(Vec<DefinitionFault>),
    /// The database refuses tables.
    #[error("{file}: the database refuses to make the tables of `create_table`: {answer}")]
    Tables {
        /// The definition.
        file: String,
        /// What the database answers.
        answer: String,
    },
    /// A file cannot be written.
    #[error("LOADBAY_DATASETS_DIR: cannot write `{}`", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Nothing can be saved.
    #[error("the server has no folder for definitions; set LOADBAY_DATASETS_DIR")]
    NoFolder,
    /// There is such a dataset already.
    #[error("there is a dataset `{0}` already; say `overwrite=true` to replace it")]
    Exists(String),
    /// The file that it would be written to has something else in it.
    #[error("`{}` is there already and is no definition of `{name}`; remove or rename it", .path.display())]
    FileTaken {
        /// The file.
        path: PathBuf,
        /// The dataset.
        name: String,
    },
    /// The definition has another name than the address.
    #[error("the definition is called `{found}`, and the address says `{asked}`")]
    OtherName {
        /// In the address.
        asked: String,
        /// In the definition.
        found: String,
    },
    /// There is no such table.
    #[error("there is no table `{table}` in the database{}", meant(near.as_deref()))]
    NoTable {
        /// The table.
        table: String,
        /// The one that is probably meant.
        near: Option<String>,
    },
    /// Nothing can be proposed.
    #[error(transparent)]
    Proposal(#[from] ProposalFault),
    /// The server stopped before it was done.
    #[error("the server stopped before the definitions were read")]
    Stopped,
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DefinitionsError {
    /// The code that a request is refused with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Faults(_)
            | Self::Tables { .. }
            | Self::Unreadable { .. }
            | Self::OtherName { .. } => ErrorCode::BadDefinition,
            Self::Unwritable { .. } | Self::NoFolder => ErrorCode::NoDatasetsFolder,
            Self::Exists(_) | Self::FileTaken { .. } => ErrorCode::DatasetExists,
            Self::NoTable { .. } => ErrorCode::UnknownTable,
            Self::Proposal(_) => ErrorCode::NoProposal,
            Self::Stopped => ErrorCode::ShuttingDown,
            Self::Store(fault) => fault.code(),
        }
    }

    /// What is wrong with definitions, one by one.
    #[must_use]
    pub fn faults(&self) -> &[DefinitionFault] {
        match self {
            Self::Faults(faults) => faults,
            _ => &[],
        }
    }
}

fn meant(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

fn lines(faults: &[DefinitionFault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
    lines.concat()
}
