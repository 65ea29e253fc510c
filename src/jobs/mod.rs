//! Jobs from the moment the upload is accepted to their end: submit, claim, run, watch, cancel.
//!
//! The database is the truth; the job manager keeps a copy of what changes, for those who watch.
//! Knows no HTTP. Everything here runs on the runtime that [`Jobs::start`] was called on, whoever
//! calls: a web server's worker may end in the middle of a call, a job may not.

mod backoff;
mod changes;
mod chunker;
mod control;
mod error;
mod event_feed;
mod external_sort;
mod listen;
mod manager;
mod partition;
mod prescan;
mod prune;
mod retention;
mod retry;
mod rollback;
mod row_filter;
mod row_input;
mod run;
mod stop;
mod subscription;
mod unprocessed;
mod worker;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

pub use crate::store::{JobFilter, SupersededRow};
pub use changes::{JobsSubscription, JobsUpdate};
pub use control::Command;
pub use error::{JobsError, whole_seconds};
pub use retry::Retry;
pub use subscription::{DeliveredEvent, Delivery, Subscription};
pub use unprocessed::{Unprocessed, UnprocessedRows};

use crate::dataset::Datasets;
use crate::dataset::model::Dataset;
use crate::domain::chunk::FailedPart;
use crate::domain::event::ErrorGroup;
use crate::domain::job::{Job, NewJob};
use crate::domain::row_error::RowError;
use crate::files::{DataDir, FailedRows, Storage};
use crate::reader::Child;
use crate::store::{Inserted, Store};
use changes::Changes;
use error::{RunError, chain};
use event_feed::EventFeeds;
use manager::JobManager;

/// How often someone who waits for a job looks into the table as well.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The file of row numbers beside an uploaded file.
const ROWS: &str = "rows";

/// How jobs are run.
#[derive(Debug, Clone)]
pub struct JobsSettings {
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
    /// Row errors of a job that are stored in the table.
    pub stored_errors_max: u64,
    /// Events of a job that are kept in the table.
    pub events_max: u64,
    /// The program that reads workbooks, and its limits.
    pub child: Child,
}

/// What a submission came to.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// The job was there already: the same file under the same `Idempotency-Key`.
    pub replayed: bool,
}

/// Handle on all jobs; cheap to clone.
#[derive(Debug, Clone)]
pub struct Jobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// For what is asked of us.
    store: Store,
    /// For running jobs, so that neither waits behind the other.
    work: Store,
    data_dir: Arc<DataDir>,
    storage: Storage,
    datasets: Arc<Datasets>,
    settings: JobsSettings,
    manager: JobManager,
    feeds: EventFeeds,
    changes: Changes,
    /// Notified when there may be a job to claim. Carries nothing: the table says what.
    wake: Notify,
    /// Jobs may be ours of which we do not know: see [`crate::store::Claimant::has_unknown_claims`].
    has_unknown_claims: AtomicBool,
    /// One for each job that may run here at the same time.
    slots: Arc<Semaphore>,
    stop: CancellationToken,
    tasks: TaskTracker,
    runtime: Handle,
    /// When this process began to run jobs, by its own clock.
    began: SystemTime,
}

impl Jobs {
    /// Takes up what an earlier process left, removes what nobody needs of it, and begins to claim
    /// jobs.
    pub async fn start(
        store: Store,
        data_dir: Arc<DataDir>,
        storage: Storage,
        datasets: Arc<Datasets>,
        settings: JobsSettings,
    ) -> Self {
        let inner = Arc::new(Inner {
            manager: JobManager::new(settings.keep_finished),
            feeds: EventFeeds::default(),
            changes: Changes::default(),
            work: store.for_work(),
            store,
            data_dir,
            storage,
            datasets,
            slots: Arc::new(Semaphore::new(settings.running_max.max(1) as usize)),
            settings,
            wake: Notify::new(),
            has_unknown_claims: AtomicBool::new(true),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            began: SystemTime::now(),
        });
        retention::at_start(&inner).await;
        rollback::at_start(&inner).await;
        worker::start(&inner).await;
        Self { inner }
    }

