//! What differs between the two databases: clocks, locks, limits, the catalog. Opening connections
//! is in `connection`, writing rows in `postgres` and `sqlite`.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, SubsecRound, Utc};
use entity::import_log::Column;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Value};
use tokio::sync::OwnedMutexGuard;

use crate::store::error::{ErrorContext, StoreError};
use crate::store::sqlite::busy_timeout::BusyTimeout;
use crate::store::{Database, Store};

/// Key of the advisory lock under which concurrency slots are given away.
const SLOTS_LOCK: i64 = 0x4c6f_6164_6261_7902;

/// First half of the keys of advisory locks on an `Idempotency-Key`; the second is its hash.
const KEYS_LOCK: i32 = 0x4c6f_6164;

/// How the catalog of the database is read. Parameters: the table; its schema, empty where the
/// search path decides.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct CatalogSql {
    /// Its columns.
    pub(in crate::store) columns: &'static str,
    /// The columns of each of its unique keys, joined by the character 31.
    pub(in crate::store) unique: &'static str,
}

/// The number of the table. A schema that may not be used is no fault here: rights are asked for.
macro_rules! postgres_table {
    () => {
        "(CASE WHEN $2 = '' THEN to_regclass(quote_ident($1))::oid ELSE (SELECT c.oid FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2 AND c.relname = $1) END)"
    };
}

/// Columns of a table as the database sees it. Of a domain its type counts.
const POSTGRES_COLUMNS: &str = concat!(
    "SELECT a.attname AS name, b.typname AS sql_type, \
     NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS nullable, \
     (a.atthasdef OR a.attidentity <> '') AS has_default, \
     CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS default_sql, \
     (a.attgenerated <> '' OR a.attidentity = 'a') AS is_generated, \
     (SELECT string_agg(e.enumlabel, chr(31) ORDER BY e.enumsortorder) FROM pg_enum e \
     WHERE e.enumtypid = b.oid) AS labels, \
     CASE WHEN b.typtype = 'e' THEN format_type(b.oid, NULL) END AS enum_type, \
     CASE WHEN c.relkind IN ('v', 'm') THEN 'view' WHEN c.relkind = 'p' THEN 'partitioned' \
     WHEN c.relkind = 'f' THEN 'foreign' WHEN c.relhasrules THEN 'ruled' ELSE 'table' END AS kind, \
     information_schema._pg_char_max_length(b.oid, \
     information_schema._pg_truetypmod(a.*, t.*))::int AS max_length, \
     information_schema._pg_numeric_precision(b.oid, \
     information_schema._pg_truetypmod(a.*, t.*))::int AS num_precision, \
     information_schema._pg_numeric_scale(b.oid, \
     information_schema._pg_truetypmod(a.*, t.*))::int AS num_scale \
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
     JOIN pg_type t ON t.oid = a.atttypid \
     JOIN pg_type b ON b.oid = information_schema._pg_truetypid(a.*, t.*) \
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
     WHERE a.attrelid = ",
    postgres_table!(),
    " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
);

/// Columns of every unique index that holds for all rows and speaks of plain columns.
const POSTGRES_UNIQUE: &str = concat!(
    "SELECT array_to_string(ARRAY(SELECT a.attname \
     FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
     WHERE k.place <= i.indnkeyatts ORDER BY k.place), \
     E'\\x1f') AS columns FROM pg_index i WHERE i.indrelid = ",
    postgres_table!(),
    " \
     AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
);

/// A table without a number of its rows cannot be written by that number.
const SQLITE_COLUMNS: &str = "SELECT name, type AS sql_type, \"notnull\" = 0 AS nullable, \
     (dflt_value IS NOT NULL OR (pk = 1 AND lower(type) = 'integer')) AS has_default, \
     dflt_value AS default_sql, hidden IN (2, 3) AS is_generated, \
     (SELECT CASE WHEN l.type = 'table' AND l.wr THEN 'without rowid' ELSE l.type END \
     FROM pragma_table_list($1) l WHERE l.schema = 'main') AS kind \
     FROM pragma_table_xinfo($1) WHERE $2 IN ('', 'main') AND hidden <> 1 ORDER BY cid";

