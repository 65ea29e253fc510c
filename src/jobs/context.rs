//! What all that is done with jobs shares: the parts of the server that it needs, the copy of the
//! jobs in memory, and where the files of a job lie.
//!
//! Decides nothing: when a job runs and what is done with it is the business of its callers.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

use super::bulk_feed::BulkFeeds;
use super::error::{JobsError, RunError};
use super::event_feed::EventFeeds;
use super::import_totals::ImportTotals;
use super::job_changes::JobChanges;
use super::manager::JobManager;
use super::memory::Memory;
use super::queue::Queue;
use super::wake::Wake;
use crate::dataset::model::{Dataset, Run};
use crate::definitions::Definitions;
use crate::domain::chunk::FailedPart;
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::files::{DataDir, Fetcher, Storage};
use crate::metrics::ServerMetrics;
use crate::reader::Child;
use crate::store::Store;

/// The file of row numbers beside an uploaded file.
pub(super) const ROW_NUMBERS: &str = "rows";

/// How jobs are run.
#[derive(Debug, Clone)]
pub struct JobsSettings {
    /// Bytes of memory that the server should use at most; `None`: those of its cgroup, else 1 GiB.
    pub memory_limit: Option<u64>,
    /// Bytes of an uploaded file at most, as it is unpacked.
    pub max_upload: u64,
    /// Rows of a chunk.
    pub chunk_rows: u32,
    /// Jobs that run at a time.
    pub running_max: u32,
    /// Chunk writers of a job, where the database takes more than one.
    pub writers: u32,
    /// How long a server that fell silent keeps its jobs.
    pub lease: Duration,
    /// How long a finished job stays in memory.
    pub keep_finished: Duration,
    /// How long the files and the undo journal of a finished job are kept.
    pub retention: Duration,
    /// How long a finished job itself is kept; `None` for ever.
    pub job_retention: Option<Duration>,
    /// Row errors of a job that are stored in the table.
    pub stored_errors_max: u64,
    /// Events of a job that are kept in the table.
    pub events_max: u64,
    /// How often a download that brings nothing is tried again.
    pub fetch_retries: u32,
    /// The encoding that a guess prefers.
    pub home_encoding: Option<String>,
    /// The program that reads workbooks, and its limits.
    pub child: Child,
}

/// Handle on all jobs; cheap to clone.
#[derive(Debug, Clone)]
pub struct Jobs {
    pub(super) context: Arc<JobsContext>,
}

#[derive(Debug)]
pub(super) struct JobsContext {
    /// The connections of requests.
    pub(super) store: Store,
    /// The connections of running jobs: jobs and requests do not wait for each other.
    pub(super) run_store: Store,
    pub(super) data_dir: Arc<DataDir>,
    pub(super) storage: Storage,
    pub(super) fetcher: Fetcher,
    pub(super) datasets: Arc<Definitions>,
    pub(super) settings: JobsSettings,
    pub(super) memory: Arc<Memory>,
    pub(super) metrics: Arc<ServerMetrics>,
    pub(super) manager: JobManager,
    pub(super) feeds: EventFeeds,
    pub(super) bulk_feeds: BulkFeeds,
    pub(super) changes: JobChanges,
    /// The places of waiting jobs.
    pub(super) queue: Queue,
    pub(super) import_totals: ImportTotals,
    /// Notified when there may be a job to claim.
    pub(super) wake: Wake,
    /// Held from a claim until the manager knows the job: of two claims at once, one would take the
    /// job of the other for one that nobody works on.
    pub(super) claiming: Mutex<()>,
    /// Jobs may be ours of which we do not know: see [`crate::store::Claimant::has_unknown_claims`].
    pub(super) has_unknown_claims: AtomicBool,
    /// One for each job that may run here at the same time.
    pub(super) slots: Arc<Semaphore>,
    /// More of them, for small jobs that a request waits for: these wait for no other job.
    pub(super) inline_slots: Arc<Semaphore>,
    /// One for each file that may be downloaded here at the same time.
    pub(super) download_slots: Arc<Semaphore>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) runtime: Handle,
    /// When this process began to run jobs, by its own clock.
    pub(super) began: SystemTime,
}

