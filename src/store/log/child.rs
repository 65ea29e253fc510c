//! A job that is made of another one, which has one such at a time: a rollback, or the confirmation of a dry
//! run. Retries are any number.

use entity::import_log;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    TransactionTrait,
};

use crate::domain::action::Action;
use crate::domain::job::{Job, NewJob};
use crate::domain::status::JobStatus;
use crate::faults::fault;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::ends;
use crate::store::log::job_row::job;
use crate::store::log::jobs::Inserted;
use import_log::Column as C;

/// What is made of the other job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildKind {
    /// What it did is rolled back; again, once that has ended.
    Rollback,
    /// The file of a dry run is imported; again, if that failed.
    Confirmation,
}

impl ChildKind {
    /// The other job of such a job.
    #[must_use]
    pub fn parent_of(self, job: &Job) -> Option<i64> {
        match self {
            Self::Rollback => job.rollback_of,
            Self::Confirmation => job.confirms,
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Rollback => Action::Rollback,
            Self::Confirmation => Action::Confirm,
        }
    }

    /// Those of `parent` beside which there is no other.
    fn only_one(self, parent: i64) -> Condition {
        let (of_parent, not_in) = match self {
            Self::Rollback => (C::RollbackOf.eq(parent), ends().collect::<Vec<_>>()),
            Self::Confirmation => {
                let failed = [JobStatus::Failed, JobStatus::Cancelled].map(JobStatus::as_stored);
                (C::Confirms.eq(parent), failed.to_vec())
            }
        };
        Condition::all().add(of_parent).add(C::ImportStatus.is_not_in(not_in))
    }
}

/// What became of such a job.
#[derive(Debug)]
pub enum ChildInserted {
    /// As of every new job.
    Inserted(Inserted),
    /// The other job has this one already.
    Earlier(Job),
    /// The other job takes none, as it stands now.
    Refused(Job),
    /// The other job is no more.
    Gone,
}

impl Store {
    /// Stores a job that is made of the job `parent` as PENDING. Two servers that are asked at the same
    /// moment take turns at the row of `parent`, and so does who ends its time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_child(
        &self,
        new: &NewJob,
        kind: ChildKind,
        parent: i64,
        storage_location: &str,
    ) -> Result<ChildInserted, StoreError> {
        let action = "store a job that is made of another one";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let of = self.locked(&transaction, parent).await?;
        fault!("rollback.locked", StoreError::busy());
        let earlier = earlier(&transaction, kind, parent).await?;
        let refused = match (of, earlier) {
            (None, _) => ChildInserted::Gone,
            (Some(_), Some(earlier)) => ChildInserted::Earlier(earlier),
            (Some(of), None) if !kind.action().is_legal(&of) => ChildInserted::Refused(of),
            (Some(_), None) => {
                let inserted = self.insert_within(transaction, new, storage_location).await?;
                return Ok(ChildInserted::Inserted(inserted));
            }
        };
        transaction.rollback().await.context(action)?;
        Ok(refused)
    }
}

/// The job that `parent` has already.
pub(super) async fn earlier(
    transaction: &DatabaseTransaction,
    kind: ChildKind,
    parent: i64,
) -> Result<Option<Job>, StoreError> {
    let found = import_log::Entity::find()
        .filter(kind.only_one(parent))
        .order_by_desc(C::Id)
        .one(transaction)
        .await;
    found.context("look for a job that was made of another one")?.map(job).transpose()
}
