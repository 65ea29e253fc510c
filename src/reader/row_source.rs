//! What every format gives: its rows, one after another.

use super::error::ReadError;
use crate::domain::row::RawRow;

/// Gives the data rows of a file one after another.
pub trait RowSource: Send {
    /// Reads the next row that is not blank into `row`. False at the end.
    ///
    /// # Errors
    /// When the file cannot be read further; [`ReadError::position`] says where that was.
    fn next(&mut self, row: &mut RawRow) -> Result<bool, ReadError>;
}
