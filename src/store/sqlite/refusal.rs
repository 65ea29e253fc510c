//! What SQLite answers when it refuses a row, and how such an answer is recognised.

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::row_error::RowCode;
use crate::store::chunk::protocol::WriteError;
use crate::store::chunk::rows;
use crate::store::error::StoreError;

/// A failure of a statement that writes rows, or what they name.
pub(super) fn written(error: rusqlite::Error) -> WriteError {
    let is_of_row = is_fault_of_row(&error);
    let error = StoreError::Sqlite { action: "write the rows of a chunk", source: error.into() };
    if is_of_row { WriteError::RowRefused(error) } else { WriteError::Failed(error) }
}

/// True when the statement failed because of the row's values, not because of the database.
pub(super) fn is_fault_of_row(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch))
}

pub(super) fn refused(chunk: &Chunk, record: usize, error: &rusqlite::Error) -> FailedRow {
    let code = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => RowCode::ConstraintViolated,
        _ => RowCode::RefusedByDatabase,
    };
    let message = format!("the database refused the row: {}", answer(error));
    rows::refused(chunk, record, code, None, message, None)
}

/// What the database said.
pub(super) fn answer(error: &rusqlite::Error) -> String {
    if let rusqlite::Error::SqliteFailure(_, Some(text)) = error {
        return text.clone();
    }
    error.to_string()
}
