//! Imports that are taken back: what they created goes, what they updated gets its former values,
//! what was changed since stays and is reported; whatever happens on the way.

#![allow(clippy::allow_attributes, reason = "the next attribute has no `expect` that fits")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod asking;
mod basics;
mod changed;
//X mod disturbed;
//X mod modes;
//X mod own_table;
//X mod random;
//X mod refused;
mod tables;
//X mod two_servers;
