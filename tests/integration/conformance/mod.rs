//! What the store promises about jobs, whichever database it stands on: who may have a job, in
//! which order, what its owner can do and what nobody can do any more. Each fact is written once
//! and checked on a real PostgreSQL and a real SQLite file.

mod ground;

/// Writes a test that runs on SQLite and on PostgreSQL, each on a fresh database. The body gets
/// `&Ground`.
macro_rules! on_both {
    ($name:ident, |$ground:ident| $body:block) => {
        mod $name {
            #[allow(clippy::wildcard_imports, clippy::allow_attributes, reason = "test code")]
            use super::*;

            async fn check($ground: &crate::conformance::ground::Ground) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                check(&crate::conformance::ground::Ground::new(crate::support::Kind::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                check(&crate::conformance::ground::Ground::new(crate::support::Kind::Postgres).await).await;
            }
        }
    };
}
mod chunks;
mod claims;
mod order;
mod owners;
mod steering;
mod telling;
mod undone;
