//! What can go wrong between Loadbay and its database.

use std::borrow::Cow;

use crate::domain::error_code::ErrorCode;
use crate::store::connection::start_fault::StartFault;
use crate::store::plain_error::PlainError;
use crate::store::refusal::{RowRefusal, sqlite_code};

/// A failed operation on the database; says what was being done, the source says why it failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database cannot be used.
    #[error("DATABASE_URL is not usable: {why}")]
    BadUrl {
        /// What is wrong with it; never the address itself, it may hold a password.
        why: String,
    },
    /// A statement through sea-orm failed.
    #[error("could not {action}")]
    Query {
        /// Completes "could not …".
        action: &'static str,
        /// The database's answer.
        #[source]
        source: PlainError<sea_orm::DbErr>,
    },
    /// A statement of the PostgreSQL chunk writer failed.
    #[error("could not {action}")]
    Postgres {
        /// Completes "could not …".
        action: &'static str,
        /// The database's answer.
        #[source]
        source: PlainError<sqlx::Error>,
    },
    /// A statement of the SQLite chunk writer failed.
    #[error("could not {action}")]
    Sqlite {
        /// Completes "could not …".
        action: &'static str,
        /// The database's answer.
        #[source]
        source: PlainError<rusqlite::Error>,
    },
    /// The server cannot run on this database.
    #[error(transparent)]
    Start(#[from] StartFault),
    /// The database takes no changes.
    #[error("the database takes no changes: it is read-only")]
    ReadOnly,
    /// The job has another owner or another status by now; nothing was written.
    #[error("job {job} is no longer ours to write")]
    LostLease {
        /// The job.
        job: i64,
    },
    /// Another job created a key of the chunk after this one had looked: it has to look again.
    #[error("another job created a key of the chunk in the meantime")]
    KeyAppeared,
    /// The failed rows could not be kept, so the chunk was not committed.
    #[error("could not keep the failed rows of a chunk")]
    FailedRows(#[source] std::io::Error),
    /// A stored value is none that Loadbay wrote.
    #[error("import_log {id} holds an unreadable {what}")]
    Unreadable {
        /// The job.
        id: i64,
        /// The column.
        what: &'static str,
    },
    /// A stored mapping is none that Loadbay wrote.
    #[error("the saved mapping `{name}` cannot be read; delete it and save it again")]
    UnreadableMapping {
        /// Its name.
        name: String,
    },
    /// A thread of the writer died.
    #[error("the writer stopped in the middle of its work")]
    WriterDied,
}

impl StoreError {
    /// The code that a request or a job ends with.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            error if error.is_storage_full() => ErrorCode::StorageFull,
            error if error.is_read_only() => ErrorCode::DatabaseReadOnly,
            error if error.is_cancelled() => ErrorCode::StatementCancelled,
            Self::Query { .. } | Self::Postgres { .. } | Self::Sqlite { .. }
                if self.is_transient() =>
            {
                ErrorCode::DatabaseUnavailable
            }
            Self::KeyAppeared => ErrorCode::DatabaseUnavailable,
            Self::ReadOnly => ErrorCode::DatabaseReadOnly,
            Self::BadUrl { .. }
            | Self::Start(_)
            | Self::Query { .. }
            | Self::Postgres { .. }
            | Self::Sqlite { .. }
            | Self::LostLease { .. }
            | Self::FailedRows(_)
            | Self::Unreadable { .. }
            | Self::UnreadableMapping { .. }
            | Self::WriterDied => ErrorCode::Internal,
        }
    }

    /// A transient failure, with which failpoints of this layer fail.
    pub(crate) fn busy() -> Self {
        Self::Postgres { action: "read the job", source: sqlx::Error::PoolTimedOut.into() }
    }

    /// A full disk, for the same purpose.
    pub(crate) fn disk_full() -> Self {
        Self::FailedRows(std::io::ErrorKind::StorageFull.into())
    }

    /// True when a disk is full, ours or the database's: the same work may succeed when there is
    /// space again.
    #[must_use]
    pub fn is_storage_full(&self) -> bool {
        match self {
            Self::FailedRows(source) => crate::files::is_disk_full(source),
            Self::Sqlite { source, .. } => {
                let extended = source.sqlite_error().map(|error| error.extended_code);
                source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
                    || extended == Some(SQLITE_IOERR_SHMSIZE)
            }
            Self::Postgres { source, .. } => sqlx_error_is_out_of_room(source),
            Self::Query { source, .. } => sqlx_error(source).is_some_and(sqlx_error_is_out_of_room),
            Self::BadUrl { .. }
            | Self::Start(_)
            | Self::ReadOnly
            | Self::LostLease { .. }
            | Self::KeyAppeared
            | Self::Unreadable { .. }
            | Self::UnreadableMapping { .. }
            | Self::WriterDied => false,
        }
    }

    /// True when nothing of the work was done for certain: no connection could be had for it, or the
    /// database had no room for it, takes no changes or is locked, and took all of it back.
    #[must_use]
    pub fn wrote_nothing(&self) -> bool {
        let Self::Query { source, .. } = self else { return false };
        // What fails on an open connection is another kind of `DbErr`.
        matches!(**source, sea_orm::DbErr::ConnectionAcquire(_) | sea_orm::DbErr::Conn(_))
            || self.is_storage_full()
            || self.is_read_only()
            || self.answer().and_then(sqlite_code).is_some_and(is_locked)
    }

    /// What the database answered, if it was asked through sqlx.
    fn answer(&self) -> Option<&dyn sqlx::error::DatabaseError> {
        match self {
            Self::Query { source, .. } => sqlx_error(source)?.as_database_error(),
            Self::Postgres { source, .. } => source.as_database_error(),
            _ => None,
        }
    }

    /// SQLSTATE of what PostgreSQL answered, or the result of SQLite as text.
    pub(super) fn answer_code(&self) -> Option<Cow<'_, str>> {
        self.answer()?.code()
    }

    /// What the database said, for people.
    pub(super) fn answer_text(&self) -> Option<String> {
        self.answer().map(|answer| answer.message().to_owned())
    }

    /// True when the role lacks a right: SQLSTATE `insufficient_privilege`.
    pub(super) fn is_missing_right(&self) -> bool {
        self.answer_code().is_some_and(|code| code == "42501")
    }

    /// True when the database takes no changes: a standby, or one that was set so.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::ReadOnly => true,
            Self::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly)
            }
            _ => self.answer().is_some_and(|answer| match sqlite_code(answer) {
                Some(code) => code == SQLITE_READONLY,
                None => answer.code().is_some_and(|code| code == READ_ONLY),
            }),
        }
    }

    /// True when the statement was cancelled: by a time limit, ours or the database's, or by an
    /// administrator. The same work may succeed, or be cancelled again and again.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.answer().is_some_and(|answer| match sqlite_code(answer) {
            Some(code) => code == SQLITE_INTERRUPT,
            None => answer.code().is_some_and(|code| code == "57014"),
        })
    }

    /// True when PostgreSQL gave up to wait for a lock that others hold.
    pub(super) fn is_lock_timeout(&self) -> bool {
        self.answer_code().is_some_and(|code| code == "55P03")
    }

    /// Why the database refused a row, if it refused the statement because of a row's values and not
    /// for a reason of its own.
    pub(super) fn row_refusal(&self) -> Option<RowRefusal> {
        match self {
            Self::Query { source, .. } => RowRefusal::of_sqlx(sqlx_error(source)?),
            Self::Postgres { source, .. } => RowRefusal::of_sqlx(source),
            Self::Sqlite { source, .. } => RowRefusal::of_sqlite(source),
            _ => None,
        }
    }

    /// True when the same work may succeed a moment later: a deadlock, a lost connection, a
    /// database that restarts or is busy.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            error if error.is_storage_full() => false,
            Self::Query { source, .. } => db_error_is_transient(source),
            Self::Postgres { source, .. } => sqlx_error_is_transient(source),
            Self::Sqlite { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            Self::FailedRows(source) => crate::files::is_transient_io(source),
            Self::ReadOnly | Self::KeyAppeared => true,
            Self::BadUrl { .. }
            | Self::Start(_)
            | Self::LostLease { .. }
            | Self::Unreadable { .. }
            | Self::UnreadableMapping { .. }
            | Self::WriterDied => false,
        }
    }
}

