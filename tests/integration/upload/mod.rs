//! What an upload is answered with: the job, or a refusal that says what was found and what would
//! be right, and leaves nothing behind.

mod accepted;
mod bodies;
mod content;
pub(crate) mod forms;
mod header;
mod idempotency;
mod odd_forms;
mod size;
