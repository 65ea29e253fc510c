//! How the connections of a store are used.

use sea_orm::DatabaseConnection;

use crate::store::{Database, Store};

/// How the connections of a pool are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolUse {
    /// Those that are open.
    pub open: u64,
    /// Those of them that nobody uses.
    pub idle: u64,
    /// Those that may be open.
    pub max: u64,
}

impl Store {
    /// How the connections for questions and changes are used; on SQLite those for questions, there
    /// is one for changes.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        self.use_of(&self.read)
    }

    /// How the connections for lists are used.
    #[must_use]
    pub fn list_pool_use(&self) -> PoolUse {
        self.use_of(&self.lists)
    }

    fn use_of(&self, database: &DatabaseConnection) -> PoolUse {
        let (open, idle, max) = match &self.kind {
            Database::Sqlite { .. } => {
                let pool = database.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
            Database::Postgres { .. } => {
                let pool = database.get_postgres_connection_pool();
                (pool.size(), pool.num_idle(), pool.options().get_max_connections())
            }
        };
        PoolUse { open: open.into(), idle: idle as u64, max: max.into() }
    }
}
