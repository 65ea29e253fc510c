//! The database: the only place that names sea-orm, sqlx, rusqlite or an entity.
//!
//! sea-orm is the way to everything that Loadbay itself owns. The rows of a file go through the
//! fastest writer of each database, in one transaction with Loadbay's own rows about them
//! (`postgres`, `sqlite`). Knows no HTTP and no files of uploads.

use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::Mutex;

mod catalog;
mod chunk;
mod connection;
mod error;
mod events;
mod log;
mod postgres;
mod sqlite;
mod undo;

pub use chunk::writer::{ChunkWriter, EventQuota, FailedRowsSink, WriterSettings};
pub use connection::notifications::Notifications;
pub use connection::open::StoreSettings;
pub use error::StoreError;
pub use events::prune::PruneScope;
pub use events::row_errors::SupersededRow;
pub use log::checkpoint::CommittedChunk;
pub use log::claim::Claimant;
pub use log::concurrency::TableConcurrency;
pub use log::control::Deletion;
pub use log::destination::Destination;
pub use log::jobs::{Inserted, JobFilter, JobMark};
pub use log::lease::{End, ReleaseReason};
pub use log::retention::KnownFolder;
pub use undo::RollbackInserted;

/// Handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For everything that changes something; one connection on SQLite.
    write: DatabaseConnection,
    /// For everything else; the same as `write` on PostgreSQL.
    read: DatabaseConnection,
    kind: Database,
}

/// Which database, and what only that one needs.
#[derive(Debug, Clone)]
enum Database {
    /// The embedded database.
    Sqlite {
        path: PathBuf,
        /// SQLite has one writer. Waiting here is fair; waiting in SQLite is polling.
        write_lock: Arc<Mutex<()>>,
    },
    /// A PostgreSQL server.
    Postgres {
        /// For the connections that somebody has for himself.
        sessions: Box<connection::sessions::Sessions>,
    },
}

impl Store {
    /// Digits of a decimal that the database keeps without loss.
    #[must_use]
    pub fn decimal_digits_max(&self) -> u8 {
        match self.kind {
            Database::Sqlite { .. } => 15,
            Database::Postgres { .. } => 18,
        }
    }

    /// Writers that may work on one job at a time, when the settings ask for `wanted`.
    #[must_use]
    pub fn partitions(&self, wanted: u32) -> u32 {
        match self.kind {
            Database::Sqlite { .. } => 1,
            Database::Postgres { .. } => wanted.max(1),
        }
    }

    /// True when no other server can use this database: leases of a dead process are void at once.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        matches!(self.kind, Database::Sqlite { .. })
    }

    /// The turn to write; nothing to wait for on PostgreSQL.
    async fn lock_writes(&self) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        match &self.kind {
            Database::Sqlite { write_lock, .. } => Some(Arc::clone(write_lock).lock_owned().await),
            Database::Postgres { .. } => None,
        }
    }
}
