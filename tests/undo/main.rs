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
#[path = "../survival/mod.rs"]
mod survival;

#[path = "../model/files.rs"]
#[allow(dead_code, reason = "the model itself is not needed here")]
mod files;

mod asking;
mod basics;
mod changed;
mod disturbed;
mod modes;
mod needed;
mod own_table;
mod random;
mod reached;
mod redefined;
mod refused;
mod tables;
mod two_servers;
