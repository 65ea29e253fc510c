//! What is asked about jobs and the server: status, list, cancel, datasets, templates, health.

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

mod addresses;
mod cancelling;
mod datasets;
mod forgetting;
mod listing;
mod polling;
