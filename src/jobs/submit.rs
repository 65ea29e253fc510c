//! From an uploaded file to a job: decide what the file is, match its header, store the job.
//!
//! Knows nothing of HTTP: any code with a file on disk can call it. A fault of the file is reported
//! here, before there is a job; a fault of a row is reported by the job.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::job_line::job_line;
use super::mirror_check;
use super::stop::StopOnDrop;
use super::version::check_version;
use crate::dataset::model::Dataset;
use crate::dataset::{HeaderNames, conventions, header_warnings, match_header};
use crate::domain::detected::Detected;
use crate::domain::error_chain::error_chain;
use crate::domain::job::{Job, NewJob};
use crate::domain::options::{Mode, Options};
use crate::domain::trace::TraceContext;
use crate::domain::warning::Warnings;
use crate::files::{StoredUpload, TempUpload, name_inside};
use crate::reader::{self, Inspection, ReadPermit, Upload, may_be_workbook};
use crate::store::{Inserted, StoreError};
use crate::telemetry;

/// How long a request that stores a job waits for a database of which nobody knows whether it did.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// Between two attempts.
const ANSWER_PAUSE: Duration = Duration::from_millis(200);

/// A file and what is to be done with it.
#[derive(Debug)]
pub struct ImportRequest {
    /// Where the rows go.
    pub dataset: Arc<Dataset>,
    /// The file; removed again when no job comes of it.
    pub upload: TempUpload,
    /// The name to show.
    pub file_name: String,
    /// What the client says that it is.
    pub media_type: Option<String>,
    /// What the client asks for.
    pub options: Options,
    /// The client's key for this upload.
    pub idempotency_key: Option<String>,
    /// Who uploads: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The request, in its trace.
    pub trace: Option<TraceContext>,
}

/// What a submission came to.
#[derive(Debug)]
pub struct Submitted {
    /// The job.
    pub job: Job,
    /// The job was there already: the same file under the same `Idempotency-Key`.
    pub replayed: bool,
}

impl Jobs {
    /// Makes a job of a file; it runs as soon as there is a slot. Runs to its end once begun, also
    /// when the caller goes away.
    ///
    /// The file is inspected where it arrived; only one that a job comes of is made durable.
    ///
    /// # Errors
    /// `File` when it is none that can be read, `Header` when its columns do not fit the dataset,
    /// `Strict` when it raises a warning and the upload has `strict=true`;
    /// `IdempotencyMismatch` when the key belongs to another upload; the files', else the store's.
    pub async fn submit_upload(&self, request: ImportRequest) -> Result<Submitted, JobsError> {
        self.on_runtime(|context| async move {
            // A job will come of it, also when the client goes away.
            let never = Arc::new(AtomicBool::new(false));
            let (request, detected, warnings) = examine(&context, request, never).await?;
            context.submit_inspected(request, detected, warnings).await
        })
        .await
    }

    /// Finds out what a file is and reads its header and first rows. Keeps nothing. Ends when the
    /// caller goes away: then the file is not read further.
    ///
    /// # Errors
    /// `File` when it is none that can be read.
    pub async fn inspect_upload(
        &self,
        request: ImportRequest,
    ) -> Result<(ImportRequest, Inspection), JobsError> {
        self.while_awaited(|context| async move {
            let stop = StopOnDrop::default();
            inspect(&context, request, stop.flag()).await
        })
        .await
    }
}

/// Finds out what a file is and how its columns are imported, until `stop` is set.
pub(super) async fn examine(
    context: &JobsContext,
    request: ImportRequest,
    stop: Arc<AtomicBool>,
) -> Result<(ImportRequest, Detected, Warnings), JobsError> {
    let (request, inspection) = inspect(context, request, stop).await?;
    let dataset = &request.dataset;
    let matched = match_header(dataset, &inspection.header, &request.options)
        .map_err(|faults| JobsError::Header { faults, place: inspection.header_place() })?;
    if request.options.mode == Mode::Newer {
        check_version(dataset, &matched)?;
    }
    let has_rows = !inspection.sample.is_empty();
    mirror_check::check_file(dataset, &request.options, &matched, has_rows)?;
    let mut warnings = header_warnings(dataset, &inspection.header, &matched, &inspection.sample);
    warnings.merge(&inspection.warnings);
    if dataset.has_sensitive() {
        warnings.hide_texts();
    }
    if request.options.strict && !warnings.is_empty() {
        return Err(JobsError::Strict(warnings));
    }
    context.keep_mapping(&request, &inspection.header, &matched).await?;
    let rows = &inspection.sample;
    let conventions = conventions(dataset, &matched.columns, rows, &request.options);
    let detected = inspection.into_detected(matched.names(dataset), conventions);
    Ok((request, detected, warnings))
}