impl Jobs {
    /// Runs `work` where it cannot be cut off half-way by a client that goes away: a database call
    /// that is dropped in the middle may leave its connection inside of a transaction.
    pub(super) async fn on_runtime<T, F>(
        &self,
        work: impl FnOnce(Arc<JobsContext>) -> F + Send + 'static,
    ) -> Result<T, JobsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, JobsError>> + Send + 'static,
    {
        let context = Arc::clone(&self.context);
        let handle = context.runtime.clone();
        let work = async move { work(context).await }.in_current_span();
        handle.spawn(work).await.unwrap_or(Err(JobsError::Panicked))
    }

    /// Like [`on_runtime`](Self::on_runtime), for work that may be dropped at any time: it ends when
    /// the caller goes away.
    pub(super) async fn while_awaited<T, F>(
        &self,
        work: impl FnOnce(Arc<JobsContext>) -> F + Send + 'static,
    ) -> Result<T, JobsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, JobsError>> + Send + 'static,
    {
        let context = Arc::clone(&self.context);
        let handle = context.runtime.clone();
        let work = handle.spawn(async move { work(context).await }.in_current_span());
        AbortOnDropHandle::new(work).await.unwrap_or(Err(JobsError::Panicked))
    }
}

impl JobsContext {
    /// What the rows of a job become.
    pub(super) fn dataset_of(&self, job: &Job) -> Result<Arc<Dataset>, RunError> {
        let dataset = self.datasets.get(&job.dataset);
        dataset.ok_or_else(|| RunError::NoDataset(job.dataset.clone()))
    }

    /// Wakes those who claim such a job.
    pub(super) fn wake_for(&self, job: &Job) {
        let dataset = self.datasets.get(&job.dataset);
        self.wake.notify_of(job, dataset.is_some_and(|it| it.run == Run::Inline));
    }

    /// Where the failed rows of a job lie.
    pub(super) async fn failed_parts(&self, id: i64) -> Result<Vec<FailedPart>, JobsError> {
        let chunks = self.store.committed_chunks(id).await?;
        Ok(chunks.iter().filter_map(|chunk| chunk.failed_part).collect())
    }

    /// The storage that has the files of a job.
    pub(super) fn files_of(&self, job: &Job) -> Result<Storage, JobsError> {
        if job.files_removed_at.is_some() {
            return Err(JobsError::FilesRemoved(job.id));
        }
        Ok(self.storage.at(&job.storage_location)?)
    }

    /// Why the files of a job could not be read: what happened to the job in this moment, else
    /// `fault`.
    pub(super) async fn unless_gone(&self, id: i64, fault: JobsError) -> JobsError {
        match self.store.get(id).await {
            Ok(None) => JobsError::NotFound(id),
            Ok(Some(job)) if job.files_removed_at.is_some() => JobsError::FilesRemoved(id),
            Ok(Some(_)) | Err(_) => fault,
        }
    }

    /// Removes the files of a job that is no more. What cannot be removed is left to the sweep.
    pub(super) async fn drop_files(&self, job: &Job) {
        match self.storage.at(&job.storage_location) {
            Ok(storage) => {
                if let Err(fault) = storage.remove(job.uuid).await {
                    let error = error_chain(&fault);
                    tracing::warn!(
                        event = "job_files_left",
                        job_id = job.id,
                        error,
                        "job files could not be removed, the sweep will do it"
                    );
                }
            }
            Err(_) => {
                tracing::debug!(
                    event = "job_files_left",
                    job_id = job.id,
                    "job files lie elsewhere, the server that has them will remove them"
                );
            }
        }
    }
}
