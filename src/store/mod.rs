//! The database: the only place that names sea-orm, sqlx, rusqlite or an entity.
//!
//! sea-orm is the way to everything that Loadbay itself owns. The rows of a file go through the
//! fastest writer of each database, in one transaction with Loadbay's own rows about them
//! (`postgres`, `sqlite`). Knows no HTTP and no files of uploads.

use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::Mutex;

pub(crate) mod accounts;
mod checkpoint;
mod claim;
mod connect;
mod control;
mod destination;
mod error;
mod events;
mod identity;
mod jobs;
mod keepalive;
mod notes;
mod notify;
mod places;
mod postgres;
mod queue;
mod references;
mod retention;
mod row_notes;
mod rows;
mod sessions;
mod shape;
mod sqlite;
mod stored;
mod target;
mod thin;
mod told;
mod undo;
mod writer;

pub use checkpoint::CommittedChunk;
pub use claim::Claimant;
pub use connect::StoreSettings;
pub use control::Deletion;
pub use destination::Destination;
pub use error::StoreError;
pub use jobs::{Inserted, JobFilter, JobMark};
pub use notify::Notifications;
pub use places::TableLimit;
pub use queue::{End, GivenBack};
pub use retention::KnownFolder;
pub use row_notes::SupersededRow;
pub use thin::Thin;
pub use undo::RollbackInserted;
pub use writer::{ChunkWriter, KeepFailed, NotesLeft, WriterSettings, Written};

/// Handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For everything that changes something; one connection on SQLite.
    write: DatabaseConnection,
    /// For everything else; the same as `write` on PostgreSQL.
    read: DatabaseConnection,
    kind: Kind,
}

/// Which database, and what only that one needs.
#[derive(Debug, Clone)]
enum Kind {
    /// The embedded database.
    Sqlite {
        path: PathBuf,
        /// SQLite has one writer. Waiting here is fair; waiting in SQLite is polling.
        gate: Arc<Mutex<()>>,
    },
    /// A PostgreSQL server.
    Postgres {
        /// For the connections that somebody has for himself.
        sessions: Box<sessions::Sessions>,
    },
}

impl Store {
    /// Digits of a decimal that the database keeps without loss.
    #[must_use]
    pub fn decimal_digits_max(&self) -> u8 {
        match self.kind {
            Kind::Sqlite { .. } => 15,
            Kind::Postgres { .. } => 18,
        }
    }

    /// Writers that may work on one job at a time, when the settings ask for `wanted`.
    #[must_use]
    pub fn partitions(&self, wanted: u32) -> u32 {
        match self.kind {
            Kind::Sqlite { .. } => 1,
            Kind::Postgres { .. } => wanted.max(1),
        }
    }

    /// True when no other server can use this database: leases of a dead process are void at once.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        matches!(self.kind, Kind::Sqlite { .. })
    }

    /// The turn to write; nothing to wait for on PostgreSQL.
    async fn turn(&self) -> Option<tokio::sync::OwnedMutexGuard<()>> {
        match &self.kind {
            Kind::Sqlite { gate, .. } => Some(Arc::clone(gate).lock_owned().await),
            Kind::Postgres { .. } => None,
        }
    }
}
