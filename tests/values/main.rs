//! What becomes of the values of a row: stored exactly, or refused with a reason for each fault; and
//! the list of the refused rows, which comes back to be mended.

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

mod failed_rows;
mod listing;
mod numbers;
mod outcome;
mod rows;
mod texts;
mod workbook_list;