/// The request with the file inside, when its file is packed with gzip: that one is kept and
/// imported, and its SHA-256 is the job's.
pub(super) async fn unpacked(
    context: &JobsContext,
    mut request: ImportRequest,
) -> Result<ImportRequest, JobsError> {
    let limit = context.settings.max_upload;
    if let Some(inside) = context.data_dir.gunzip(&request.upload, limit).await? {
        request.upload = inside;
        request.file_name = name_inside(&request.file_name).to_owned();
    }
    Ok(request)
}

/// Inspects a file, a workbook as soon as a slot for one is free.
async fn inspect(
    context: &JobsContext,
    request: ImportRequest,
    stop: Arc<AtomicBool>,
) -> Result<(ImportRequest, Inspection), JobsError> {
    let mut request = unpacked(context, request).await?;
    context.take_named_mapping(&mut request).await?;
    let is_workbook = may_be_workbook(&request.upload.path).map_err(JobsError::File)?;
    let permit = context.settings.child.permit(is_workbook).await;
    let home_encoding = context.settings.home_encoding.clone();
    let span = Span::current();
    let inspected = tokio::task::spawn_blocking(move || {
        let _in_request = span.entered();
        let inspection = inspect_with(&permit, &request, home_encoding.as_deref(), &stop);
        // The child has ended: another one may begin.
        drop(permit);
        (request, inspection)
    });
    let (mut request, inspection) = inspected.await.map_err(|_| JobsError::Panicked)?;
    let inspection = inspection.map_err(JobsError::File)?;
    context.take_mapping_of_headers(&mut request, &inspection.header).await?;
    Ok((request, inspection))
}

fn inspect_with(
    permit: &ReadPermit,
    request: &ImportRequest,
    home_encoding: Option<&str>,
    stop: &AtomicBool,
) -> Result<Inspection, reader::ReadError> {
    let upload = Upload {
        path: &request.upload.path,
        file_name: &request.file_name,
        media_type: request.media_type.as_deref(),
        valid_utf8: request.upload.valid_utf8,
        size: request.upload.size,
    };
    let names = HeaderNames::new(&request.dataset, &request.options);
    let know = |cells: &[&str]| names.read(cells);
    reader::inspect(&upload, &request.options, home_encoding, &know, permit, stop)
}

impl JobsContext {
    /// Makes the file durable and describes its job.
    pub(super) async fn make_durable(
        &self,
        request: ImportRequest,
        detected: Detected,
        warnings: Warnings,
    ) -> Result<(StoredUpload, NewJob), JobsError> {
        let ImportRequest { dataset, upload, file_name, options, .. } = request;
        let stored = self.storage.store(upload).await?;
        let new = NewJob {
            uuid: stored.uuid,
            dataset: dataset.name.clone(),
            file_name,
            file_size: stored.size,
            sha256: stored.sha256.clone(),
            options,
            detected: Some(detected),
            download: None,
            warnings,
            idempotency_key: request.idempotency_key,
            bulk_id: None,
            created_by: request.created_by,
            trace: request.trace,
            retry_of: None,
            selection: None,
            rollback_of: None,
            confirms: None,
        };
        Ok((stored, new))
    }

    /// Makes the file durable and stores its job.
    async fn submit_inspected(
        self: Arc<Self>,
        request: ImportRequest,
        detected: Detected,
        warnings: Warnings,
    ) -> Result<Submitted, JobsError> {
        let (stored, new) = self.make_durable(request, detected, warnings).await?;
        // In a task of its own: a panic behind the commit must not take the file with it.
        let context = Arc::clone(&self);
        let insert = async move { context.insert(new, context.storage.location()).await };
        let inserted = self.runtime.spawn(insert.in_current_span()).await;
        match inserted.unwrap_or(Err(JobsError::Panicked)) {
            Ok(submitted) => {
                // A replayed upload has a job, and that one a file, already.
                if submitted.job.uuid == stored.uuid {
                    stored.keep();
                }
                Ok(submitted)
            }
            Err(fault) => {
                // Its file stays then; the sweep removes it after a day if there is no job.
                if fault.may_have_stored() {
                    stored.keep();
                }
                Err(fault)
            }
        }
    }

