//! What SQLite says when it refuses a row, and how that is told from other faults.

use crate::domain::chunk::{Chunk, FailedRow};
use crate::domain::row_error::RowCode;
use crate::store::chunk::rows;
use crate::store::error::StoreError;

/// What fails when the database refuses a row.
pub(super) const WRITE_ROWS: &str = "write the rows of a chunk";

/// True when a chunk failed because of the values of a row.
pub(super) fn is_fault_of_chunk(error: &StoreError) -> bool {
    match error {
        StoreError::Sqlite { action: WRITE_ROWS, source } => is_fault_of_row(source),
        _ => false,
    }
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
