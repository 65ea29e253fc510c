//! Uploads: a body in any shape becomes a file on disk, and that a job.

mod body;
mod bulk;
mod digest;
mod extra_fields;
mod far;
mod files;
mod form;
mod headers;
mod import;
mod inline;
mod multipart;
mod parse;
mod parsed;
mod raw;
mod requester;

pub(super) use body::begins_array;
pub(super) use bulk::BulkAccepted;
pub(super) use files::{SubmittedFiles, submit_files};
pub(super) use headers::{address, client, is_json, key_of_client};
pub(super) use import::{JobAccepted, X_JOB_ID, import, submit};
pub(super) use inline::InlineResults;
pub(super) use parse::{parse_beside, to_look_at};
pub(super) use parsed::Fields;
pub(super) use requester::{IDEMPOTENCY_REPLAYED, Requester, true_value};
