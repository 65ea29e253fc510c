//! A job that is made of another one and stored beside it: a rollback, or the confirmation of a dry run. What
//! it does is the business of its callers.

use super::context::JobsContext;
use super::error::JobsError;
use super::submit::Submitted;
use crate::domain::job::{Job, NewJob};
use crate::store::{ChildInserted, ChildKind, Inserted};

/// What became of the request for such a job.
#[derive(Debug)]
pub(super) enum ChildMade {
    /// It is stored, or the request was made before.
    Submitted(Submitted),
    /// The other job has this one already.
    Earlier(Job),
    /// The other job takes none, as it stands now.
    Refused(Job),
}

impl JobsContext {
    /// Stores a job that is made of the job `parent`.
    ///
    /// # Errors
    /// `NotFound`; `KeyOfBulk`; `IdempotencyMismatch`; else the store's.
    pub(super) async fn insert_child(
        &self,
        new: &NewJob,
        kind: ChildKind,
        parent: i64,
        storage_location: &str,
    ) -> Result<ChildMade, JobsError> {
        let inserted = self.store.insert_child(new, kind, parent, storage_location).await?;
        let submitted = match inserted {
            ChildInserted::Inserted(Inserted::New(job)) => self.received(job),
            ChildInserted::Inserted(Inserted::KeyTaken(job)) => {
                self.replayed(job, |job| kind.parent_of(job) == Some(parent))?
            }
            ChildInserted::Inserted(Inserted::KeyOfBulk(bulk)) => {
                return Err(JobsError::KeyOfBulk(bulk));
            }
            ChildInserted::Earlier(job) => return Ok(ChildMade::Earlier(job)),
            ChildInserted::Refused(job) => return Ok(ChildMade::Refused(job)),
            ChildInserted::Gone => return Err(JobsError::NotFound(parent)),
        };
        Ok(ChildMade::Submitted(submitted))
    }
}