    /// Stores a job; it runs as soon as there is a place.
    ///
    /// # Errors
    /// `IdempotencyMismatch` when the key belongs to another upload; else the store's.
    pub async fn submit(&self, new: NewJob) -> Result<Submitted, JobsError> {
        self.on_runtime(|inner| async move {
            let location = inner.storage.location().to_owned();
            inner.submit(new, &location).await
        })
        .await
    }

    /// The job as it stands now: the copy in memory, else the table.
    ///
    /// # Errors
    /// `NotFound`; else the store's.
    pub async fn get(&self, id: i64) -> Result<Job, JobsError> {
        if let Some(job) = self.inner.manager.get(id) {
            return Ok(job);
        }
        self.on_runtime(move |inner| async move {
            let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            if !job.status.is_terminal() {
                // For those who wait for it.
                inner.manager.publish(job.clone());
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
        self.on_runtime(move |inner| async move {
            let stored = inner.store.get_by_uuid(uuid).await?;
            Ok(stored.map(|job| inner.manager.get(job.id).unwrap_or(job)))
        })
        .await
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
            let Some(mut shown) = self.inner.manager.watch(id).filter(|_| !until(&job)) else {
                return Ok(job);
            };
            // What another server does with the job is only in the table.
            let look_again = end.min(tokio::time::Instant::now() + LOOK_AGAIN);
            let is_over = tokio::select! {
                // The sender lives as long as the entry: an error means that it was tidied away.
                _ = shown.wait_for(|job| until(job)) => true,
                () = self.inner.stop.cancelled() => true,
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
        self.on_runtime(|inner| async move { Ok(inner.store.list(&filter).await?) }).await
    }

    /// Imports into a dataset, newest first, without the first `skip` ones; and how many there are.
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
        self.on_runtime(
            move |inner| async move { Ok(inner.store.newest(&dataset, skip, limit).await?) },
        )
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
    ) -> Result<Vec<(i64, RowError)>, JobsError> {
        self.on_runtime(
            move |inner| async move { Ok(inner.store.row_errors(id, after, limit).await?) },
        )
        .await
    }

    /// How many row errors of the job are stored in the table, and of how many rows.
    ///
    /// # Errors
    /// The store's.
    pub async fn stored_row_errors(&self, id: i64) -> Result<(u64, u64), JobsError> {
        self.on_runtime(move |inner| async move {
            let (errors, _) = inner.store.stored_row_outcomes(id).await?;
            Ok((errors, inner.store.stored_error_rows(id).await?))
        })
        .await
    }

    /// All row errors of a job by code and column, most frequent first.
    ///
    /// # Errors
    /// The store's.
    pub async fn error_groups(&self, id: i64) -> Result<Vec<ErrorGroup>, JobsError> {
        self.on_runtime(move |inner| async move { Ok(inner.store.error_groups(id).await?) }).await
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
        self.on_runtime(move |inner| async move {
            Ok(inner.store.superseded_rows(id, after, limit).await?)
        })
        .await
    }

    /// The job, whose files are kept and lie where this server reaches them. Reads none of them.
    ///
    /// # Errors
    /// `NotFound`, `FilesRemoved`, files of another server; else the store's.
    pub async fn with_files(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |inner| async move {
            // The copy in memory may not know yet that the files were removed.
            let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            inner.files_of(&job)?.answers().await?;
            Ok(job)
        })
        .await
    }

    /// All failed rows of a job in the order of the file; to be read on a thread that may block.
    ///
    /// # Errors
    /// `NotFound`, `FilesRemoved`, files that cannot be read or reached; else the store's.
    pub async fn failed_rows(&self, id: i64) -> Result<FailedRows, JobsError> {
        self.on_runtime(move |inner| async move {
            // The copy in memory may not know yet that the files were removed.
            let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            let storage = inner.files_of(&job)?;
            let parts = inner.failed_parts(id).await?;
            storage.failed_rows(job.uuid, &parts).await.map_err(JobsError::FailedRows)
        })
        .await
    }

    /// True when the database answers and the server is not stopping.
    ///
    /// # Errors
    /// `ShuttingDown`; else the store's.
    pub async fn ready(&self) -> Result<(), JobsError> {
        if self.inner.stop.is_cancelled() {
            return Err(JobsError::ShuttingDown);
        }
        self.on_runtime(|inner| async move { Ok(inner.store.ping().await?) }).await
    }

    /// Claims no more, lets the chunks in flight commit and gives the jobs back. Questions are still
    /// answered, and jobs still taken in, until [`Jobs::close`].
    pub async fn drain(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }

    /// Closes the connections to the database: the last thing.
    pub async fn close(&self) {
        self.inner.work.close().await;
        self.inner.store.close().await;
    }

    /// Runs `work` where it cannot be cut off half-way by a client that goes away: a database call
    /// that is dropped in the middle may leave its connection inside of a transaction.
    async fn on_runtime<T, F>(
        &self,
        work: impl FnOnce(Arc<Inner>) -> F + Send + 'static,
    ) -> Result<T, JobsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, JobsError>> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let handle = inner.runtime.clone();
        handle.spawn(async move { work(inner).await }).await.unwrap_or(Err(JobsError::Panicked))
    }
}

impl Inner {
    /// See [`Jobs::submit`].
    async fn submit(&self, new: NewJob, storage_location: &str) -> Result<Submitted, JobsError> {
        match self.store.insert(&new, storage_location).await? {
            Inserted::New(job) => {
                self.manager.publish(job.clone());
                self.wake.notify_one();
                Ok(Submitted { job, replayed: false })
            }
            Inserted::KeyTaken(job) => self.replayed(job, |job| same_upload(job, &new)),
        }
    }

