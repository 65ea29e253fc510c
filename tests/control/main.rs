//! Steering jobs: what may be asked of a job when, and what it does to the job, to those that wait
//! behind it and to the table; rows that are imported again, and the list of those that are left.

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
#[path = "../survival/mod.rs"]
mod survival;

mod actions;
mod asking;
mod children;
mod deleting;
mod elsewhere;
mod left_over;
mod lists;
mod order;
mod pausing;
mod retrying;
mod steer;
