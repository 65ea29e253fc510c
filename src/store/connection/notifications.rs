//! Notifying the other servers at once that a job changed, instead of leaving it to their next look
//! into the table: NOTIFY and LISTEN of PostgreSQL, with the job's number. A notification may be
//! lost; servers look into the table now and then as well.

use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use sqlx::postgres::PgListener;

use crate::store::error::{ErrorContext, StoreError};
use crate::store::{Database, Store};

/// The channel of all servers on one database.
const CHANNEL: &str = "loadbay_jobs";

/// Receives which jobs other servers changed.
#[derive(Debug)]
pub struct Notifications(PgListener);

/// Notifies all servers that a job changed, once this transaction commits. SQLite has one server.
pub(in crate::store) async fn notify(
    transaction: &DatabaseTransaction,
    job: i64,
) -> Result<(), DbErr> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        let tell =
            Expr::cust_with_values("pg_notify($1, $2)", [CHANNEL.to_owned(), job.to_string()]);
        transaction.query_one(&Query::select().expr(tell).to_owned()).await?;
    }
    Ok(())
}

impl Store {
    /// Begins to listen; `None` on a database that only one server uses.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn listen(&self) -> Result<Option<Notifications>, StoreError> {
        let action = "listen for changes of jobs";
        match &self.kind {
            Database::Sqlite { .. } => Ok(None),
            Database::Postgres { sessions } => {
                // It keeps its connection for ever: that must not be one that others wait for.
                let mut listener =
                    PgListener::connect_with(&sessions.pool(1, None)).await.context(action)?;
                listener.listen(CHANNEL).await.context(action)?;
                Ok(Some(Notifications(listener)))
            }
        }
    }
}

impl Notifications {
    /// The number of the next job that changed; `None` after an interruption in which any may have.
    ///
    /// # Errors
    /// When the connection is lost and cannot be had again.
    pub async fn next(&mut self) -> Result<Option<i64>, StoreError> {
        let received = self.0.try_recv().await.context("receive changes of jobs")?;
        Ok(received.and_then(|it| it.payload().parse().ok()))
    }
}
