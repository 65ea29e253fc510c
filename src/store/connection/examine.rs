//! A look at the database that changes nothing: whether it answers, what is to be done to its tables,
//! which rights the role lacks, and how far its clock is from that of this machine.

use chrono::{DateTime, TimeDelta, Utc};
use migration::Migrator;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::store::connection::migrate::{self, Pending};
use crate::store::connection::open::StoreSettings;
use crate::store::connection::probe;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

/// What a look at the database found.
#[derive(Debug, Clone)]
pub struct DatabaseState {
    /// Which database, and its version where it has one of its own.
    pub name: String,
    /// Migrations that are to be done, oldest first.
    pub pending: Vec<String>,
    /// A migration that a newer program did.
    pub unknown: Option<String>,
    /// How far the clock of the database is ahead of this machine's; nothing of SQLite, which has none.
    pub clock_ahead: Option<TimeDelta>,
}

impl DatabaseState {
    /// True when the tables are those of this program.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.pending.is_empty() && self.unknown.is_none()
    }

    /// Looks at the database.
    ///
    /// # Errors
    /// When it does not answer, cannot be used, or lacks a right.
    pub async fn of(settings: &StoreSettings) -> Result<Self, StoreError> {
        if let Some(path) = settings.sqlite_file().filter(|path| !path.exists()) {
            let name = format!("SQLite in {}", path.display());
            let pending = Migrator::names();
            return Ok(Self { name, pending, unknown: None, clock_ahead: None });
        }
        let store = Store::open_as_it_is(settings).await?;
        let found = store.examine().await;
        store.close().await;
        found
    }
}

impl Store {
    async fn examine(&self) -> Result<DatabaseState, StoreError> {
        let (name, home) = match &self.kind {
            Database::Sqlite { path, .. } => (format!("SQLite in {}", path.display()), None),
            Database::Postgres { sessions } => {
                probe::refuse_shared_sessions(sessions).await?;
                (format!("PostgreSQL {}", sessions.version_text()), sessions.home.as_ref())
            }
        };
        let pending = migrate::pending(&self.read, home).await?;
        let (pending, unknown) = pending.map(Pending::parts).unwrap_or_default();
        if pending.is_empty() {
            self.check_own_rights().await?;
        }
        Ok(DatabaseState { name, pending, unknown, clock_ahead: self.clock_ahead().await? })
    }

    async fn clock_ahead(&self) -> Result<Option<TimeDelta>, StoreError> {
        let Database::Postgres { .. } = self.kind else { return Ok(None) };
        let action = "ask for the time";
        let ask = Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp() AS now");
        let row = self.read.query_one_raw(ask).await.context(action)?;
        let row = row.ok_or(sea_orm::DbErr::RecordNotFound(action.to_owned())).context(action)?;
        let now: DateTime<Utc> = row.try_get("", "now").context(action)?;
        Ok(Some(now - Utc::now()))
    }
}
