//! From an address to a job: nothing is asked of anybody before the job is stored. The faults that
//! refuse an upload before its 202 end this job after its download.

use std::sync::Arc;

use uuid::Uuid;

use super::context::Jobs;
use super::error::JobsError;
use super::mirror_check;
use super::submit::Submitted;
use crate::dataset::model::Dataset;
use crate::domain::download::{Download, SourceUrl};
use crate::domain::job::NewJob;
use crate::domain::options::Options;
use crate::domain::trace::TraceContext;
use crate::domain::warning::Warnings;
use crate::files::{FetchError, Fetcher, shown_name};

/// A file that lies elsewhere and what is to be done with it.
#[derive(Debug)]
pub struct FarRequest {
    /// Where the rows go.
    pub dataset: Arc<Dataset>,
    /// Where the file lies.
    pub url: SourceUrl,
    /// The name to show, if not the one that the server or the address gives it.
    pub file_name: Option<String>,
    /// What the client asks for.
    pub options: Options,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
    /// Who asks: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The request, in its trace.
    pub trace: Option<TraceContext>,
}

impl Jobs {
    /// Makes a job of an address; its file is downloaded as soon as there is a slot.
    ///
    /// # Errors
    /// `Fetch` when the address may not be asked; `IdempotencyMismatch` when the key belongs to
    /// another request; else the store's.
    pub async fn submit_far(&self, request: FarRequest) -> Result<Submitted, JobsError> {
        self.on_runtime(|context| async move {
            mirror_check::check_options(&request.dataset, &request.options)?;
            let new = request.new_job(&context.fetcher)?;
            context.insert(new, context.storage.location()).await
        })
        .await
    }
}

impl FarRequest {
    /// The job of this address.
    ///
    /// # Errors
    /// When the address may not be asked.
    pub(super) fn new_job(self, fetcher: &Fetcher) -> Result<NewJob, FetchError> {
        fetcher.check(&self.url)?;
        let Self { dataset, url, options, .. } = self;
        let is_named = self.file_name.is_some();
        let file_name = far_name(&dataset, &url, self.file_name.as_deref());
        let mut download = Download::of(url);
        download.progress.is_named = is_named;
        Ok(NewJob {
            uuid: Uuid::new_v4(),
            dataset: dataset.name.clone(),
            file_name,
            file_size: 0,
            sha256: String::new(),
            options,
            detected: None,
            download: Some(download),
            warnings: Warnings::default(),
            idempotency_key: self.idempotency_key,
            bulk_id: None,
            created_by: self.created_by,
            trace: self.trace,
            retry_of: None,
            selection: None,
            rollback_of: None,
            confirms: None,
        })
    }
}

/// The name that is shown of a far file: `given`, else that of its address.
pub(super) fn far_name(dataset: &Dataset, url: &SourceUrl, given: Option<&str>) -> String {
    let of_address = Fetcher::name_in(url);
    shown_name(given.or(of_address.as_deref()), &dataset.name, None)
}
