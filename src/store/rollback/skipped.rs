//! Rows that a rollback leaves as they are: they are failed rows, and stand in its list of failed rows
//! with the values that the table holds now, under the header of the imported file.

use crate::dataset::Plan;
use crate::domain::chunk::FailedRow;
use crate::domain::row_error::{RowCode, RowError, shown};
use crate::domain::row_number::RowNumber;
use crate::store::chunk::target::Target;
use crate::store::error::StoreError;
use crate::store::refusal::RowRefusal;

/// Why a rollback leaves a row as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SkipReason {
    /// It is not what the import left.
    Changed,
    /// The import updated it, and it is not there any more.
    Gone,
    /// A constraint of the table, or of another one, stands against it: what the database said.
    Constraint(String),
    /// The database refused for another reason: what it said.
    Refused(String),
    /// A trigger of the table left it out without a word.
    LeftOut,
}

impl SkipReason {
    /// What an error says about a single row.
    ///
    /// # Errors
    /// The error itself, when it is not about the values of a row.
    pub(super) fn of(error: StoreError) -> Result<Self, StoreError> {
        match error.row_refusal() {
            Some(RowRefusal::Constraint(answer)) => Ok(Self::Constraint(answer)),
            Some(RowRefusal::Other(answer)) => Ok(Self::Refused(answer)),
            None => Err(error),
        }
    }
}

/// The row as a failed one. `values` are its texts, one for each field of the target.
pub(super) fn skipped_row(
    target: &Target,
    plan: &Plan,
    row_number: RowNumber,
    why: &SkipReason,
    values: &[String],
) -> FailedRow {
    let mut cells = vec![String::new(); plan.header_len];
    for (value, source) in values.iter().zip(&plan.sources) {
        if let Some(place) = source.cell().and_then(|cell| cells.get_mut(cell)) {
            place.clone_from(value);
        }
    }
    let key: Vec<&str> =
        target.key.iter().filter_map(|key| values.get(*key)).map(String::as_str).collect();
    let key = shown(&key.join(", "));
    let of_key = target.key.first().and_then(|key| target.fields.get(*key));
    let of_key = of_key.map(|field| field.column.clone());
    let (code, column, message) = match why {
        SkipReason::Changed => (
            RowCode::ChangedSince,
            of_key,
            format!("`{key}` was changed after the import and is kept"),
        ),
        SkipReason::Gone => (
            RowCode::ChangedSince,
            of_key,
            format!("`{key}` was deleted or got another key after the import; it is not put back"),
        ),
        SkipReason::Constraint(_) | SkipReason::Refused(_) if target.has_sensitive => (
            RowCode::RefusedByDatabase,
            None,
            format!("the database does not let `{key}` be rolled back"),
        ),
        SkipReason::Constraint(answer) => (
            RowCode::ConstraintViolated,
            None,
            format!("the database does not let `{key}` be rolled back: {answer}"),
        ),
        SkipReason::Refused(answer) => (
            RowCode::RefusedByDatabase,
            None,
            format!("the database does not let `{key}` be rolled back: {answer}"),
        ),
        SkipReason::LeftOut => (
            RowCode::RefusedByDatabase,
            None,
            format!("a trigger of the table does not let `{key}` be rolled back"),
        ),
    };
    // The journal knows no lines: in a rollback they are the same as the rows.
    let line = u64::from(row_number);
    let error = RowError { row_number, line, column, code, message, value: Some(key) };
    FailedRow { row_number, cells, errors: vec![error] }
}
