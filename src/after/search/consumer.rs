//! Passes on what the outbox holds of one dataset: reads the records as they are now, so that a change
//! that is passed on twice, or late, leaves the search engine with what the table has.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

use super::document::{document, fields, id};
use super::error::SyncError;
use super::typesense::Typesense;
use super::{OnJob, SearchSettings};
use crate::dataset::model::Dataset;
use crate::definitions::Definitions;
use crate::domain::search_sync::{DocumentTally, RefusedDocument};
use crate::domain::trace::TraceContext;
use crate::faults::fault;
use crate::store::{ChangeKind, KeyedRecord, OutboxChange, SearchLease, Store, StoreError};
use crate::telemetry;

/// Records that are read, and documents that are sent, at a time.
pub(super) const BATCH: u32 = 5_000;

/// Refused documents that are named: those of a change, or of a whole collection.
pub(super) const REFUSED_LISTED_MAX: usize = 1_000;

/// What a piece of work came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worked {
    /// Everything that was due is passed on.
    All,
    /// Another server does it.
    Elsewhere,
}

/// A failure, and the job whose records waited for the work that failed, with its trace.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) job: Option<(i64, Option<TraceContext>)>,
    pub(super) error: SyncError,
}

impl<E: Into<SyncError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { job: None, error: error.into() }
    }
}

/// Passes records on to Typesense.
#[derive(Clone)]
pub struct SearchConsumer {
    pub(super) store: Store,
    pub(super) typesense: Typesense,
    pub(super) prefix: String,
    pub(super) datasets: Arc<Definitions>,
    /// By what others know who works here.
    owner: String,
    pub(super) on_job: OnJob,
    pub(super) stop: CancellationToken,
}

