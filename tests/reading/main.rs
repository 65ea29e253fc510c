//! How files are read: text in every dialect, workbooks of every kind, and those that mean harm.

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

mod broken;
mod cells;
mod delimiters;
mod encodings;
mod hostile;
mod lines;
mod products;
mod workbooks;
