//! Several files that were uploaded together: each becomes a job or is refused in its place. All jobs
//! are stored in one transaction, so that a bulk is there as a whole or not at all.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::DateTime;
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use super::context::{Jobs, JobsContext};
use super::control::Command;
use super::error::JobsError;
use super::mirror_check::MirrorFault;
use super::submit::{ImportRequest, examine, store_once};
use super::submit_far::{FarRequest, far_name};
use crate::dataset::model::Dataset;
use crate::domain::bulk::{Bulk, BulkJob, FileCounts, RefusedFile};
use crate::domain::error_chain::error_chain;
use crate::domain::error_code::ErrorCode;
use crate::domain::hexadecimal::hex;
use crate::domain::job::NewJob;
use crate::domain::options::Mode;
use crate::domain::sentence::sentence;
use crate::domain::trace::TraceContext;
use crate::files::StoredUpload;
use crate::store::{BulkInserted, NewBulkJob, StoreError};

/// Files of a bulk that are inspected and made durable at a time.
const INSPECTED_AT_ONCE: usize = 4;

/// How often someone who waits for a bulk looks into the table.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Files that were uploaded together and what is to be done with them.
#[derive(Debug)]
pub struct BulkRequest {
    /// Where the rows go.
    pub dataset: Arc<Dataset>,
    /// The files in their order.
    pub files: Vec<BulkFile>,
    /// The client's key for this upload.
    pub idempotency_key: Option<String>,
    /// Who uploads: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The request, in its trace.
    pub trace: Option<TraceContext>,
}

/// A file of a bulk.
#[derive(Debug)]
pub enum BulkFile {
    /// It came in.
    Received(Box<ImportRequest>),
    /// It lies elsewhere; its job downloads it.
    Far(Box<FarRequest>),
    /// It was refused before anybody looked at its rows.
    Refused {
        /// Its name.
        file_name: String,
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
    },
}

impl BulkFile {
    fn is_mirror(&self) -> bool {
        let options = match self {
            Self::Received(request) => &request.options,
            Self::Far(request) => &request.options,
            Self::Refused { .. } => return false,
        };
        options.mode == Mode::Mirror
    }
}

/// What a bulk upload came to.
#[derive(Debug)]
pub struct BulkSubmitted {
    /// The bulk.
    pub bulk: Bulk,
    /// Its jobs in the order of their files.
    pub jobs: Vec<BulkJob>,
    /// The bulk was there already: the same files under the same `Idempotency-Key`.
    pub replayed: bool,
}

/// A file that a job can be made of.
struct Prepared {
    /// None of a file that lies elsewhere.
    stored: Option<StoredUpload>,
    new: NewJob,
}

impl Jobs {
    /// Makes a job of each file that can be imported; the others are refused in their places.
    ///
    /// # Errors
    /// `AllRefused` when no job comes of it, `IdempotencyMismatch` and `KeyOfBulk` when the key
    /// belongs to another upload; what is the server's fault; else the store's.
    pub async fn submit_bulk(&self, request: BulkRequest) -> Result<BulkSubmitted, JobsError> {
        self.on_runtime(|context| async move { context.submit_bulk(request).await }).await
    }

    /// A bulk and its jobs as they stand.
    ///
    /// # Errors
    /// `NoBulk`; else the store's.
    pub async fn bulk(&self, id: Uuid) -> Result<(Bulk, Vec<BulkJob>), JobsError> {
        self.on_runtime(move |context| async move { context.bulk(id).await }).await
    }

    /// Waits for the end of a bulk, at most for `at_most`; then the bulk as it stands.
    ///
    /// # Errors
    /// `NoBulk`; else the store's.
    pub async fn wait_for_bulk(
        &self,
        id: Uuid,
        at_most: Duration,
    ) -> Result<(Bulk, Vec<BulkJob>), JobsError> {
        let end = Instant::now() + at_most;
        loop {
            let (bulk, jobs) = self.bulk(id).await?;
            let is_over = FileCounts::of(&bulk, &jobs).status().is_terminal();
            if is_over || Instant::now() >= end {
                return Ok((bulk, jobs));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = self.context.stop.cancelled() => return Ok((bulk, jobs)),
            }
        }
    }

