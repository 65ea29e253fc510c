//! Confirming a dry run: its file is imported by a job of its own, with the options of the dry run.

use super::child::ChildMade;
use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::retry::{RetryChild, drop_unneeded, prepare_child};
use super::submit::Submitted;
use crate::dataset::{HeaderFault, ReferenceReplacements};
use crate::domain::action::Action;
use crate::domain::difference::Difference;
use crate::domain::job::{Job, NewJob};
use crate::domain::options::{Options, Replacements};
use crate::domain::selection::RetryRows;
use crate::domain::trace::TraceContext;
use crate::store::ChildKind;

/// The request to import the file of a dry run.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// Only if the table is as it was when the dry run began.
    pub expect_unchanged: bool,
    /// Names of records that mean others, besides those of the dry run.
    pub replace: Replacements,
    /// Who asks: the name that the client gave, else its address.
    pub created_by: Option<String>,
    /// The request, in its trace.
    pub trace: Option<TraceContext>,
    /// The client's key for this request.
    pub idempotency_key: Option<String>,
}

impl Jobs {
    /// Imports the file of a dry run, as a job of its own.
    ///
    /// # Errors
    /// `NotFound`; `InvalidState` when the job is no dry run or has not completed; `FilesRemoved`;
    /// `AlreadyConfirmed`; `TableChanged`; `IdempotencyMismatch`; the files'; else the store's.
    pub async fn confirm(&self, id: i64, request: Confirm) -> Result<Submitted, JobsError> {
        self.on_runtime(move |context| async move {
            if let Some(job) = context.with_key(request.idempotency_key.as_deref()).await? {
                return context.replayed(job, |job| job.confirms == Some(id));
            }
            let dry_run = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            if let Some(refusal) = refusal(&dry_run) {
                return Err(refusal);
            }
            let options = confirmed_options(&context, &dry_run, request.replace)?;
            if request.expect_unchanged {
                let dataset = context.dataset_of(&dry_run)?;
                let then = context.store.kept_table_digest(id).await?;
                if then != Some(context.store.table_digest(&dataset).await?) {
                    let table = dataset.table.clone();
                    return Err(JobsError::TableChanged { job: id, table });
                }
            }
            let RetryChild { new, storage } =
                prepare_child(&context, &dry_run, RetryRows::All).await?;
            let new = NewJob {
                options,
                retry_of: None,
                confirms: Some(id),
                created_by: request.created_by,
                trace: request.trace,
                idempotency_key: request.idempotency_key,
                ..new
            };
            let (kind, location) = (ChildKind::Confirmation, storage.location());
            let submitted = match context.insert_child(&new, kind, id, location).await {
                Ok(ChildMade::Submitted(submitted)) => Ok(submitted),
                Ok(ChildMade::Earlier(by)) => {
                    Err(JobsError::AlreadyConfirmed { job: id, by: by.id })
                }
                Ok(ChildMade::Refused(job)) => {
                    Err(refusal(&job).unwrap_or(JobsError::FilesRemoved(id)))
                }
                Err(fault) => Err(fault),
            };
            drop_unneeded(&storage, new.uuid, &submitted).await;
            submitted
        })
        .await
    }

    /// Differences that a dry run found behind row `after`, in the order of the file.
    ///
    /// # Errors
    /// `NotFound`; `NoDryRun`; else the store's.
    pub async fn differences(
        &self,
        job: &Job,
        after: i64,
        limit: u64,
    ) -> Result<Vec<Difference>, JobsError> {
        if !job.options.dry_run {
            return Err(JobsError::NoDryRun(job.id));
        }
        let id = job.id;
        self.on_runtime(move |context| async move {
            Ok(context.store.differences(id, after, limit).await?)
        })
        .await
    }

    /// How many differences of a dry run are stored.
    ///
    /// # Errors
    /// The store's.
    pub async fn stored_differences(&self, id: i64) -> Result<u64, JobsError> {
        self.on_runtime(
            move |context| async move { Ok(context.store.stored_differences(id).await?) },
        )
        .await
    }
}

/// The options of the job that imports the file of a dry run: those of the dry run, and which names mean
/// others after all.
fn confirmed_options(
    context: &JobsContext,
    dry_run: &Job,
    replace: Replacements,
) -> Result<Options, JobsError> {
    let mut options = Options { dry_run: false, ..dry_run.options.clone() };
    if replace.is_empty() {
        return Ok(options);
    }
    for (column, mut names) in replace {
        options.replace.entry(column).or_default().append(&mut names);
    }
    let dataset = context.dataset_of(dry_run)?;
    if let Err(faults) = ReferenceReplacements::read(&dataset, &options.replace) {
        let faults = faults.into_iter().map(HeaderFault::from).collect();
        return Err(JobsError::Header { faults, place: None });
    }
    Ok(options)
}

/// Why the job cannot be confirmed.
fn refusal(job: &Job) -> Option<JobsError> {
    if Action::Confirm.is_legal(job) {
        return None;
    }
    if job.options.dry_run && job.files_removed_at.is_some() {
        return Some(JobsError::FilesRemoved(job.id));
    }
    if !job.options.dry_run {
        return Some(JobsError::NoDryRun(job.id));
    }
    Some(JobsError::InvalidState { action: Action::Confirm, job: Box::new(job.clone()) })
}
