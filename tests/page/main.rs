//! The web page in a real browser: what somebody sees who drops a file on it, watches the job, and
//! mends what failed. What a row becomes is tested elsewhere, on both databases; here it is SQLite.

#![allow(clippy::allow_attributes, reason = "as in the module `support`")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "test code"
)]

mod browser;
mod files;
mod hands;
#[path = "../support/mod.rs"]
mod support;
mod visit;
#[path = "../integration/far/web.rs"]
#[allow(dead_code, reason = "its own tests use all of it")]
mod web;

mod below_path;
mod bulks;
mod calls;
mod control;
mod datasets;
mod dry_run;
mod failures;
mod looks;
mod older_clients;
mod pictures;
mod sign_in;
mod upload;
mod watch;

/// Writes a test in which somebody visits the page of a fresh server. It ends by checking the page's
/// console and the guarantees for every job. The body gets `&mut Server` and `&mut Visit`.
macro_rules! visits {
    ($name:ident, |$server:ident, $visit:ident| $body:block) => {
        visits!($name, [], |$server, $visit| $body);
    };
    ($name:ident, [$($setting:expr),* $(,)?], |$server:ident, $visit:ident| $body:block) => {
        #[tokio::test]
        async fn $name() {
            async fn check($server: &mut crate::support::Server, $visit: &mut crate::visit::Visit)
                $body

            let settings: &[(&str, &str)] = &[$($setting),*];
            let kind = crate::support::Kind::Sqlite;
            let mut server = crate::support::Server::start_with(kind, settings).await;
            let mut visit = crate::visit::Visit::begin(&server).await;
            check(&mut server, &mut visit).await;
            visit.end().await;
            server.check_every_job().await;
        }
    };
}
use visits;
