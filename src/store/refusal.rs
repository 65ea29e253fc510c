//! Why a database refuses a row: what both of them answer, recognised in one place. Knows nothing of
//! the statements that were refused.

/// Why the database refused a row, with what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowRefusal {
    /// A constraint of the table or of another one.
    Constraint(String),
    /// Another reason.
    Other(String),
}

impl RowRefusal {
    /// The refusal, when the statement failed because of a row's values: class 22, data exception,
    /// and 23, integrity constraint violation (PostgreSQL manual, appendix A), what a trigger raises,
    /// and their like of SQLite ("Result and Error Codes").
    pub(super) fn of_sqlx(error: &sqlx::Error) -> Option<Self> {
        let answer = error.as_database_error()?;
        let (is_constraint, is_other) = match (sqlite_code(answer), answer.code()) {
            (Some(code), _) => (code == SQLITE_CONSTRAINT, SQLITE_VALUES.contains(&code)),
            (None, Some(code)) => {
                (code.starts_with("23"), code.starts_with("22") || code == "P0001")
            }
            (None, None) => (false, false),
        };
        Self::new(is_constraint, is_other, || answer.message().to_owned())
    }

    /// The same of the library that writes chunks into SQLite.
    pub(super) fn of_sqlite(error: &rusqlite::Error) -> Option<Self> {
        use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
        let code = error.sqlite_error_code()?;
        let is_other = matches!(code, TooBig | TypeMismatch);
        Self::new(code == ConstraintViolation, is_other, || match error {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
            error => error.to_string(),
        })
    }

    fn new(is_constraint: bool, is_other: bool, answer: impl FnOnce() -> String) -> Option<Self> {
        if is_constraint {
            return Some(Self::Constraint(answer()));
        }
        is_other.then(|| Self::Other(answer()))
    }

    /// What the database said.
    pub(super) fn into_answer(self) -> String {
        match self {
            Self::Constraint(answer) | Self::Other(answer) => answer,
        }
    }
}

/// What SQLite said, if it was SQLite. sqlx gives an extended code, such as 517 where a read lock
/// cannot become a write lock; its lowest byte is the code itself.
pub(super) fn sqlite_code(answer: &dyn sqlx::error::DatabaseError) -> Option<u32> {
    answer.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    answer.code()?.parse().ok().map(|code: u32| code & 0xff)
}

/// Result of SQLite: a constraint stands against the row.
const SQLITE_CONSTRAINT: u32 = 19;

/// A value is too long, or of another type than its column.
const SQLITE_VALUES: [u32; 2] = [18, 20];
