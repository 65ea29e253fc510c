//! The file of a job as rows, as often as they are asked for.

use tempfile::TempPath;

use super::error::RunError;
use super::row_filter::{FilterPass, RowFilter};
use crate::domain::detected::Detected;
use crate::files::SourceFile;
use crate::reader::{self, RowSource};

/// Where the rows of a job come from.
#[derive(Debug)]
pub(super) enum RowInput {
    /// A text file, read where it lies, or from the copy that was fetched.
    File {
        /// The uploaded file.
        file: SourceFile,
        /// What was decided about it.
        detected: Box<Detected>,
    },
    /// The rows of a workbook's sheet, as the child process wrote them.
    Spool {
        /// Their file.
        path: TempPath,
        /// What was decided about the workbook.
        detected: Box<Detected>,
    },
    /// Some rows of another source.
    Selected {
        /// Where the rows come from.
        source: Box<RowInput>,
        /// Which of them.
        filter: Box<RowFilter>,
    },
}

impl RowInput {
    /// Only the rows that `filter` lets through.
    pub(super) fn filtered(self, filter: RowFilter) -> Self {
        Self::Selected { source: Box::new(self), filter: Box::new(filter) }
    }

    /// Begins to read behind the header.
    pub(super) fn rows(&self) -> Result<Box<dyn RowSource>, RunError> {
        Ok(match self {
            Self::File { file, detected } => reader::open(file.path(), detected)?,
            Self::Spool { path, detected } => reader::open(path, detected)?,
            Self::Selected { source, filter } => filter.pick(source.rows()?),
        })
    }

    /// The rows that may supersede those of this source, and what separates its own from them, unless
    /// all are.
    pub(super) fn with_superseding_rows(&self) -> (&Self, Option<FilterPass>) {
        match self {
            Self::Selected { source, filter } if filter.has_superseding_rows() => {
                (source, Some(filter.pass()))
            }
            Self::File { .. } | Self::Spool { .. } | Self::Selected { .. } => (self, None),
        }
    }
}
