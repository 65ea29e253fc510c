//! Loadbay, a background import server: a file of any size goes in, a job number comes back at once,
//! and the rows land in the database, fast, exactly once, every one accounted for.
//!
//! `docs/architecture.md` shows the way of a row through these modules.

pub mod access;
pub mod after;
pub mod app;
pub mod cli;
pub mod client;
pub mod config;
pub mod dataset;
pub mod definitions;
pub mod domain;
pub mod faults;
pub mod files;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod page;
pub mod reader;
pub mod store;
pub mod telemetry;
