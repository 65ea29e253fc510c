//! The calls of older programs, unchanged, and the pages of other origins that send them.

#![allow(clippy::allow_attributes, reason = "the next attribute has no `expect` that fits")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::format_collect,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod import_jobs;
mod origins;
mod product_stream;