    /// Cancels every job of a bulk that has not ended; gives the bulk as it is then.
    ///
    /// # Errors
    /// `NoBulk`; `BulkEnded` when no job is left; else the store's.
    pub async fn cancel_bulk(&self, id: Uuid) -> Result<(Bulk, Vec<BulkJob>), JobsError> {
        let (bulk, jobs) = self.bulk(id).await?;
        if FileCounts::of(&bulk, &jobs).status().is_terminal() {
            return Err(JobsError::BulkEnded(id));
        }
        // From behind: none of them begins because one before it ended.
        for job in jobs.iter().rev().filter(|job| !job.status.is_terminal()) {
            match self.apply(job.id, Command::Cancel).await {
                // It ended, or was deleted, in this moment.
                Ok(_) | Err(JobsError::InvalidState { .. } | JobsError::NotFound(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        self.bulk(id).await
    }
}

impl JobsContext {
    pub(super) async fn bulk(&self, id: Uuid) -> Result<(Bulk, Vec<BulkJob>), JobsError> {
        let bulk = self.store.bulk(id).await?.ok_or(JobsError::NoBulk(id))?;
        Ok((bulk, self.store.bulk_jobs(id).await?))
    }

    async fn submit_bulk(
        self: Arc<Self>,
        request: BulkRequest,
    ) -> Result<BulkSubmitted, JobsError> {
        let fingerprint = fingerprint(&request);
        if let Some(key) = request.idempotency_key.as_deref()
            && let Some(bulk) = self.store.bulk_by_key(key).await?
        {
            return self.replayed_bulk(bulk, &fingerprint).await;
        }
        if request.files.len() > 1 && request.files.iter().any(BulkFile::is_mirror) {
            return Err(MirrorFault::SeveralFiles.into());
        }
        let id = Uuid::new_v4();
        let file_count = request.files.len() as u64;
        let (prepared, refused) = self.prepare_all(id, request.files).await?;
        if prepared.is_empty() {
            return Err(JobsError::AllRefused(refused));
        }
        let bulk = Bulk {
            id,
            dataset: request.dataset.name.clone(),
            file_count,
            refused,
            fingerprint,
            idempotency_key: request.idempotency_key,
            retry_of: None,
            created_by: request.created_by,
            created_at: DateTime::default(),
        };
        let (location, trace) = (self.storage.location().to_owned(), request.trace);
        let created_by = bulk.created_by.clone();
        let (stored, jobs): (Vec<_>, Vec<_>) = prepared
            .into_iter()
            .map(|Prepared { stored, new }| {
                let new = NewJob { created_by: created_by.clone(), trace, ..new };
                (stored, NewBulkJob { new, storage_location: location.clone() })
            })
            .unzip();
        // In a task of its own: a panic behind the commit must not take the files with it.
        let context = Arc::clone(&self);
        let insert = async move { context.insert_bulk(bulk, jobs).await };
        let inserted =
            self.runtime.spawn(insert.in_current_span()).await.unwrap_or(Err(JobsError::Panicked));
        let is_theirs = match &inserted {
            Ok(submitted) => !submitted.replayed,
            // Their files stay then; the sweep removes them after a day if there are no jobs.
            Err(fault) => fault.may_have_stored(),
        };
        if is_theirs {
            for stored in stored.into_iter().flatten() {
                stored.keep();
            }
        }
        inserted
    }

    /// Inspects every file and makes those durable that a job can be made of, in their order.
    async fn prepare_all(
        self: &Arc<Self>,
        bulk_id: Uuid,
        files: Vec<BulkFile>,
    ) -> Result<(Vec<Prepared>, Vec<RefusedFile>), JobsError> {
        let prepare_one = |file| {
            let context = Arc::clone(self);
            async move { context.prepare_one(file).await }
        };
        let mut found = stream::iter(files).map(prepare_one).buffered(INSPECTED_AT_ONCE);
        let (mut prepared, mut refused) = (Vec::new(), Vec::new());
        let mut index = 0;
        while let Some(file) = found.next().await {
            match file? {
                Ok(Prepared { stored, new }) => {
                    let new = NewJob { bulk_id: Some(bulk_id), ..new };
                    prepared.push(Prepared { stored, new });
                }
                Err(file) => refused.push(RefusedFile { index, ..file }),
            }
            index += 1;
        }
        Ok((prepared, refused))
    }

    /// A file that a job can be made of, or why not. What is the server's fault ends the request.
    async fn prepare_one(
        self: Arc<Self>,
        file: BulkFile,
    ) -> Result<Result<Prepared, RefusedFile>, JobsError> {
        let request = match file {
            BulkFile::Received(request) => request,
            BulkFile::Far(request) => return Ok(self.prepare_far(*request)),
            BulkFile::Refused { file_name, code, message } => {
                return Ok(Err(refused(file_name, code, &message)));
            }
        };
        let file_name = request.file_name.clone();
        let inspected = examine(&self, *request, Arc::new(AtomicBool::new(false))).await;
        match inspected {
            Ok((request, detected, warnings)) => {
                let (stored, new) = self.make_durable(request, detected, warnings).await?;
                Ok(Ok(Prepared { stored: Some(stored), new }))
            }
            Err(fault) if fault.code().status() < 500 => {
                Ok(Err(refused(file_name, fault.code(), &reason(&fault))))
            }
            Err(fault) => Err(fault),
        }
    }

    /// The job of an address, or why it may not be asked.
    fn prepare_far(&self, request: FarRequest) -> Result<Prepared, RefusedFile> {
        let file_name = far_name(&request.dataset, &request.url, request.file_name.as_deref());
        match request.new_job(&self.fetcher) {
            Ok(new) => Ok(Prepared { stored: None, new }),
            Err(fault) => Err(refused(file_name, fault.code(), &sentence(&fault.to_string()))),
        }
    }

    /// Stores a bulk once, also when the answer of the database is lost.
    pub(super) async fn insert_bulk(
        &self,
        bulk: Bulk,
        jobs: Vec<NewBulkJob>,
    ) -> Result<BulkSubmitted, JobsError> {
        let uploaded = jobs.iter().filter(|job| job.new.retry_of.is_none());
        let bytes = uploaded.map(|job| job.new.file_size).sum();
        match self.insert_bulk_once(&bulk, &jobs).await? {
            BulkInserted::New(bulk, jobs) => {
                tracing::info!(
                    event = "bulk_received",
                    bulk_id = %bulk.id,
                    dataset = bulk.dataset,
                    files = bulk.file_count,
                    refused = bulk.refused.len(),
                    client = bulk.created_by,
                    "bulk received"
                );
                self.metrics.uploaded(&bulk.dataset, bytes);
                self.wake.notify();
                self.wake.downloads.notify_one();
                Ok(BulkSubmitted { bulk, jobs, replayed: false })
            }
            BulkInserted::KeyTaken(stored) => self.replayed_bulk(stored, &bulk.fingerprint).await,
            BulkInserted::KeyOfJob(job) => Err(JobsError::IdempotencyMismatch { job }),
        }
    }

    async fn insert_bulk_once(
        &self,
        bulk: &Bulk,
        jobs: &[NewBulkJob],
    ) -> Result<BulkInserted, StoreError> {
        let store = || self.store.insert_bulk(bulk, jobs);
        let warn = |fault: &StoreError| {
            tracing::warn!(
                event = "bulk_storage_unanswered",
                bulk_id = %bulk.id,
                error = error_chain(fault),
                "nobody knows whether the bulk was stored, trying again"
            );
        };
        store_once(store, warn).await
    }

    /// The bulk that a request made before, when it had the same files.
    pub(super) async fn replayed_bulk(
        &self,
        bulk: Bulk,
        fingerprint: &str,
    ) -> Result<BulkSubmitted, JobsError> {
        if bulk.fingerprint != fingerprint {
            return Err(JobsError::KeyOfBulk(bulk.id));
        }
        let jobs = self.store.bulk_jobs(bulk.id).await?;
        Ok(BulkSubmitted { bulk, jobs, replayed: true })
    }
}

/// The same for the same files in the same order, with the same options, into the same dataset.
fn fingerprint(request: &BulkRequest) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(&request.dataset.name);
    for file in &request.files {
        match file {
            BulkFile::Received(request) => {
                add(&request.upload.sha256);
                add(&serde_json::to_string(&request.options).unwrap_or_default());
            }
            BulkFile::Far(request) => {
                add(request.url.reveal());
                add(&serde_json::to_string(&request.options).unwrap_or_default());
            }
            BulkFile::Refused { file_name, code, .. } => {
                add(code.as_str());
                add(file_name);
            }
        }
    }
    hex(&hash.finalize())
}

/// The place is set where it is known.
fn refused(file_name: String, code: ErrorCode, message: &str) -> RefusedFile {
    RefusedFile { index: 0, file_name, code: code.as_str().to_owned(), message: message.to_owned() }
}

/// Why a file was refused, in sentences.
fn reason(fault: &JobsError) -> String {
    match fault {
        JobsError::Header { faults, place } => {
            let faults = faults.iter().map(|fault| sentence(&fault.to_string()));
            let place = place.iter().map(|place| sentence(&place.to_string()));
            faults.chain(place).collect::<Vec<_>>().join(" ")
        }
        JobsError::File(_) | JobsError::Files(_) => {
            format!("{} {}", sentence(&fault.to_string()), fault.code().remedy())
        }
        fault => sentence(&fault.to_string()),
    }
}
