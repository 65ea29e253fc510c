//! Reaching the histories of rows that are to be deleted. A deletion looks for what belongs to the
//! row, the foreign key's own look included; the histories are indexed for current records only, so
//! that an import writes no entry that it does not need. A rollback makes an index for as long as it
//! runs: without one each row that goes reads a history from end to end.

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::Owned;
use crate::dataset::model::Dataset;
use crate::store::error::{Doing, StoreError};
use crate::store::target::quoted;
use crate::store::{Kind, Store};

/// Indexes of a table (`$1`) that lead from a column (`$2`) to all rows, but for the one named `$3`.
const POSTGRES_INDEXES: &str = "SELECT i.indexrelid::regclass::text AS name FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indexrelid \
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
     WHERE i.indrelid = to_regclass(quote_ident($1)) AND a.attname = $2 AND c.relname <> $3 \
     AND i.indpred IS NULL AND i.indisvalid";

const SQLITE_INDEXES: &str = "SELECT l.name FROM pragma_index_list($1) l WHERE l.partial = 0 \
     AND l.name <> $3 AND EXISTS \
     (SELECT 1 FROM pragma_index_info(l.name) x WHERE x.seqno = 0 AND x.name = $2)";

/// The indexes that a rollback made, by their names.
#[derive(Debug, Clone, Default)]
pub struct Reach(Vec<String>);

impl Store {
    /// Makes the indexes that a rollback of `dataset` lacks; one that an earlier rollback had to
    /// leave behind serves again. Where the database does not let us, the rollback goes without.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reach_histories(&self, dataset: &Dataset) -> Result<Reach, StoreError> {
        let mut made = Vec::new();
        for (table, owner) in Owned::histories_of(dataset) {
            let name = format!("loadbay_reach_{table}");
            if self.is_reached(&table, &owner, &name).await? {
                continue;
            }
            let create = format!(
                "CREATE INDEX IF NOT EXISTS {} ON {} ({})",
                quoted(&name),
                quoted(&table),
                quoted(&owner)
            );
            let _turn = self.turn().await;
            match self.write.execute_unprepared(&create).await.doing("index a history") {
                Ok(_) => made.push(name),
                Err(error) if error.is_transient() || error.is_out_of_room() => return Err(error),
                Err(error) => {
                    tracing::warn!(table, %error, "a history has no index; taking back is slow");
                }
            }
        }
        Ok(Reach(made))
    }

    /// Removes the indexes again.
    ///
    /// # Errors
    /// When the database does not answer: they serve the next rollback then, which removes them.
    pub async fn leave_histories(&self, reach: &Reach) -> Result<(), StoreError> {
        for name in &reach.0 {
            let remove = format!("DROP INDEX IF EXISTS {}", quoted(name));
            let _turn = self.turn().await;
            self.write.execute_unprepared(&remove).await.doing("remove the index of a history")?;
        }
        Ok(())
    }

    async fn is_reached(&self, table: &str, owner: &str, own: &str) -> Result<bool, StoreError> {
        let (backend, sql) = match self.kind {
            Kind::Sqlite { .. } => (DbBackend::Sqlite, SQLITE_INDEXES),
            Kind::Postgres { .. } => (DbBackend::Postgres, POSTGRES_INDEXES),
        };
        let ask = [table.into(), owner.into(), own.into()];
        let ask = Statement::from_sql_and_values(backend, sql, ask);
        let found = self.read.query_one_raw(ask).await.doing("look for the index of a history")?;
        Ok(found.is_some())
    }
}
