//! The HTTP API: handlers translate, call one function, translate back.
//!
//! One file a resource. Knows no database and no SQL; what runs longer than a request runs on the
//! main runtime, never inside a worker of the web server.

mod accept;
mod access;
mod api;
mod bulk_control;
mod bulks;
mod compat;
mod control;
mod cors;
mod csv_text;
mod cursor;
mod datasets;
mod definitions;
mod differences;
mod download;
mod envelope;
mod error_docs;
mod etag;
mod events;
mod export;
mod file_docs;
mod health;
mod hosts;
mod jobs;
mod json;
mod limits;
mod mappings;
mod metrics;
mod middleware;
mod not_found;
mod openapi;
mod origins;
mod page;
mod path_prefix;
mod preview;
mod problem;
mod query;
mod references;
mod resource;
mod routes;
mod row_errors;
mod row_lists;
mod server;
mod status;
mod superseded;
mod text_line;
mod tls;
mod trace;
mod upload;
mod webhooks;

pub use access::{ACCESS_RULES, About, AccessRule};
pub use api::Api;
pub use hosts::Hosts;
pub use openapi::openapi_document;
pub use origins::Origins;
pub use server::{Listener, Server};
pub use tls::{CertificateFiles, ServerCertificate, TlsFault, Validity};
