//! The file of a job that is downloaded: how far it is, and that it is here. Where it comes from and
//! how is unknown here.

use chrono::{DateTime, Utc};
use entity::import_log::{self, Column as C};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TransactionTrait,
    UpdateMany,
};
use uuid::Uuid;

use crate::domain::detected::Detected;
use crate::domain::download::{DownloadProgress, SourceUrl};
use crate::domain::event::{Event, lifecycle};
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::domain::warning::Warnings;
use crate::faults::fault;
use crate::store::Store;
use crate::store::connection::notifications::notify;
use crate::store::error::{ErrorContext, StoreError};
use crate::store::events::{changed, ends};
use crate::store::log::job_row::{as_json, job, signed};
use crate::store::log::lease::{has, ours};
use crate::store::log::run_time::touched_between_rows;

/// Folders that one query asks for: well under the bind limit of both databases.
const FOLDERS_PER_QUERY: usize = 500;

/// A file that was downloaded and can be imported.
#[derive(Debug, Clone)]
pub struct DownloadedFile {
    /// The name to show.
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// What the reader decided.
    pub detected: Detected,
    /// What a person should see of the file as a whole.
    pub warnings: Warnings,
}

impl Store {
    /// Stores how far a download is, with the events that `story` makes of it; `None` when the job is
    /// no longer ours.
    pub async fn note_download(
        &self,
        job: &Job,
        progress: &DownloadProgress,
        story: impl FnOnce(&Job) -> Vec<Event> + Send,
    ) -> Result<Option<Job>, StoreError> {
        let action = "store how far a download is";
        let _guard = self.lock_writes().await;
        let note = import_log::Entity::update_many()
            .col_expr(C::Download, Expr::value(as_json(progress)))
            .filter(ours(job));
        let note = touched_between_rows(note, self.backend(), &self.now());
        let transaction = self.write.begin().await.context(action)?;
        let noted = changed(&transaction, note, story).await.context(action)?.transpose()?;
        if noted.is_some() {
            notify(&transaction, job.id).await.context(action)?;
        }
        transaction.commit().await.context(action)?;
        Ok(noted)
    }

    /// Stores that the file of a job is here, at `storage_location`, and gives the job back: its next
    /// run imports it. `None` when the job is no longer ours.
    pub async fn downloaded(
        &self,
        job: &Job,
        file: &DownloadedFile,
        progress: &DownloadProgress,
        storage_location: &str,
    ) -> Result<Option<Job>, StoreError> {
        fault!("downloaded.before", StoreError::busy());
        let update = arrived(progress)
            .col_expr(C::FileName, Expr::value(file.file_name.clone()))
            .col_expr(C::FileSize, Expr::value(signed(file.size)))
            .col_expr(C::Sha256, Expr::value(file.sha256.clone()))
            .col_expr(C::Detected, Expr::value(as_json(&file.detected)))
            .col_expr(C::Warnings, Expr::value(as_json(&file.warnings)))
            .col_expr(C::StorageLocation, Expr::value(storage_location))
            .col_expr(C::LeaseOwner, Expr::value(None::<String>))
            .col_expr(C::LeaseExpiresAt, Expr::value(None::<DateTime<Utc>>))
            .col_expr(C::Attempts, Expr::value(0))
            // What is measured from here on is the import.
            .col_expr(C::RunMs, Expr::value(0_i64))
            .col_expr(C::PaceMs, Expr::value(0_i64))
            .col_expr(C::NextPaceMs, Expr::value(0_i64))
            .col_expr(C::UpdatedAt, self.now())
            .filter(ours(job))
            // Asked again because the answer was lost, it is given back already.
            .filter(C::LeaseOwner.is_not_null());
        let stored = self.apply_arrival(job, update, lifecycle::downloaded).await?;
        fault!("downloaded.after", StoreError::busy());
        Ok(stored)
    }

    /// Stores that the file has the content of an earlier import, so that there is nothing to do;
    /// `None` when the job is no longer ours.
    pub async fn not_changed(
        &self,
        job: &Job,
        sha256: &str,
        progress: &DownloadProgress,
    ) -> Result<Option<Job>, StoreError> {
        let update = arrived(progress)
            .col_expr(C::Sha256, Expr::value(sha256))
            .col_expr(C::TotalRows, Expr::value(0_i64))
            .col_expr(C::Lanes, Expr::value(1_i32))
            .filter(ours(job));
        let update = touched_between_rows(update, self.backend(), &self.now());
        self.apply_arrival(job, update, lifecycle::not_changed).await
    }

    async fn apply_arrival(
        &self,
        job: &Job,
        update: UpdateMany<import_log::Entity>,
        story: fn(&Job) -> Vec<Event>,
    ) -> Result<Option<Job>, StoreError> {
        let action = "store that a file is downloaded";
        let _guard = self.lock_writes().await;
        let transaction = self.write.begin().await.context(action)?;
        let stored = changed(&transaction, update, story).await.context(action)?.transpose()?;
        notify(&transaction, job.id).await.context(action)?;
        transaction.commit().await.context(action)?;
        Ok(stored)
    }

    /// The last import from this address into this dataset that is still in effect: completed, no dry
    /// run and not rolled back.
    pub async fn last_download(
        &self,
        dataset: &str,
        url: &SourceUrl,
    ) -> Result<Option<Job>, StoreError> {
        let rolled_back = Query::select()
            .column(C::RollbackOf)
            .from(import_log::Entity)
            .cond_where(
                Condition::all()
                    .add(C::RollbackOf.is_not_null())
                    .add(C::ImportStatus.ne(JobStatus::Cancelled.as_stored())),
            )
            .to_owned();
        let row = import_log::Entity::find()
            .filter(C::SourceUrl.eq(url.reveal()))
            .filter(C::Dataset.eq(dataset))
            .filter(has(JobStatus::Completed))
            .filter(C::DryRun.eq(false))
            .filter(C::RetryOf.is_null())
            .filter(C::RollbackOf.is_null())
            .filter(C::Id.not_in_subquery(rolled_back))
            .order_by_desc(C::Id)
            .limit(1)
            .one(&self.read)
            .await
            .context("look for the last import from an address")?;
        row.map(job).transpose()
    }

    /// Those of the folders that belong to jobs whose file is still to be downloaded.
    pub async fn folders_of_downloads(&self, folders: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
        let mut found = Vec::new();
        for part in folders.chunks(FOLDERS_PER_QUERY) {
            let names: Vec<String> = import_log::Entity::find()
                .select_only()
                .column(C::Uuid)
                .filter(C::Uuid.is_in(part.iter().map(Uuid::to_string)))
                .filter(C::AwaitsFile.eq(true))
                .filter(C::ImportStatus.is_not_in(ends()))
                .into_tuple()
                .all(&self.read)
                .await
                .context("look for the jobs of downloads")?;
            found.extend(names.iter().filter_map(|name| Uuid::parse_str(name).ok()));
        }
        Ok(found)
    }
}

/// The download is over.
fn arrived(progress: &DownloadProgress) -> UpdateMany<import_log::Entity> {
    import_log::Entity::update_many()
        .col_expr(C::Download, Expr::value(as_json(progress)))
        .col_expr(C::AwaitsFile, Expr::value(false))
}