    /// What the rows of a job become.
    fn dataset_of(&self, job: &Job) -> Result<Arc<Dataset>, RunError> {
        let dataset = self.datasets.get(&job.dataset).map(Arc::clone);
        dataset.ok_or_else(|| RunError::NoDataset(job.dataset.clone()))
    }

    /// The job that has the key of a wish, if there is a key and it has one.
    async fn with_key(&self, key: Option<&str>) -> Result<Option<Job>, JobsError> {
        match key {
            Some(key) => Ok(self.store.get_by_key(key).await?),
            None => Ok(None),
        }
    }

    /// The job that a wish made before, when it `fits` the wish.
    fn replayed(&self, job: Job, fits: impl FnOnce(&Job) -> bool) -> Result<Submitted, JobsError> {
        if !fits(&job) {
            return Err(JobsError::IdempotencyMismatch { job: job.id });
        }
        let job = self.manager.get(job.id).unwrap_or(job);
        Ok(Submitted { job, replayed: true })
    }

    /// Where the failed rows of a job lie.
    async fn failed_parts(&self, id: i64) -> Result<Vec<FailedPart>, JobsError> {
        let chunks = self.store.committed_chunks(id).await?;
        Ok(chunks.iter().filter_map(|chunk| chunk.failed_part).collect())
    }

    /// The storage that has the files of a job.
    fn files_of(&self, job: &Job) -> Result<Storage, JobsError> {
        if job.files_removed_at.is_some() {
            return Err(JobsError::FilesRemoved(job.id));
        }
        Ok(self.storage.at(&job.storage_location)?)
    }

    /// Why the files of a job could not be read: what happened to the job in this moment, else
    /// `fault`.
    async fn unless_gone(&self, id: i64, fault: JobsError) -> JobsError {
        match self.store.get(id).await {
            Ok(None) => JobsError::NotFound(id),
            Ok(Some(job)) if job.files_removed_at.is_some() => JobsError::FilesRemoved(id),
            Ok(Some(_)) | Err(_) => fault,
        }
    }

    /// Removes the files of a job that is no more. What cannot be removed is left to the sweep.
    async fn drop_files(&self, job: &Job) {
        match self.storage.at(&job.storage_location) {
            Ok(storage) => {
                if let Err(fault) = storage.remove(job.uuid).await {
                    let error = chain(&fault);
                    tracing::warn!(job = job.id, error, "its files are left to the sweep");
                }
            }
            Err(_) => {
                tracing::debug!(job = job.id, "its files are left to the server that has them");
            }
        }
    }
}

/// The same dataset, bytes, options and rows: what an `Idempotency-Key` promises.
fn same_upload(job: &Job, new: &NewJob) -> bool {
    job.dataset == new.dataset
        && job.sha256 == new.sha256
        && job.options == new.options
        && job.retry_of == new.retry_of
        && job.selection == new.selection
        && job.rollback_of == new.rollback_of
}
