//! Where the files of jobs lie: in a bucket or folder that servers share, so that each of them runs
//! every job, and how much room and time they get.

#![allow(clippy::allow_attributes, reason = "as in the module `support`")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "test code"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/s3.rs"]
mod s3;

mod away;
mod client;
mod files;
mod line;
mod orphans;
mod owner;
mod retention;
mod room;
mod shared;
mod switching;
