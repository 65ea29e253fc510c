//! The sea-orm entities of the tables that Loadbay itself owns. Only `store` uses them.
//!
//! The tables of a dataset (products and their like) have none: a definition file describes them.

pub mod access_key;
pub mod access_session;
pub mod import_bulk;
pub mod import_chunk;
pub mod import_chunk_key;
pub mod import_database;
pub mod import_difference;
pub mod import_error;
pub mod import_error_group;
pub mod import_event;
pub mod import_log;
pub mod import_mapping;
pub mod import_outbox;
pub mod import_search;
pub mod import_session;
pub mod import_superseded;
pub mod import_undo;
pub mod import_webhook;
pub mod import_webhook_delivery;
