//! Questions about jobs: how one stands, which there are, and what is stored about their rows.

use std::time::Duration;

use super::context::Jobs;
use super::error::JobsError;
use crate::domain::bulk::BulkJob;
use crate::domain::chunk::SupersededRow;
use crate::domain::error_chain::error_chain;
use crate::domain::event::ErrorGroup;
use crate::domain::job::Job;
use crate::domain::row_error::StoredRowError;
use crate::domain::status::JobStatus;
use crate::files::FailedRows;
use crate::store::{ImportsPage, JobFilter};

use uuid::Uuid;

/// How often someone who waits for a job looks into the table as well.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Jobs {
    /// The job as it stands now: the copy in memory, else the table.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn get(&self, id: i64) -> Result<Job, JobsError> {
        if let Some(job) = self.context.manager.get(id) {
            return Ok(job);
        }
        self.on_runtime(move |context| async move {
            let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            if !job.status.is_terminal() {
                // For those who wait for it.
                context.manager.publish(job.clone());
            }
            Ok(job)
        })
        .await
    }

    /// The job with this folder of files as it stands now, if there is one.
    ///
    /// # Errors
    /// The store's.
    pub async fn get_by_uuid(&self, uuid: Uuid) -> Result<Option<Job>, JobsError> {
        self.on_runtime(move |context| async move {
            let stored = context.store.get_by_uuid(uuid).await?;
            Ok(stored.map(|job| context.manager.get(job.id).unwrap_or(job)))
        })
        .await
    }

    /// Shows how far a job that ended is passed on to the search engine.
    pub fn passed_on(&self, job: Job) {
        self.context.manager.publish(job);
    }

    /// Waits until `until` is true of the job, at most for `at_most`; then the job as it stands.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn wait(
        &self,
        id: i64,
        at_most: Duration,
        until: &(dyn Fn(&Job) -> bool + Sync),
    ) -> Result<Job, JobsError> {
        let end = tokio::time::Instant::now() + at_most;
        loop {
            let job = self.get(id).await?;
            let Some(mut shown) = self.context.manager.watch(id).filter(|_| !until(&job)) else {
                return Ok(job);
            };
            // What another server does with the job is only in the table.
            let look_again = end.min(tokio::time::Instant::now() + LOOK_AGAIN);
            let is_over = tokio::select! {
                // The sender lives as long as the entry: an error means that it was tidied away.
                _ = shown.wait_for(|job| until(job)) => true,
                () = self.context.stop.cancelled() => true,
                () = tokio::time::sleep_until(look_again) => look_again == end,
            };
            if is_over {
                return self.get(id).await;
            }
        }
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn list(&self, filter: &JobFilter) -> Result<Vec<Job>, JobsError> {
        let filter = filter.clone();
        self.on_runtime(|context| async move { Ok(context.store.list(&filter).await?) }).await
    }

    /// The place of a waiting job in the queue; `None` of any other, far behind, and while the database
    /// does not answer.
    pub async fn queue_position(&self, job: &Job) -> Option<u64> {
        if job.status != JobStatus::Pending {
            return None;
        }
        self.first_place(vec![job.id]).await.unwrap_or_else(|error| {
            let (job_id, error) = (job.id, error_chain(&error));
            tracing::warn!(event = "queue_unreadable", job_id, error, "queue cannot be read");
            None
        })
    }

    /// The place of the first job of a bulk that waits, as of one job.
    pub async fn bulk_position(&self, jobs: &[BulkJob]) -> Option<u64> {
        let waiting = jobs.iter().filter(|job| job.status == JobStatus::Pending);
        let waiting: Vec<i64> = waiting.map(|job| job.id).collect();
        if waiting.is_empty() {
            return None;
        }
        self.first_place(waiting).await.unwrap_or_else(|error| {
            let error = error_chain(&error);
            tracing::warn!(event = "queue_unreadable", error, "queue cannot be read");
            None
        })
    }

    async fn first_place(&self, jobs: Vec<i64>) -> Result<Option<u64>, JobsError> {
        self.on_runtime(move |context| async move {
            Ok(context.queue.first_of(&jobs, &context.store).await?)
        })
        .await
    }

    /// Imports into a dataset that are no dry runs, newest first, without the first `skip` ones; and
    /// how many there are.
    ///
    /// # Errors
    /// The store's.
    pub async fn newest(
        &self,
        dataset: &str,
        skip: u64,
        limit: u64,
    ) -> Result<(Vec<Job>, u64), JobsError> {
        let dataset = dataset.to_owned();
        self.on_runtime(move |context| async move {
            let total = context.import_totals.of(&context.store, &dataset).await?;
            let page = ImportsPage { dataset, total, skip, limit };
            Ok((context.store.imports(&page).await?, total))
        })
        .await
    }

    /// Stored row errors behind the one numbered `after`, each with its number.
    ///
    /// # Errors
    /// The store's.
    pub async fn row_errors(
        &self,
        id: i64,
        after: i64,
        limit: u64,
    ) -> Result<Vec<StoredRowError>, JobsError> {
        self.on_runtime(move |context| async move {
            Ok(context.store.row_errors(id, after, limit).await?)
        })
        .await
    }

    /// How many row errors of the job are stored in the table, and of how many rows.
    ///
    /// # Errors
    /// The store's.
    pub async fn stored_row_errors(&self, id: i64) -> Result<(u64, u64), JobsError> {
        self.on_runtime(move |context| async move {
            let (errors, _) = context.store.stored_row_outcomes(id).await?;
            Ok((errors, context.store.stored_error_rows(id).await?))
        })
        .await
    }

    /// All row errors of a job by code and column, most frequent first.
    ///
    /// # Errors
    /// The store's.
    pub async fn error_groups(&self, id: i64) -> Result<Vec<ErrorGroup>, JobsError> {
        self.on_runtime(move |context| async move { Ok(context.store.error_groups(id).await?) })
            .await
    }

    /// Rows that a later row overtook, behind row `after`.
    ///
    /// # Errors
    /// The store's.
    pub async fn superseded_rows(
        &self,
        id: i64,
        after: i64,
        limit: u64,
    ) -> Result<Vec<SupersededRow>, JobsError> {
        self.on_runtime(move |context| async move {
            Ok(context.store.superseded_rows(id, after, limit).await?)
        })
        .await
    }

    /// The job, whose files are kept and lie where this server reaches them. Reads none of them.
    ///
    /// # Errors
    /// `NotFound`, `FilesRemoved`, files of another server; else the store's.
    pub async fn with_files(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |context| async move {
            // The copy in memory may not know yet that the files were removed.
            let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            context.files_of(&job)?.answers().await?;
            Ok(job)
        })
        .await
    }

    /// All failed rows of a job in the order of the file; to be read on a thread that may block.
    ///
    /// # Errors
    /// `NotFound`, `FilesRemoved`, files that cannot be read or reached; else the store's.
    pub async fn failed_rows(&self, id: i64) -> Result<FailedRows, JobsError> {
        self.on_runtime(move |context| async move {
            // The copy in memory may not know yet that the files were removed.
            let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            let storage = context.files_of(&job)?;
            let parts = context.failed_parts(id).await?;
            storage.failed_rows(job.uuid, &parts).await.map_err(JobsError::FailedRows)
        })
        .await
    }
}
