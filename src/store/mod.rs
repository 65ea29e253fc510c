//! The database: the only place that names sea-orm, sqlx, rusqlite or an entity.
//!
//! sea-orm is the way to everything that Loadbay itself owns. The rows of a file go through the
//! fastest writer of each database, in one transaction with Loadbay's own rows about them
//! (`postgres`, `sqlite`). Knows no HTTP and no files of uploads.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use sea_orm::DatabaseConnection;
use tokio::sync::Mutex;

use connection::idle_writers::IdleWriters;

mod access;
mod catalog;
mod chunk;
mod client_uploads;
mod connection;
mod dialect;
mod error;
mod events;
mod export;
mod log;
mod mappings;
mod mirror;
mod outbox;
mod plain_error;
mod postgres;
mod record_filter;
mod reference_names;
mod refusal;
mod rollback;
mod sales;
mod sqlite;
mod table_digest;
mod tables;
mod webhooks;

pub use access::{NewKey, StoredKey, StoredSession};
pub use chunk::quota::EventQuota;
pub use chunk::writer::{ChunkWriter, FailedRowsSink, WholeFileWriter, WriterSettings};
pub use client_uploads::ClientUploads;
pub use connection::examine::DatabaseState;
pub use connection::notifications::Notifications;
pub use connection::open::StoreSettings;
pub use connection::pools::PoolUse;
pub use connection::start_fault::{MissingRight, StartFault};
pub use error::StoreError;
pub use events::prune::PruneScope;
pub use export::ExportPage;
pub use log::bulks::{BulkInserted, NewBulkJob};
pub use log::checkpoint::{ChunkOutcomes, CommittedChunk};
pub use log::child::{ChildInserted, ChildKind};
pub use log::claimant::{Claimant, TableConcurrency};
pub use log::control::Deletion;
pub use log::destination::Destination;
pub use log::download::DownloadedFile;
pub use log::jobs::{Inserted, JobMark};
pub use log::lease::{End, ReleaseReason};
pub use log::list::{ImportCount, ImportsPage, JobFilter, ListQuestion};
pub use log::queue::Unfinished;
pub use log::queue_state::QueueState;
pub use log::retention::KnownFolder;
pub use mirror::AbsentChunk;
pub use outbox::{ChangeKind, KeyedRecord, OutboxChange, SearchLease};
pub use sales::{Sales, SalesFilter};
pub use tables::TablesCreated;
pub use webhooks::{AttemptEnd, DueDelivery};

/// Handle on the database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// For everything that changes something; one connection on SQLite.
    write: DatabaseConnection,
    /// For short questions; the same as `write` on PostgreSQL.
    read: DatabaseConnection,
    /// For lists, which have a time limit each: they wait for each other, and nobody for them.
    lists: DatabaseConnection,
    /// For the question whether the database is there: it waits for nobody.
    probe: DatabaseConnection,
    kind: Database,
    /// The datasets of which changed records are noted in the outbox.
    noted: Arc<BTreeSet<String>>,
}

/// Which database, and what only that one needs.
#[derive(Debug, Clone)]
enum Database {
    /// The embedded database.
    Sqlite {
        path: PathBuf,
        /// SQLite has one writer. Waiting here is fair; waiting in SQLite is polling.
        write_lock: Arc<Mutex<sqlite::busy_timeout::BusyTimeout>>,
        idle_writers: IdleWriters<rusqlite::Connection>,
    },
    /// A PostgreSQL server.
    Postgres {
        /// Opens connections that are in no pool.
        sessions: Box<connection::sessions::Sessions>,
    },
}
