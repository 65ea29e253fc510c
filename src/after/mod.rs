//! What follows a finished job: its records are passed on to the search engine, and webhooks are notified. Reads the outbox, which
//! the store fills in the transactions of the jobs; an import never waits for anything here.
//!
//! Knows no HTTP server and no way to run a job.

pub mod search;
pub mod webhooks;
