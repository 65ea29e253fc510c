//! Reaching the histories of rows that are to be deleted. A deletion looks for what belongs to the
//! row, the foreign key's own look included; the histories are indexed for current records only, so
//! that an import writes no entry that it does not need. A rollback makes an index for as long as it
//! runs: without one each row that goes reads a history from end to end.

use entity::import_log;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement,
    TransactionTrait,
};

use super::sql::owned;
use crate::dataset::TableName;
use crate::dataset::model::Dataset;
use crate::store::chunk::target::{quoted, quoted_table};
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::ends;
use crate::store::{Database, Store};

/// Indexes of a table (`$1`) that lead from a column (`$2`) to all rows, but for the one named `$3`.
const POSTGRES_INDEXES: &str = "SELECT i.indexrelid::regclass::text AS name FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indexrelid \
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
     WHERE i.indrelid = to_regclass($1) AND a.attname = $2 AND c.relname <> $3 \
     AND i.indpred IS NULL AND i.indisvalid";

const SQLITE_INDEXES: &str = "SELECT l.name FROM pragma_index_list($1) l WHERE l.partial = 0 \
     AND l.name <> $3 AND EXISTS \
     (SELECT 1 FROM pragma_index_info(l.name) x WHERE x.seqno = 0 AND x.name = $2)";

/// The indexes that rollbacks made and left, as SQL writes their names.
const POSTGRES_LEFT: &str = "SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'i' \
     AND starts_with(c.relname::text, $1) AND pg_has_role(c.relowner, 'USAGE')";

const SQLITE_LEFT: &str = "SELECT '\"' || replace(name, '\"', '\"\"') || '\"' AS name FROM sqlite_master \
     WHERE type = 'index' AND substr(name, 1, length($1)) = $1";

/// What the names of our indexes begin with.
const PREFIX: &str = "loadbay_reach_";

impl Store {
    /// Makes the indexes that a rollback of `dataset` lacks; one that an earlier rollback had to
    /// leave behind serves again. Where the database does not let us, the rollback goes without;
    /// also where others hold the table: a session that waits for us would wait as long as we do.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn create_rollback_indexes(&self, dataset: &Dataset) -> Result<(), StoreError> {
        for (table, owner) in owned(dataset) {
            let name = format!("{PREFIX}{}", TableName::of(&table).name);
            if self.has_index(&table, &owner, &name).await? {
                continue;
            }
            let create = format!(
                "CREATE INDEX IF NOT EXISTS {} ON {} ({})",
                quoted(&name),
                quoted_table(&table),
                quoted(&owner)
            );
            let _guard = self.lock_writes().await;
            match self.write.execute_unprepared(&create).await.context("index a history") {
                Err(error)
                    if (error.is_transient() && !error.is_lock_timeout())
                        || error.is_storage_full() =>
                {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(
                        event = "index_refused",
                        table,
                        %error,
                        "history has no index, the rollback is slow"
                    );
                }
                Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Removes all indexes that rollbacks made, when none is left that needs them: none that has not
    /// ended but `at_its_end`.
    ///
    /// # Errors
    /// When the database does not answer: they serve the next rollback then, which removes them.
    pub async fn drop_rollback_indexes(&self, at_its_end: Option<i64>) -> Result<(), StoreError> {
        let action = "remove the index of a history";
        let _guard = self.lock_writes().await;
        if self.any_rollback_but(&self.write, at_its_end).await? {
            return Ok(());
        }
        let (backend, sql) = match self.kind {
            Database::Sqlite { .. } => (DbBackend::Sqlite, SQLITE_LEFT),
            Database::Postgres { .. } => (DbBackend::Postgres, POSTGRES_LEFT),
        };
        let ask = Statement::from_sql_and_values(backend, sql, [PREFIX.into()]);
        for row in self.write.query_all_raw(ask).await.context(action)? {
            let name: String = row.try_get("", "name").context(action)?;
            let transaction = self.write.begin().await.context(action)?;
            let remove = format!("DROP INDEX IF EXISTS {name}");
            transaction.execute_unprepared(&remove).await.context(action)?;
            // The table is locked now: who comes from here on makes the index anew, behind us.
            if self.any_rollback_but(&transaction, at_its_end).await? {
                return transaction.rollback().await.context(action);
            }
            transaction.commit().await.context(action)?;
        }
        Ok(())
    }

    /// True when a rollback has not ended, other than `but`.
    async fn any_rollback_but(
        &self,
        connection: &impl ConnectionTrait,
        but: Option<i64>,
    ) -> Result<bool, StoreError> {
        let mut others = import_log::Entity::find()
            .filter(import_log::Column::RollbackOf.is_not_null())
            .filter(import_log::Column::ImportStatus.is_not_in(ends()));
        if let Some(but) = but {
            others = others.filter(import_log::Column::Id.ne(but));
        }
        let found = others.count(connection).await.context("look for other rollbacks")?;
        Ok(found > 0)
    }

    async fn has_index(&self, table: &str, owner: &str, own: &str) -> Result<bool, StoreError> {
        let (backend, sql) = match self.kind {
            Database::Sqlite { .. } => (DbBackend::Sqlite, SQLITE_INDEXES),
            Database::Postgres { .. } => (DbBackend::Postgres, POSTGRES_INDEXES),
        };
        let table = match self.kind {
            Database::Sqlite { .. } => TableName::of(table).name,
            Database::Postgres { .. } => quoted_table(table),
        };
        let ask = [table.into(), owner.into(), own.into()];
        let ask = Statement::from_sql_and_values(backend, sql, ask);
        let found =
            self.read.query_one_raw(ask).await.context("look for the index of a history")?;
        Ok(found.is_some())
    }
}
