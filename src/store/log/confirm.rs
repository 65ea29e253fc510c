//! Confirming a dry run: the job that imports its file, of which there is one at most.

use entity::import_log;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, TransactionTrait};

use crate::domain::action::Action;
use crate::domain::job::{Job, NewJob};
use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::job;
use crate::store::log::jobs::Inserted;

/// What became of a job that confirms a dry run.
#[derive(Debug)]
pub enum ConfirmInserted {
    /// As for every new job.
    Inserted(Inserted),
    /// This job confirmed the dry run before, and has not failed.
    Confirmed(Job),
    /// The dry run cannot be confirmed, as it stands.
    Refused(Job),
    /// The dry run is gone.
    Gone,
}

impl Store {
    /// Stores the job that imports the file of the dry run `confirms`. Two requests at the same moment
    /// take turns at the row of the dry run.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_confirmation(
        &self,
        new: &NewJob,
        confirms: i64,
        storage_location: &str,
    ) -> Result<ConfirmInserted, StoreError> {
        use import_log::Column as C;
        let action = "store the job that confirms a dry run";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let dry_run = self.locked(&transaction, confirms).await?;
        let without_effect = [JobStatus::Failed, JobStatus::Cancelled].map(JobStatus::as_stored);
        let earlier = import_log::Entity::find()
            .filter(C::Confirms.eq(confirms))
            .filter(C::ImportStatus.is_not_in(without_effect))
            .order_by_desc(C::Id)
            .one(&transaction)
            .await
            .context(action)?;
        let refused = match (dry_run, earlier.map(job).transpose()?) {
            (None, _) => ConfirmInserted::Gone,
            (Some(_), Some(earlier)) => ConfirmInserted::Confirmed(earlier),
            (Some(job), None) if !Action::Confirm.is_legal(&job) => ConfirmInserted::Refused(job),
            (Some(_), None) => {
                let inserted = self.insert_within(transaction, new, storage_location).await?;
                return Ok(ConfirmInserted::Inserted(inserted));
            }
        };
        transaction.rollback().await.context(action)?;
        Ok(refused)
    }
}
