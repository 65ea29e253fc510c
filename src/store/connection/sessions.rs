//! Sessions on PostgreSQL, and the limits that each is opened with: a server that froze or was cut
//! off gives up its locks soon after its lease, and no question waits for ever for an answer. What a
//! database administrator sets for the role or the database is meant for people: it does not end jobs.

use std::io;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::store::connection::home::Home;
use crate::store::connection::idle_writers::IdleWriters;
use crate::store::connection::keepalive;

/// How long a start waits for a connection to a database that answered just now.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a request may wait for a connection before the answer is 503.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a chunk writer waits for its connection. Until it stands no probe watches whether its other
/// end is still there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Leases in which a transaction must show a sign of life. By then another server may have its job.
const IDLE_LEASES: u32 = 2;

/// The shortest time that a transaction may be silent: between two statements of a chunk a file may
/// have to be written.
const IDLE_MIN: Duration = Duration::from_secs(5);

/// How long ago a connection must have been used to be asked whether it lives.
const TRUSTED: Duration = Duration::from_millis(500);

/// How long a question waits for a lock: a frozen server may hold it for longer.
const LOCK_TIMEOUT: &str = "5s";

/// How long a statement of a request may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a list may take, and what else a person looks at.
pub(crate) const LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection for the question whether the database is there is kept: what an
/// administrator sets holds for new sessions.
const PROBE_LIFETIME: Duration = Duration::from_secs(5);

/// The first versions that have these settings, as `server_version_num` gives them.
const HAS_IDLE_SESSION_TIMEOUT: u32 = 140_000;
const HAS_TRANSACTION_TIMEOUT: u32 = 170_000;

/// How sessions are opened.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    options: PgConnectOptions,
    idle_in_transaction: Duration,
    /// As `server_version_num` gives it.
    version: u32,
    /// The schema of Loadbay's tables, unless they are where the role's own search path finds them.
    pub(crate) home: Option<Home>,
    /// Connections of chunk writers between two jobs.
    pub(crate) idle_writers: IdleWriters<PgConnection>,
}

impl Sessions {
    /// The version of the server as people write it: `16.4`.
    pub(super) fn version_text(&self) -> String {
        format!("{}.{}", self.version / 10_000, self.version % 10_000)
    }

    /// Sessions of a server that keeps its jobs for `lease` without a sign of life.
    pub(crate) fn new(options: PgConnectOptions, version: u32, lease: Duration) -> Self {
        Self {
            options,
            idle_in_transaction: (lease * IDLE_LEASES).max(IDLE_MIN),
            version,
            home: None,
            idle_writers: IdleWriters::default(),
        }
    }

    /// A pool for short questions, each of which may take as long as `limit`; opens its connections
    /// when they are needed.
    pub(crate) fn pool(&self, connections: u32, limit: Option<Duration>) -> PgPool {
        let options = self.pool_options(connections, limit);
        options.connect_lazy_with(self.options.clone())
    }

    /// One connection for the question whether the database is there.
    pub(crate) fn probe_pool(&self) -> PgPool {
        let options = self.pool_options(1, Some(LIST_TIMEOUT)).max_lifetime(PROBE_LIFETIME);
        options.connect_lazy_with(self.options.clone())
    }

    fn pool_options(&self, connections: u32, limit: Option<Duration>) -> PgPoolOptions {
        // The ROLLBACK below warns each time that there is nothing to roll back.
        let more = format!("SET lock_timeout = '{LOCK_TIMEOUT}'; SET client_min_messages = error");
        let settings = self.settings(limit, &more);
        let port = self.options.get_port();
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A connection that was used a moment ago needs no question whether it lives.
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(
                    async move { Ok(meta.idle_for < TRUSTED || connection.ping().await.is_ok()) },
                )
            })
            .after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move {
                    keepalive::watch_peers(port);
                    sqlx::raw_sql(AssertSqlSafe(settings)).execute(connection).await?;
                    Ok(())
                })
            })
            // A request that was dropped while it began a transaction must not hand its
            // connection on inside of it (sqlx issue 4385).
            .after_release(|connection, _| {
                Box::pin(async move {
                    sqlx::raw_sql("ROLLBACK").execute(connection).await?;
                    Ok(true)
                })
            })
    }

    /// Connections without limits, for a migration, which may wait for another server's.
    pub(crate) fn patient_pool(&self) -> PgPool {
        // What is there already is no news.
        let settings =
            self.settings(None, "SET lock_timeout = 0; SET client_min_messages = warning");
        PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(START_TIMEOUT)
            .after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(settings)).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// A connection that a chunk writer has for itself. It waits for locks as long as it takes:
    /// another job may hold them for the length of a chunk.
    pub(crate) async fn writer(&self) -> Result<PgConnection, sqlx::Error> {
        self.writer_within(CONNECT_TIMEOUT).await
    }

    async fn writer_within(&self, limit: Duration) -> Result<PgConnection, sqlx::Error> {
        // It is in no pool: one that is given up half-way goes as a whole.
        let connected = tokio::time::timeout(limit, self.connect()).await;
        connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        keepalive::watch_peers(self.options.get_port());
        // Compiling a statement of a chunk would take longer than running it.
        let settings = self.settings(
            None,
            "SET lock_timeout = 0; SET jit = off; SET client_min_messages = warning; \
             SET TIME ZONE 'UTC'",
        );
        sqlx::raw_sql(AssertSqlSafe(settings)).execute(&mut connection).await?;
        Ok(connection)
    }

    /// What every session sets, whatever the role or the database has set, and `more`; no statement
    /// takes longer than `limit`. The `tcp_` settings are PostgreSQL's side of what `keepalive` does
    /// on ours.
    fn settings(&self, limit: Option<Duration>, more: &str) -> String {
        let mut settings = format!(
            "SET statement_timeout = {}; SET default_transaction_isolation = 'read committed'; ",
            limit.unwrap_or_default().as_millis()
        );
        if let Some(home) = &self.home {
            settings.push_str("SET search_path = ");
            settings.push_str(&home.search_path);
            settings.push_str("; ");
        }
        if self.version >= HAS_IDLE_SESSION_TIMEOUT {
            settings.push_str("SET idle_session_timeout = 0; ");
        }
        if self.version >= HAS_TRANSACTION_TIMEOUT {
            settings.push_str("SET transaction_timeout = 0; ");
        }
        let (idle, user) =
            (self.idle_in_transaction.as_millis(), keepalive::SILENCE_MAX.as_millis());
        let (first, next) = (keepalive::IDLE.as_secs(), keepalive::INTERVAL.as_secs());
        let more = format!(
            "SET idle_in_transaction_session_timeout = {idle}; SET tcp_user_timeout = {user}; \
             SET tcp_keepalives_idle = {first}; SET tcp_keepalives_interval = {next}; \
             SET tcp_keepalives_count = {}; {more}",
            keepalive::PROBES
        );
        settings.push_str(&more);
        settings
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::store::error::ErrorContext;

    #[tokio::test]
    async fn a_writer_does_not_wait_for_ever_for_a_server_that_says_nothing() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port);
        let sessions = Sessions::new(options, 150_000, Duration::from_secs(30));
        let limit = Duration::from_millis(50);
        let given_up = sessions.writer_within(limit).await.context("connect").err().unwrap();
        assert!(given_up.is_transient(), "{given_up:?}");
    }
}
