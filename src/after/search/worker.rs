//! Passes records on as long as the server runs, and builds a collection when a person asks for it. A
//! failure costs time only: the next attempt comes after a pause that grows.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::build::BuildReport;
use super::consumer::{Failed, SearchConsumer, Worked};
use super::error::SyncError;
use crate::dataset::model::Dataset;
use crate::domain::error_chain::error_chain;
use crate::store::SearchLease;
use crate::telemetry;

/// How often it is looked whether there is something to do.
const LOOK: Duration = Duration::from_secs(1);

/// The first pause behind a failure; doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// How often a person's command is tried before it gives up.
const ATTEMPTS_OF_COMMAND: u32 = 5;

/// Failed attempts in a row, and when the next one is due.
#[derive(Debug, Clone, Copy)]
struct Pause {
    attempts: u32,
    until: Instant,
}

impl Pause {
    fn after(attempts: u32) -> Self {
        let doubled = PAUSE_MIN.saturating_mul(1 << attempts.saturating_sub(1).min(10));
        // Not all servers at the same moment.
        let jitter = Duration::from_millis(u64::from(rand_below(500)));
        Self { attempts, until: Instant::now() + doubled.min(PAUSE_MAX) + jitter }
    }
}

/// Any number below `limit`.
fn rand_below(limit: u32) -> u32 {
    let [a, b, c, d, ..] = *uuid::Uuid::new_v4().as_bytes();
    u32::from_be_bytes([a, b, c, d]) % limit
}

/// The task that passes records on.
#[derive(Debug)]
pub struct SearchWorker {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl SearchWorker {
    /// Starts it on the runtime of the caller.
    #[must_use]
    pub fn start(sync: SearchConsumer) -> Self {
        let stop = sync.stop.clone();
        let task = tokio::spawn(async move {
            // A task of its own for each: one that panics is followed by the next.
            while let Err(fault) = tokio::spawn(sync.clone().run()).await {
                tracing::error!(
                    event = "task_restarted",
                    task = "search sync",
                    %fault,
                    "task panicked, restarting"
                );
                sync.rest(PAUSE_MIN).await;
            }
        });
        Self { task, stop }
    }

    /// Ends it: what is being sent is sent again at the next start.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(fault) = self.task.await {
            tracing::warn!(event = "task_failed", task = "search sync", %fault, "task panicked");
        }
    }
}

impl SearchConsumer {
    /// Until the server stops. No call of the database is cut off half-way.
    async fn run(self) {
        let mut pauses = BTreeMap::new();
        while !self.stop.is_cancelled() {
            if let Err(error) = self.round(&mut pauses).await {
                tracing::debug!(
                    event = "outbox_unreadable",
                    error = error_chain(&error),
                    "outbox cannot be read"
                );
            }
            self.rest(LOOK).await;
        }
    }

    async fn rest(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn round(&self, pauses: &mut BTreeMap<String, Pause>) -> Result<(), SyncError> {
        for name in self.store.datasets_to_sync().await? {
            let Some(dataset) = self.datasets.get(&name) else { continue };
            if pauses.get(&name).is_some_and(|pause| pause.until > Instant::now()) {
                continue;
            }
            match self.work(&dataset).await {
                Ok(Worked::All | Worked::Elsewhere) => {
                    pauses.remove(&name);
                }
                Err(Failed { error: SyncError::Stopped, .. }) => return Ok(()),
                Err(failed) => {
                    let attempts = pauses.get(&name).map_or(1, |pause| pause.attempts + 1);
                    self.report(&dataset, &failed, attempts).await;
                    pauses.insert(name, Pause::after(attempts));
                }
            }
        }
        Ok(())
    }

    async fn report(&self, dataset: &Dataset, failed: &Failed, attempts: u32) {
        let message = error_chain(&failed.error);
        let span = failed.job.map(|(job, trace)| telemetry::span_about(job, trace));
        span.unwrap_or_else(Span::none).in_scope(|| {
            tracing::warn!(
                event = "search_sync_failed",
                dataset = dataset.name,
                attempts,
                error = message,
                "records were not passed on, the next attempt follows"
            );
        });
        let Some((job, _)) = failed.job else { return };
        // What is not stored is in the log.
        if let Ok(Some(job)) = self.store.note_sync_failure(job, &message, attempts).await {
            (self.on_job)(job);
        }
    }

    /// Builds the collection of a dataset anew, together with a server that runs: whichever of the two
    /// has the lease does the work. `on_progress` gets the documents that are there.
    ///
    /// # Errors
    /// When the search engine or the database fails several times in a row. The request stays: a
    /// running server goes on with it.
    pub async fn rebuild(
        &self,
        dataset: &Dataset,
        on_progress: impl Fn(u64) + Send + Sync,
    ) -> Result<BuildReport, SyncError> {
        let before = self.state(dataset).await?.and_then(|state| state.collection);
        self.store.request_build(&dataset.name).await?;
        let mut attempts = 0;
        loop {
            let worked = self.work_and_report(dataset, &on_progress).await?;
            let state = self.state(dataset).await?;
            if let Some(built) = state.as_ref().and_then(|state| state.last_build.clone())
                && Some(&built.collection) != before.as_ref()
                && state.is_some_and(|it| it.collection.as_ref() == Some(&built.collection))
            {
                let alias = self.alias(dataset);
                return Ok(BuildReport { alias, collection: built.collection, tally: built.tally });
            }
            match worked {
                Ok(Worked::All | Worked::Elsewhere) => tokio::time::sleep(LOOK).await,
                Err(failed) => {
                    attempts += 1;
                    if attempts >= ATTEMPTS_OF_COMMAND {
                        return Err(failed.error);
                    }
                    tokio::time::sleep_until(Pause::after(attempts).until).await;
                }
            }
        }
    }

    /// Works, and gives the number of documents now and then.
    async fn work_and_report(
        &self,
        dataset: &Dataset,
        on_progress: &(impl Fn(u64) + Send + Sync),
    ) -> Result<Result<Worked, Failed>, SyncError> {
        let mut work = std::pin::pin!(self.work(dataset));
        loop {
            let worked = tokio::select! {
                worked = &mut work => Some(worked),
                () = tokio::time::sleep(LOOK) => None,
            };
            if let Some(build) = self.state(dataset).await?.and_then(|state| state.build) {
                on_progress(build.tally.upserted);
            }
            if let Some(worked) = worked {
                return Ok(worked);
            }
        }
    }

    async fn state(&self, dataset: &Dataset) -> Result<Option<SearchLease>, SyncError> {
        Ok(self.store.search_state(&dataset.name).await?)
    }
}