/// Lets `?` say what was being done: `.await.context("claim a job")?`.
pub(super) trait ErrorContext<T> {
    /// Names the work that failed.
    fn context(self, action: &'static str) -> Result<T, StoreError>;
}

impl<T> ErrorContext<T> for Result<T, sea_orm::DbErr> {
    fn context(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Query { action, source: source.into() })
    }
}

impl<T> ErrorContext<T> for Result<T, sqlx::Error> {
    fn context(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Postgres { action, source: source.into() })
    }
}

impl<T> ErrorContext<T> for Result<T, rusqlite::Error> {
    fn context(self, action: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sqlite { action, source: source.into() })
    }
}

fn db_error_is_transient(error: &sea_orm::DbErr) -> bool {
    // What refuses a connection, a password that is being changed too, may take the next one.
    matches!(error, sea_orm::DbErr::ConnectionAcquire(_) | sea_orm::DbErr::Conn(_))
        || sqlx_error(error).is_some_and(sqlx_error_is_transient)
}

/// What sqlx said, as far as it was sqlx.
fn sqlx_error(error: &sea_orm::DbErr) -> Option<&sqlx::Error> {
    use sea_orm::{DbErr, RuntimeErr};
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(source))
        | DbErr::Exec(RuntimeErr::SqlxError(source))
        | DbErr::Query(RuntimeErr::SqlxError(source)) => Some(source),
        _ => None,
    }
}

