//! Streams of events: what a listener is told of a job and of all jobs, whenever it comes, however
//! often its connection is cut, and whether or not it listens.

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
mod crowd;
mod every_job;
mod files;
mod replay;
mod sequence;
mod stopping;
mod upload;