    /// Stores a job whose files lie at `storage_location`.
    pub(super) async fn insert(
        &self,
        new: NewJob,
        storage_location: &str,
    ) -> Result<Submitted, JobsError> {
        match self.insert_once(&new, storage_location).await? {
            Inserted::New(job) => Ok(self.received(job)),
            Inserted::KeyOfBulk(bulk) => Err(JobsError::KeyOfBulk(bulk)),
            Inserted::KeyTaken(job) => self.replayed(job, |job| same_upload(job, &new)),
        }
    }

    /// A new job is stored: whoever runs it and whoever looks at it learns of it.
    pub(super) fn received(&self, job: Job) -> Submitted {
        telemetry::request_is_about(job.id);
        job_line!(info, job, event = "job_received", bytes = job.file_size, "job received");
        // The file of another job was counted with that one, one to be downloaded comes later.
        if job.retry_of.or(job.rollback_of).or(job.confirms).is_none() {
            self.metrics.uploaded(&job.dataset, job.file_size.unsigned_abs());
        }
        self.manager.publish(job.clone());
        self.wake_for(&job);
        Submitted { job, replayed: false }
    }

    /// Stores a job once, also when the answer of the database is lost: then nobody knows whether
    /// there is a job, and it is asked again under the same name.
    async fn insert_once(
        &self,
        new: &NewJob,
        storage_location: &str,
    ) -> Result<Inserted, StoreError> {
        let store = || self.store.insert(new, storage_location);
        let warn = |fault: &StoreError| {
            tracing::warn!(
                event = "job_storage_unanswered",
                uuid = %new.uuid,
                error = error_chain(fault),
                "nobody knows whether the job was stored, trying again"
            );
        };
        store_once(store, warn).await
    }

    /// The job that has the key of a request, if there is a key and it has one.
    pub(super) async fn with_key(&self, key: Option<&str>) -> Result<Option<Job>, JobsError> {
        match key {
            Some(key) => Ok(self.store.get_by_key(key).await?),
            None => Ok(None),
        }
    }

    /// The job that a request made before, when it `fits` the request.
    pub(super) fn replayed(
        &self,
        job: Job,
        fits: impl FnOnce(&Job) -> bool,
    ) -> Result<Submitted, JobsError> {
        if !fits(&job) {
            return Err(JobsError::IdempotencyMismatch { job: job.id });
        }
        let job = self.manager.get(job.id).unwrap_or(job);
        Ok(Submitted { job, replayed: true })
    }
}

/// The same dataset, bytes, options and rows: what an `Idempotency-Key` promises.
fn same_upload(job: &Job, new: &NewJob) -> bool {
    job.dataset == new.dataset
        && match (&job.download, &new.download) {
            (Some(had), Some(wants)) => had.url == wants.url,
            (None, None) => job.sha256 == new.sha256,
            _ => false,
        }
        && job.options == new.options
        && job.retry_of == new.retry_of
        && job.selection == new.selection
        && job.rollback_of == new.rollback_of
}

/// Stores what is under a name of its own once, also when the answer of the database is lost: then
/// nobody knows whether it is stored, and it is stored again under the same name.
pub(super) async fn store_once<T, F>(
    store: impl Fn() -> F,
    warn: impl Fn(&StoreError),
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let end = Instant::now() + ANSWER_PATIENCE;
    let mut is_unknown = false;
    loop {
        let fault = match store().await {
            Ok(stored) => return Ok(stored),
            Err(fault) => fault,
        };
        is_unknown |= !fault.wrote_nothing();
        let may_be_cured = fault.is_transient() || fault.is_cancelled();
        if !is_unknown || !may_be_cured || Instant::now() >= end {
            return Err(fault);
        }
        warn(&fault);
        tokio::time::sleep(ANSWER_PAUSE).await;
    }
}