impl std::fmt::Debug for SearchConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SearchConsumer").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl SearchConsumer {
    /// What passes the records of `datasets` on. `on_job` gets the jobs as they change.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(
        store: Store,
        settings: SearchSettings,
        datasets: Arc<Definitions>,
        on_job: OnJob,
    ) -> Result<Self, SyncError> {
        let stop = CancellationToken::new();
        Ok(Self {
            store,
            typesense: Typesense::new(settings.url, settings.api_key, stop.clone())?,
            stop,
            prefix: settings.prefix,
            datasets,
            // One for each process: two on one data directory must not take each other's lease.
            owner: Uuid::new_v4().to_string(),
            on_job,
        })
    }

    /// The name under which a dataset is searched.
    #[must_use]
    pub fn alias(&self, dataset: &Dataset) -> String {
        format!("{}{}", self.prefix, dataset.name)
    }

    /// The schema of a dataset's collections, as text: a collection with another one is built anew.
    pub(super) fn shape(dataset: &Dataset) -> String {
        Value::from(fields(dataset)).to_string()
    }

    /// Passes on everything that is due of a dataset; builds its collection first where there is none.
    pub(super) async fn work(&self, dataset: &Dataset) -> Result<Worked, Failed> {
        let lease = self.store.lease_search(&dataset.name, &self.owner).await?;
        let Some(mut lease) = lease else { return Ok(Worked::Elsewhere) };
        let worked = self.work_with(dataset, &mut lease).await;
        // One that cannot be given back runs out.
        let released = self.store.release_search(&lease).await;
        worked?;
        released?;
        Ok(Worked::All)
    }

    async fn work_with(&self, dataset: &Dataset, lease: &mut SearchLease) -> Result<(), Failed> {
        loop {
            if self.stop.is_cancelled() {
                return Err(SyncError::Stopped.into());
            }
            let next = self.store.next_change(&dataset.name).await?;
            let of_job = |error| Failed { job: next.as_ref().map(|it| (it.job, it.trace)), error };
            if self.needs_build(dataset, lease) {
                *lease = self.build(dataset, lease).await.map_err(of_job)?;
                continue;
            }
            let Some(change) = &next else { return Ok(()) };
            let span = telemetry::search_span(change.job, change.trace);
            match self.change(dataset, lease, change).instrument(span).await {
                Err(fault) if fault.is_missing() => {
                    tracing::warn!(
                        event = "search_collection_missing",
                        dataset = dataset.name,
                        "Typesense does not have the collection, it is built anew"
                    );
                    lease.build_requested = true;
                }
                passed => passed.map_err(of_job)?,
            }
        }
    }

    fn needs_build(&self, dataset: &Dataset, lease: &SearchLease) -> bool {
        let begins = format!("{}_", self.alias(dataset));
        let is_ours = |name: &String| name.starts_with(&begins);
        lease.build_requested
            || lease.build.is_some()
            || !lease.collection.as_ref().is_some_and(is_ours)
            || lease.shape.as_ref() != Some(&Self::shape(dataset))
    }

    /// Passes one change on.
    async fn change(
        &self,
        dataset: &Dataset,
        lease: &SearchLease,
        change: &OutboxChange,
    ) -> Result<(), SyncError> {
        let tally = match &change.kind {
            ChangeKind::Records { keys, .. } => self.records(dataset, lease, keys, change).await?,
            ChangeKind::Ended => DocumentTally::default(),
        };
        fault!("search.sent", StoreError::busy().into());
        for refused in &tally.errors {
            tracing::warn!(
                event = "document_refused",
                dataset = dataset.name,
                document = refused.id,
                reason = refused.message,
                "Typesense refused a document"
            );
        }
        match self.store.pass_on(lease, change, &tally).await? {
            None => Err(SyncError::LostLease { dataset: dataset.name.clone() }),
            Some(job) => {
                if let Some(job) = job {
                    (self.on_job)(job);
                }
                Ok(())
            }
        }
    }

    async fn records(
        &self,
        dataset: &Dataset,
        lease: &SearchLease,
        keys: &str,
        change: &OutboxChange,
    ) -> Result<DocumentTally, SyncError> {
        // Loadbay wrote them; of what somebody else wrote there nothing can be read.
        let keys: Vec<Map<String, Value>> = serde_json::from_str(keys).unwrap_or_default();
        let own_time = self.store.has_own_change_time(dataset).await?;
        let since = own_time.then_some(change.changed_at);
        let collection = self.alias(dataset);
        let mut tally = DocumentTally::default();
        for keys in keys.chunks(BATCH as usize) {
            if !self.store.renew_search(lease).await? {
                return Err(SyncError::LostLease { dataset: dataset.name.clone() });
            }
            let found = self.store.records_by_keys(dataset, keys, since).await?;
            let gone = |it: &KeyedRecord| it.record.is_none().then(|| key_id(dataset, &it.key));
            let gone: Vec<String> = found.iter().filter_map(gone).collect();
            tally.removed += self.typesense.remove(&collection, &gone).await?;
            let records: Vec<_> = found.into_iter().filter_map(|it| it.record).collect();
            let sent = self.upsert(dataset, &collection, &records).await?;
            tally.add(sent, REFUSED_LISTED_MAX);
        }
        Ok(tally)
    }

    /// Sends records; fewer at a time where so many are too large for one request.
    pub(super) async fn upsert(
        &self,
        dataset: &Dataset,
        collection: &str,
        records: &[Map<String, Value>],
    ) -> Result<DocumentTally, SyncError> {
        let mut tally = DocumentTally::default();
        let mut parts = vec![records];
        while let Some(part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            let mut lines = String::with_capacity(part.len() * 256);
            for record in part {
                lines.push_str(&Value::Object(document(dataset, record)).to_string());
                lines.push('\n');
            }
            let reasons = match self.typesense.upsert(collection, lines).await {
                Err(fault) if fault.is_too_large() && part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                    continue;
                }
                Err(fault) if fault.is_too_large() => vec![Some(fault.to_string())],
                reasons => reasons?,
            };
            for (record, reason) in part.iter().zip(reasons) {
                match reason {
                    None => tally.upserted += 1,
                    Some(message) => {
                        let refused = RefusedDocument { id: id(dataset, record), message };
                        tally.refuse(refused, REFUSED_LISTED_MAX);
                    }
                }
            }
        }
        Ok(tally)
    }
}

/// The id of a document by the key of its record, as the table has its columns.
pub(super) fn key_id(dataset: &Dataset, key: &Map<String, Value>) -> String {
    let columns = dataset.key.iter().filter_map(|index| dataset.columns.get(*index));
    let named = columns
        .map(|column| (column.name.clone(), key.get(&column.field).cloned().unwrap_or_default()));
    id(dataset, &named.collect())
}
