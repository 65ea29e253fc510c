//! The table `import_sessions`: sessions whose stream was sent to its end.

use entity::import_session;
use sea_orm::sea_query::OnConflict;
use sea_orm::{EntityTrait, Set, TransactionTrait};

use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};

impl Store {
    /// Notes that the events of a session's job were sent to the last one.
    pub async fn end_session(&self, job: i64) -> Result<(), StoreError> {
        let action = "end the session";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let told_at = Set(self.time(&transaction).await?);
        let row = import_session::ActiveModel { import_log_id: Set(job), told_at };
        import_session::Entity::insert(row)
            // Two clients may read the same stream.
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await
            .context(action)?;
        transaction.commit().await.context(action)
    }

    /// True when the events of a session's job were sent to the last one.
    pub async fn is_session_over(&self, job: i64) -> Result<bool, StoreError> {
        let found = import_session::Entity::find_by_id(job).one(&self.read).await;
        Ok(found.context("look up the session")?.is_some())
    }
}
