//! How much a client has uploaded, for the limits of its key.

use chrono::{DateTime, Utc};
use entity::import_log;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::domain::status::JobStatus;
use crate::store::Store;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::log::job_row::unsigned;
use import_log::Column as C;

/// What a client has uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientUploads {
    /// Bytes of its files since a time.
    pub bytes: u64,
    /// Its jobs that have not ended.
    pub unfinished: u64,
}

impl Store {
    /// What a client has uploaded since `since`, and how many of its jobs have not ended. Jobs that were
    /// deleted no longer count.
    pub async fn uploads_of_client(
        &self,
        client: &str,
        since: DateTime<Utc>,
    ) -> Result<ClientUploads, StoreError> {
        let action = "count the uploads of a client";
        let of_client = || import_log::Entity::find().filter(C::CreatedBy.eq(client)).select_only();
        let bytes: Option<Option<i64>> = of_client()
            .filter(C::CreatedAt.gte(since))
            // It follows from the line before, and has an index.
            .filter(C::UpdatedAt.gte(since))
            .filter(C::RetryOf.is_null())
            .filter(C::RollbackOf.is_null())
            .filter(C::Confirms.is_null())
            // The sum of integers is a decimal on PostgreSQL.
            .expr_as(Expr::cust("CAST(sum(file_size) AS BIGINT)"), "bytes")
            .into_tuple()
            .one(&self.lists)
            .await
            .context(action)?;
        let live = JobStatus::ALL.into_iter().filter(|status| !status.is_terminal());
        let unfinished: Option<i64> = of_client()
            .filter(C::ImportStatus.is_in(live.map(JobStatus::as_stored)))
            .column_as(C::Id.count(), "unfinished")
            .into_tuple()
            .one(&self.lists)
            .await
            .context(action)?;
        Ok(ClientUploads {
            bytes: unsigned(bytes.flatten().unwrap_or_default()),
            unfinished: unsigned(unfinished.unwrap_or_default()),
        })
    }
}
