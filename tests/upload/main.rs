//! What an upload is answered with: the job, or a refusal that says what was found and what would
//! be right, and leaves nothing behind.

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

mod accepted;
mod bodies;
mod content;
mod forms;
mod header;
mod idempotency;
mod size;