const SQLITE_UNIQUE: &str = "SELECT (SELECT group_concat(name, char(31)) \
     FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) AS columns \
     FROM pragma_index_list($1) l WHERE $2 IN ('', 'main') AND l.\"unique\" = 1 AND l.partial = 0 \
     AND NOT EXISTS (SELECT 1 FROM pragma_index_xinfo(l.name) x \
     WHERE x.key = 1 AND (x.cid < 0 OR x.coll <> 'BINARY')) \
     UNION ALL SELECT group_concat(name, char(31)) FROM (SELECT name FROM pragma_table_info($1) \
     WHERE pk > 0 ORDER BY pk) HAVING count(*) > 0";

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
            Database::Postgres { .. } => Ord::max(wanted, 1),
        }
    }

    /// True when no other server can use this database: leases of a dead process are void at once.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        matches!(self.kind, Database::Sqlite { .. })
    }

    /// The turn to write; nothing to wait for on PostgreSQL.
    pub(in crate::store) async fn lock_writes(&self) -> Option<OwnedMutexGuard<BusyTimeout>> {
        match &self.kind {
            Database::Sqlite { write_lock, .. } => {
                let asked = Instant::now();
                let mut turn = Arc::clone(write_lock).lock_owned().await;
                turn.set_after(asked.elapsed(), &self.write).await;
                Some(turn)
            }
            Database::Postgres { .. } => None,
        }
    }

    /// The SQL that the database takes.
    pub(in crate::store) fn backend(&self) -> DbBackend {
        match self.kind {
            Database::Sqlite { .. } => DbBackend::Sqlite,
            Database::Postgres { .. } => DbBackend::Postgres,
        }
    }

    pub(in crate::store) fn catalog_sql(&self) -> CatalogSql {
        match self.kind {
            Database::Sqlite { .. } => {
                CatalogSql { columns: SQLITE_COLUMNS, unique: SQLITE_UNIQUE }
            }
            Database::Postgres { .. } => {
                CatalogSql { columns: POSTGRES_COLUMNS, unique: POSTGRES_UNIQUE }
            }
        }
    }

    /// Leaves rows out that another transaction holds locked, and locks those that are selected.
    /// SQLite locks no rows.
    pub(in crate::store) fn skip_locked(&self, select: &mut SelectStatement) {
        if let Database::Postgres { .. } = self.kind {
            select.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        }
    }

    /// Waits until no other server gives concurrency slots away. None will until the transaction ends.
    pub(in crate::store) async fn lock_slots(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<(), StoreError> {
        if let Database::Postgres { .. } = self.kind {
            let lock = Expr::cust_with_values("pg_advisory_xact_lock($1)", [SLOTS_LOCK]);
            let lock = Query::select().expr(lock).to_owned();
            transaction.query_one(&lock).await.context("wait for the claims of others")?;
        }
        Ok(())
    }

    /// Waits until no other request stores a job under this key. None will until the transaction ends.
    pub(in crate::store) async fn lock_key(
        &self,
        transaction: &DatabaseTransaction,
        key: &str,
    ) -> Result<(), StoreError> {
        if let Database::Postgres { .. } = self.kind {
            let lock = Expr::cust_with_values(
                "pg_advisory_xact_lock($1, hashtext($2))",
                [Value::from(KEYS_LOCK), Value::from(key)],
            );
            let lock = Query::select().expr(lock).to_owned();
            transaction.query_one(&lock).await.context("wait for the same Idempotency-Key")?;
        }
        Ok(())
    }

    /// Now by the database's clock: what [`now`](Self::now) would give.
    pub(in crate::store) async fn time(
        &self,
        transaction: &DatabaseTransaction,
    ) -> Result<DateTime<Utc>, StoreError> {
        let action = "ask for the time";
        match self.kind {
            Database::Sqlite { .. } => Ok(now_utc()),
            Database::Postgres { .. } => {
                let now = Query::select().expr_as(self.now(), "now").to_owned();
                let row = transaction.query_one(&now).await.context(action)?;
                let row = row.ok_or(sea_orm::DbErr::RecordNotFound(action.to_owned()));
                row.context(action)?.try_get("", "now").context(action)
            }
        }
    }

    /// Now by the database's clock, as an expression: servers' clocks may differ, leases must not.
    /// When the statement begins, not when its transaction did: that one may have waited for a lock.
    pub(in crate::store) fn now(&self) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::value(now_utc()),
            Database::Postgres { .. } => Expr::cust("statement_timestamp()"),
        }
    }

    /// True while the lease of a job runs, also after the statement has waited for the job's row.
    pub(in crate::store) fn lease_runs(&self) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::col(Column::LeaseExpiresAt).gte(now_utc()),
            Database::Postgres { .. } => lease_runs_on_postgres(),
        }
    }

    /// A time that lies `before` now.
    pub(in crate::store) fn ago(&self, before: std::time::Duration) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::value(now_utc() - before),
            Database::Postgres { .. } => Expr::cust("statement_timestamp()")
                .sub(Expr::cust_with_values("make_interval(secs => $1)", [before.as_secs_f64()])),
        }
    }

    /// The end of a lease that begins now.
    pub(in crate::store) fn lease_end(&self, lease: std::time::Duration) -> Expr {
        match self.kind {
            Database::Sqlite { .. } => Expr::value(now_utc() + lease),
            Database::Postgres { .. } => Expr::cust("statement_timestamp()")
                .add(Expr::cust_with_values("make_interval(secs => $1)", [lease.as_secs_f64()])),
        }
    }
}

/// Now, in the microseconds that both databases keep: what is in memory and what is read back are
/// the same to the byte.
pub(in crate::store) fn now_utc() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// This very moment, as an expression: also after the statement has waited for a row.
pub(in crate::store) fn moment(backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Postgres => Expr::cust("clock_timestamp()"),
        _ => Expr::value(now_utc()),
    }
}

/// True while the lease of a job runs. PostgreSQL checks the condition again when it gets a row that it
/// waited for. The clock goes on meanwhile: by the time at which the statement began, a lease could be
/// renewed that ran out since and whose slot was given away.
pub(in crate::store) fn lease_runs_on_postgres() -> Expr {
    Expr::col(Column::LeaseExpiresAt).gte(Expr::cust("clock_timestamp()"))
}
