//! Streams of events: what a listener is told of a job and of all jobs, whenever it comes, however
//! often its connection is cut, and whether or not it listens.

mod asking;
mod crowd;
mod every_job;
pub(crate) mod files;
mod many_changes;
mod replay;
mod sequence;
mod stopping;
mod upload;