/// True for the result of SQLite when another program has the file locked.
fn is_locked(code: u32) -> bool {
    code == SQLITE_BUSY || code == SQLITE_LOCKED
}

/// SQLSTATE 53100, `disk_full`, and `SQLITE_FULL`.
fn sqlx_error_is_out_of_room(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(answer) = error else { return false };
    let sent = answer.code();
    sqlite_code(&**answer).map_or_else(
        || sent.as_deref() == Some("53100"),
        |code| {
            let extended = sent.as_deref().and_then(|code| code.parse::<i32>().ok());
            code == SQLITE_FULL || extended == Some(SQLITE_IOERR_SHMSIZE)
        },
    )
}

/// SQLSTATE `read_only_sql_transaction`: a standby, or a database that was set so.
const READ_ONLY: &str = "25006";

/// Results of SQLite: the database is busy, a table is locked, the file may not be written, the
/// statement was ended, the disk is full.
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
const SQLITE_READONLY: u32 = 8;
const SQLITE_INTERRUPT: u32 = 9;
const SQLITE_FULL: u32 = 13;

/// Extended code of SQLite: the file that its processes share could not grow, which says that the
/// disk is full (SQLite, "Result and Error Codes").
const SQLITE_IOERR_SHMSIZE: i32 = 4874;

/// SQLSTATE classes of PostgreSQL (appendix A of its manual): 08 connection, 40 rollback, 53
/// resources, 57P01 to 57P03 shutdown and start-up, 55P03 lock not available, 25P03 a transaction
/// that was silent for too long: we froze, and were ended to let others go on; 25006 a server that
/// takes no changes: after a fail-over the old one, or the new one for a moment.
fn sqlx_error_is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed => true,
        sqlx::Error::Database(answer) => match (sqlite_code(&**answer), answer.code()) {
            (Some(code), _) => is_locked(code),
            (None, Some(code)) => {
                code.starts_with("08")
                    || code.starts_with("40")
                    || code.starts_with("53")
                    || code.starts_with("57P0")
                    || code == "55P03"
                    || code == "25P03"
                    || code == "25006"
            }
            (None, None) => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, TransactionTrait};

    use super::*;
    use crate::store::{Store, StoreSettings};

    #[tokio::test]
    async fn a_read_lock_that_cannot_become_a_write_lock_is_transient() {
        let place = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            database_url: None,
            sqlite_path: place.path().join("loadbay.sqlite"),
            schema: "loadbay".to_owned(),
            lease: std::time::Duration::from_secs(30),
        };
        let store = Store::connect(&settings).await.unwrap();
        let behind = store.read.begin().await.unwrap();
        behind.execute_unprepared("SELECT count(*) FROM import_log").await.unwrap();
        let change = "DELETE FROM import_log";
        store.write.execute_unprepared(change).await.unwrap();
        let other = "INSERT INTO import_database (number, uuid) VALUES (2, 'Other')";
        store.write.execute_unprepared(other).await.unwrap();
        let refused = behind.execute_unprepared(change).await.context("write").unwrap_err();
        assert!(refused.is_transient(), "{refused:?}");
        assert_eq!(refused.code(), ErrorCode::DatabaseUnavailable);
    }
}
