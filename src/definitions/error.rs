//! Why there are no datasets, or a definition is not taken.

use std::path::PathBuf;

use crate::dataset::DefinitionFault;
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
            Self::Faults(_) | Self::Tables { .. } | Self::Unreadable { .. } => {
                ErrorCode::BadDefinition
            }
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

fn lines(faults: &[DefinitionFault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}
