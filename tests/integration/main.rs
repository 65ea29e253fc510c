//! What a server does, seen from outside: the real binary on a free port with a database of its
//! own, on SQLite and on PostgreSQL. Two subjects call the library instead: `conformance` holds the
//! store to its contract, `reader_corpus` the reader.

#![allow(clippy::allow_attributes, reason = "not every lint of the next list fires")]
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::format_collect,
    clippy::format_push_string,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "test code"
)]

mod s3;
#[path = "../support/mod.rs"]
mod support;
mod survival;

mod access;
mod administrator;
mod any_table;
mod atomic;
mod beside_a_shop;
mod built_in_datasets;
mod bulk;
mod column_rules;
mod command;
mod compat;
mod concurrent;
mod conformance;
mod connections;
mod constants;
mod control;
mod database_tls;
mod databases;
mod defaults;
mod definitions;
mod dry_run;
mod exported;
mod failpoints;
mod fair;
mod far;
mod history;
mod hostile_names;
mod job_retention;
mod lists;
mod locked_file;
mod many_servers;
mod memory;
mod metrics;
mod mirror;
mod model;
mod new_references;
mod newer;
mod northwind;
mod openapi;
mod operator;
mod operator_views;
mod options;
#[cfg(feature = "otlp")]
mod otlp;
mod own_dataset;
mod packaging;
mod page_files;
mod pooler;
mod preview;
mod reader_corpus;
mod reading;
mod real_file;
mod record_schema;
mod references_together;
mod refused;
mod reload;
mod reports;
mod row_lists;
mod saved_mappings;
mod search;
mod sensitive;
mod small_jobs;
mod status;
mod storage;
mod streams;
mod survive;
mod taken_up;
mod told;
mod traces;
mod two_servers;
mod undo;
mod upload;
mod values;
mod webhooks;
mod year_of_jobs;
