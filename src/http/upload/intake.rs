//! From a file on disk to a job: decide what the file is, match its header, store the job.
//!
//! Knows nothing of HTTP: whoever has a file on disk can call it. What is wrong with the file is
//! told here, before there is a job; what is wrong with a row is the job's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::dataset::model::Dataset;
use crate::dataset::{HeaderFault, header_score, match_header};
use crate::domain::detected::Detected;
use crate::domain::job::NewJob;
use crate::domain::options::Options;
use crate::files::{FileError, Storage, TempUpload};
use crate::http::problem::Problem;
use crate::jobs::{Jobs, JobsError, Submitted};
use crate::reader::{Child, Inspection, ReadError, Upload, inspect, may_be_workbook};

/// A file and what is to be done with it.
#[derive(Debug)]
pub(super) struct Order {
    /// Where the rows go.
    pub(super) dataset: Arc<Dataset>,
    /// The file; removed again when no job comes of it.
    pub(super) arrived: TempUpload,
    /// The name to show.
    pub(super) file_name: String,
    /// What the client says that it is.
    pub(super) media_type: Option<String>,
    /// What the client asks for.
    pub(super) options: Options,
    /// The client's key for this upload.
    pub(super) idempotency_key: Option<String>,
    /// Who uploads.
    pub(super) client: Option<String>,
}

/// Why no job came of a file.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The file is none that can be read.
    File(ReadError),
    /// Its columns do not fit the dataset.
    Header(Vec<HeaderFault>),
    /// It could not be stored.
    Storage(FileError),
    /// The job could not be stored.
    Jobs(JobsError),
    /// The inspection ended without a result.
    Inspection(tokio::task::JoinError),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::File(fault) => fault.into(),
            Refusal::Header(faults) => faults.into(),
            Refusal::Storage(fault) => fault.into(),
            Refusal::Jobs(fault) => fault.into(),
            Refusal::Inspection(fault) => {
                Self::because(crate::domain::error_code::ErrorCode::Internal, fault)
            }
        }
    }
}

/// Makes a job of a file. Must run to its end once begun.
///
/// The file is looked into where it arrived; only one that a job comes of is made durable.
pub(super) async fn take_in(
    jobs: Jobs,
    storage: Storage,
    child: Child,
    workbook_places: Arc<Semaphore>,
    order: Order,
) -> Result<Submitted, Refusal> {
    let place = place_for(&order.arrived.path, workbook_places).await.map_err(Refusal::File)?;
    let inspected = tokio::task::spawn_blocking(move || {
        let detected = detect(&order, &child);
        (order, detected)
    });
    let (order, detected) = inspected.await.map_err(Refusal::Inspection)?;
    drop(place);
    let detected = detected?;
    let Order { dataset, arrived, file_name, options, idempotency_key, client, .. } = order;
    let received = storage.store(arrived).await.map_err(Refusal::Storage)?;
    let new = NewJob {
        uuid: received.uuid,
        dataset: dataset.name.clone(),
        file_name,
        file_size: received.size,
        sha256: received.sha256.clone(),
        options,
        detected,
        idempotency_key,
        bulk_id: None,
        created_by: client,
        retry_of: None,
        selection: None,
        rollback_of: None,
    };
    match jobs.submit(new).await {
        Ok(submitted) => {
            // A replayed upload has a job, and that one a file, already.
            if submitted.job.uuid == received.uuid {
                received.keep();
            }
            Ok(submitted)
        }
        Err(fault) => {
            // After most faults of the database nobody knows whether the job was stored: its file
            // must stay. The sweep removes it after a day if there is no job.
            if fault.code().status() >= 500 && !fault.left_nothing() {
                received.keep();
            }
            Err(Refusal::Jobs(fault))
        }
    }
}

/// Waits until `file` may be looked into, which for text is at once.
pub(in crate::http) async fn place_for(
    file: &Path,
    workbook_places: Arc<Semaphore>,
) -> Result<Option<OwnedSemaphorePermit>, ReadError> {
    if may_be_workbook(file)? {
        // The semaphore is never closed.
        Ok(workbook_places.acquire_owned().await.ok())
    } else {
        Ok(None)
    }
}

/// Decides what the file is. Blocks: reads its start, or has a workbook opened in its own process
/// until `stop` is set.
pub(in crate::http) fn look_into(
    file: &Upload<'_>,
    options: &Options,
    dataset: &Dataset,
    child: &Child,
    stop: &AtomicBool,
) -> Result<Inspection, ReadError> {
    inspect(file, options, &|cells| header_score(dataset, cells), child, stop)
}

fn detect(order: &Order, child: &Child) -> Result<Detected, Refusal> {
    let upload = Upload {
        path: &order.arrived.path,
        file_name: &order.file_name,
        media_type: order.media_type.as_deref(),
        valid_utf8: order.arrived.valid_utf8,
        size: order.arrived.size,
    };
    // A job will come of it, also when the client goes away.
    let never = AtomicBool::new(false);
    let inspection =
        look_into(&upload, &order.options, &order.dataset, child, &never).map_err(Refusal::File)?;
    let matched = match_header(&order.dataset, &inspection.header, &order.options.mapping)
        .map_err(Refusal::Header)?;
    Ok(detected(inspection, &matched.columns, &order.dataset))
}

/// What is kept of an inspection, with the columns that the header's cells feed.
pub(in crate::http) fn detected(
    inspection: Inspection,
    columns: &[Option<usize>],
    dataset: &Dataset,
) -> Detected {
    let name = |index: usize| dataset.columns.get(index).map(|column| column.name.clone());
    Detected {
        format: inspection.format,
        delimiter: inspection.delimiter,
        encoding: inspection.encoding,
        bom: inspection.bom,
        sheet: inspection.sheet,
        header_row: inspection.header_row,
        decimal: inspection.decimal,
        header: inspection.header,
        columns: columns.iter().map(|column| column.and_then(name)).collect(),
    }
}
