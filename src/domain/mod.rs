//! The words of Loadbay as plain types: status and its edges, actions, counts, rows, records, row errors,
//! options, events, limits, error codes.
//!
//! Pure: no IO, no clock, no database, no HTTP. Every other module may use it; it uses none.

pub mod access;
pub mod action;
pub mod bulk;
pub mod bulk_view;
pub mod chunk;
pub mod claim_order;
pub mod counts;
pub mod detected;
pub mod difference;
pub mod download;
pub mod error_chain;
pub mod error_code;
pub mod event;
pub mod failed_list;
pub mod fixed_point;
pub(crate) mod hexadecimal;
pub mod job;
pub mod job_view;
pub mod known_header;
pub mod limits;
pub mod meet;
pub mod memory_pressure;
pub mod name_search;
pub mod networks;
pub mod new_reference;
pub mod options;
pub mod path_prefix;
pub mod record;
pub mod row;
pub mod row_error;
pub mod row_number;
pub mod row_outcomes;
pub mod run_time;
pub mod saved_mapping;
pub mod search_sync;
pub mod selection;
pub mod sentence;
pub mod session_id;
pub mod similar;
pub mod status;
pub mod trace;
pub mod warning;
pub mod webhook;
