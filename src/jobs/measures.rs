//! What the server knows of its own work: its queue, its memory, its settings; and sums over what was
//! imported.

use std::time::{Duration, SystemTime};

use super::context::Jobs;
use super::error::JobsError;
use super::memory::MemoryUse;
use crate::metrics::ServerMetrics;
use crate::store::{PoolUse, QueueState, Sales, SalesFilter, Unfinished};

impl Jobs {
    /// Jobs that this server runs at a time.
    #[must_use]
    pub fn running_max(&self) -> u32 {
        self.context.settings.running_max
    }

    /// What the server uses of its memory.
    #[must_use]
    pub fn memory(&self) -> MemoryUse {
        self.context.memory.now()
    }

    /// What this process counts.
    #[must_use]
    pub fn metrics(&self) -> &ServerMetrics {
        &self.context.metrics
    }

    /// Jobs that run in this process.
    #[must_use]
    pub fn running_here(&self) -> u64 {
        self.context.manager.running_here().len() as u64
    }

    /// How its connections to the database are used, each pool with whom it serves.
    #[must_use]
    pub fn pools(&self) -> [(&'static str, PoolUse); 3] {
        let context = &self.context;
        [
            ("requests", context.store.pool_use()),
            ("lists", context.store.list_pool_use()),
            ("jobs", context.run_store.pool_use()),
        ]
    }

    /// How the queue of all servers stands.
    ///
    /// # Errors
    /// The store's.
    pub async fn queue_state(&self) -> Result<QueueState, JobsError> {
        self.on_runtime(|context| async move { Ok(context.store.queue_state().await?) }).await
    }

    /// When this process began to run jobs.
    #[must_use]
    pub fn began(&self) -> SystemTime {
        self.context.began
    }

    /// How long this server has run jobs.
    #[must_use]
    pub fn up_time(&self) -> Duration {
        SystemTime::now().duration_since(self.context.began).unwrap_or_default()
    }

    /// The jobs of a dataset that have not ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn unfinished(&self, dataset: &str) -> Result<Unfinished, JobsError> {
        let dataset = dataset.to_owned();
        self.on_runtime(move |context| async move { Ok(context.store.unfinished(&dataset).await?) })
            .await
    }

    /// Sums over order lines.
    ///
    /// # Errors
    /// The store's.
    pub async fn sales(&self, of: SalesFilter) -> Result<Sales, JobsError> {
        self.on_runtime(move |context| async move { Ok(context.store.sales(&of).await?) }).await
    }
}
