//! Uploads: a body in any shape becomes a file on disk, and that a job.

mod body;
mod digest;
mod extra_fields;
mod far;
mod form;
mod headers;
mod import;
mod inline;
mod multipart;
mod parse;
mod parsed;
mod raw;

pub(super) use headers::{client, idempotency_key};
pub(super) use import::{IDEMPOTENCY_REPLAYED, X_JOB_ID, import, submit, true_value};
pub(super) use parse::parse;
