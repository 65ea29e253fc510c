//! Clients of `/stream/{sessionId}` and `/file`: a page or a program that names a session, opens its
//! stream, and starts an import under the same name, in this order or the other one.

mod file;
pub(in crate::http) mod messages;
mod stream;

pub(super) use file::import;
pub(in crate::http) use file::{FileRequest, Started};
pub(super) use stream::stream;
