//! Errors of the database libraries in words for people: each thing once. The libraries repeat what
//! their source says, and sqlx adds the line of PostgreSQL's own source.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use sea_orm::{DbErr, RuntimeErr};

/// An error that says everything itself: it has no source that would say it again.
#[derive(Debug)]
pub struct PlainError<E>(E);

impl<E> From<E> for PlainError<E> {
    fn from(error: E) -> Self {
        Self(error)
    }
}

impl<E> Deref for PlainError<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0
    }
}

impl fmt::Display for PlainError<sqlx::Error> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_sqlx(&self.0, f)
    }
}

impl fmt::Display for PlainError<DbErr> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            DbErr::Conn(RuntimeErr::SqlxError(error))
            | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error)) => write_sqlx(error, f),
            error => write!(f, "{error}"),
        }
    }
}

impl fmt::Display for PlainError<rusqlite::Error> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl<E: fmt::Debug> Error for PlainError<E> where Self: fmt::Display {}

fn write_sqlx(error: &sqlx::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        sqlx::Error::Database(answer) => f.write_str(answer.message()),
        error => write!(f, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_chain::error_chain;
    use crate::store::StoreError;

    #[test]
    fn each_thing_is_said_once() {
        let reset = || sqlx::Error::Io(std::io::Error::other("connection reset"));
        let chain = |source: PlainError<sqlx::Error>| {
            error_chain(&StoreError::Postgres { action: "read the job", source })
        };
        let text = chain(reset().into());
        assert_eq!(text.matches("connection reset").count(), 1, "{text}");
        assert!(text.starts_with("could not read the job: "), "{text}");
        let source = DbErr::Query(RuntimeErr::SqlxError(reset().into())).into();
        let text = error_chain(&StoreError::Query { action: "read the job", source });
        assert_eq!(text.matches("connection reset").count(), 1, "{text}");
        let locked = rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(5),
            Some("database is locked".to_owned()),
        );
        let text = error_chain(&StoreError::Sqlite { action: "begin", source: locked.into() });
        assert_eq!(text, "could not begin: database is locked");
    }
}
