//! The state of a table as one short text: its number of rows and the sum of their hashes. Two equal texts
//! are two equal tables, whatever the order of their rows. Reads the table from end to end.

use std::path::Path;

use entity::import_log;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};
use xxhash_rust::xxh3::Xxh3;

use crate::dataset::model::Dataset;
use crate::domain::job::Job;
use crate::store::chunk::target::quoted_table;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

const ACTION: &str = "read the state of a table";

impl Store {
    /// The state of the table of a dataset, and of its join tables.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn table_digest(&self, dataset: &Dataset) -> Result<String, StoreError> {
        let mut digest = self.digest_of(&dataset.table).await?;
        for join in dataset.joins() {
            digest.push(' ');
            digest.push_str(&self.digest_of(&join.table).await?);
        }
        Ok(digest)
    }

    async fn digest_of(&self, table: &str) -> Result<String, StoreError> {
        match &self.kind {
            Database::Sqlite { path, .. } => {
                let (path, table) = (path.clone(), table.to_owned());
                let read = tokio::task::spawn_blocking(move || sqlite_digest(&path, &table));
                read.await.map_err(|_| StoreError::WriterDied)?.context(ACTION)
            }
            Database::Postgres { .. } => {
                let sql = format!(
                    "SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS digest \
                     FROM {} AS t",
                    quoted_table(table)
                );
                let ask = Statement::from_string(self.backend(), sql);
                let row = self.write.query_one_raw(ask).await.context(ACTION)?;
                let digest = row.map(|row| row.try_get("", "digest")).transpose();
                Ok(digest.context(ACTION)?.unwrap_or_default())
            }
        }
    }

    /// Keeps the state of the table as it is when the dry run begins; a run that continues keeps the first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_table_digest(&self, job: &Job, dataset: &Dataset) -> Result<(), StoreError> {
        use import_log::Column as C;
        let known = self.kept_table_digest(job.id).await?;
        if known.is_some() {
            return Ok(());
        }
        let digest = self.table_digest(dataset).await?;
        let _guard = self.lock_writes().await;
        import_log::Entity::update_many()
            .col_expr(C::TableDigest, Expr::value(digest))
            .filter(C::Id.eq(job.id))
            .filter(C::TableDigest.is_null())
            .exec(&self.write)
            .await
            .context(ACTION)?;
        Ok(())
    }

    /// The state of the table when the dry run began.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn kept_table_digest(&self, id: i64) -> Result<Option<String>, StoreError> {
        let row = import_log::Entity::find_by_id(id).one(&self.read).await.context(ACTION)?;
        Ok(row.and_then(|row| row.table_digest))
    }
}

fn sqlite_digest(path: &Path, table: &str) -> rusqlite::Result<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let mut select = connection.prepare(&format!("SELECT * FROM {}", quoted_table(table)))?;
    let columns = select.column_count();
    let (mut rows, mut sum) = (0_u64, 0_u128);
    let mut found = select.query([])?;
    while let Some(row) = found.next()? {
        let mut hash = Xxh3::new();
        for column in 0..columns {
            add_value(&mut hash, row.get_ref(column)?);
        }
        sum = sum.wrapping_add(hash.digest128());
        rows += 1;
    }
    Ok(format!("{rows}:{sum}"))
}

/// Adds a value so that no two rows of different values give the same bytes.
fn add_value(hash: &mut Xxh3, value: ValueRef<'_>) {
    let mut add = |kind: u8, bytes: &[u8]| {
        hash.update(&[kind]);
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    match value {
        ValueRef::Null => add(0, &[]),
        ValueRef::Integer(number) => add(1, &number.to_le_bytes()),
        ValueRef::Real(number) => add(2, &number.to_le_bytes()),
        ValueRef::Text(text) => add(3, text),
        ValueRef::Blob(bytes) => add(4, bytes),
    }
}
