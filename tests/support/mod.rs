//! What every integration test stands on: the real binary on a free port, a database of its own
//! on SQLite and on PostgreSQL, a client for each endpoint, and the guarantees that every test
//! ends with. Knows nothing of the inside of Loadbay: only what a user can see.
//!
//! ```ignore
//! use crate::support::*;
//!
//! both!(a_row_is_created, |server| {
//!     let job = server.load("products", Upload::csv("SKU,Name\nA-1,Arnica\n")).await;
//!     assert_eq!(job["counts"]["created"], 1);
//! });
//! ```

#![allow(clippy::allow_attributes, reason = "the next attribute has no `expect` that fits")]
#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code"
)]

mod client;
mod cluster;
mod database;
mod guarantees;
mod hold;
mod listener;
mod nginx;
mod raw_connection;
mod server;
mod session;
mod told;
mod typesense;
mod waiting;

pub(crate) use client::{Answer, Upload, http_client};
pub(crate) use cluster::PrivateCluster;
pub(crate) use database::{Database, Kind};
pub(crate) use guarantees::check_guarantees;
pub(crate) use hold::Hold;
pub(crate) use listener::{DeliveredEvent, Listener, Parser};
pub(crate) use nginx::Nginx;
pub(crate) use raw_connection::RawConnection;
pub(crate) use server::{Server, Settings};
pub(crate) use told::told;
pub(crate) use typesense::Typesense;
pub(crate) use waiting::{PATIENCE, before_the_next_look, wait_until};

/// A setting under which each chunk takes a few milliseconds more, so that no job is over before a
/// test can act in its middle.
pub(crate) const SLOW: (&str, &str) = ("FAILPOINTS", "partition.after=sleep(5)");

/// Writes a test that runs on SQLite and on PostgreSQL, each with a fresh server, and ends by
/// checking the guarantees for every job. Settings of the server may stand before the body:
/// `both!(name, [("LOADBAY_CHUNK_ROWS", "7")], |server| { … })`. The body gets `&mut Server`.
macro_rules! both {
    ($name:ident, |$server:ident| $body:block) => {
        both!($name, [], |$server| $body);
    };
    ($name:ident, [$($setting:expr),* $(,)?], |$server:ident| $body:block) => {
        #[allow(clippy::allow_attributes, reason = "as in the module `support`")]
        #[allow(
            clippy::wildcard_imports,
            clippy::unwrap_used,
            clippy::expect_used,
            clippy::panic,
            clippy::indexing_slicing,
            reason = "test code"
        )]
        mod $name {
            #[allow(unused_imports, reason = "not every body names something of its subject")]
            use super::*;

            async fn check($server: &mut crate::support::Server) $body

            async fn run_on(kind: crate::support::Kind) {
                let settings: &[(&str, &str)] = &[$($setting),*];
                let mut server = crate::support::Server::start_with(kind, settings).await;
                check(&mut server).await;
                server.check_every_job().await;
            }

            #[tokio::test]
            async fn on_sqlite() {
                run_on(crate::support::Kind::Sqlite).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                run_on(crate::support::Kind::Postgres).await;
            }
        }
    };
}
pub(crate) use both;
