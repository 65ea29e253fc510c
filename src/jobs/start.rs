//! Starting and stopping all that is done with jobs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bulk_feed::BulkFeeds;
use super::context::{Jobs, JobsContext, JobsSettings};
use super::error::JobsError;
use super::event_feed::EventFeeds;
use super::import_totals::ImportTotals;
use super::job_changes::JobChanges;
use super::manager::JobManager;
use super::memory::Memory;
use super::queue::Queue;
use super::wake::Wake;
use super::{retention, rollback, worker};
use crate::definitions::Definitions;
use crate::domain::limits::DOWNLOADS_MAX;
use crate::files::{DataDir, Fetcher, Storage};
use crate::metrics::ServerMetrics;
use crate::store::Store;

/// Jobs that requests wait for and that run beside all others.
const INLINE_SLOTS: usize = 2;

impl Jobs {
    /// Continues what an earlier process left, removes its unneeded files, and begins to claim
    /// jobs.
    pub async fn start(
        store: Store,
        data_dir: Arc<DataDir>,
        storage: Storage,
        fetcher: Fetcher,
        datasets: Arc<Definitions>,
        settings: JobsSettings,
    ) -> Self {
        let metrics = ServerMetrics::new(datasets.current().names());
        let context = Arc::new(JobsContext {
            memory: Arc::new(Memory::new(settings.memory_limit)),
            manager: JobManager::new(settings.keep_finished, Arc::clone(&metrics)),
            metrics,
            feeds: EventFeeds::default(),
            bulk_feeds: BulkFeeds::default(),
            changes: JobChanges::default(),
            queue: Queue::default(),
            import_totals: ImportTotals::default(),
            run_store: store.for_work(),
            store,
            data_dir,
            storage,
            fetcher,
            datasets,
            slots: Arc::new(Semaphore::new(settings.running_max.max(1) as usize)),
            download_slots: Arc::new(Semaphore::new(DOWNLOADS_MAX)),
            settings,
            inline_slots: Arc::new(Semaphore::new(INLINE_SLOTS)),
            wake: Wake::default(),
            claiming: Mutex::default(),
            has_unknown_claims: AtomicBool::new(true),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
            began: SystemTime::now(),
        });
        retention::at_start(&context).await;
        rollback::at_start(&context).await;
        worker::start(&context).await;
        Self { context }
    }

    /// True when the database answers and the server is not stopping.
    ///
    /// # Errors
    /// `ShuttingDown`; else the store's.
    pub async fn ready(&self) -> Result<(), JobsError> {
        if self.context.stop.is_cancelled() {
            return Err(JobsError::ShuttingDown);
        }
        self.on_runtime(|context| async move { Ok(context.store.ready().await?) }).await
    }

    /// Claims no more, lets the chunks in flight commit and gives the jobs back. Questions are still
    /// answered, and jobs still taken in, until [`Jobs::close`].
    pub async fn drain(&self) {
        self.context.stop.cancel();
        self.context.tasks.close();
        self.context.tasks.wait().await;
    }

    /// Closes the connections to the database: the last thing.
    pub async fn close(&self) {
        self.context.run_store.close().await;
        self.context.store.close().await;
    }
}
