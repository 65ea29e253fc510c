//! The rows that a job left without an outcome, as they stand in its file: for those who want to correct
//! or keep them before they are imported again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::context::{Jobs, JobsContext, ROW_NUMBERS};
use super::error::JobsError;
use super::error::RunError;
use super::input::{detected_of, open_input};
use super::retry::{has_unprocessed, left};
use super::row_filter::RowFilter;
use super::row_input::RowInput;
use super::stop::Stop;
use crate::dataset::model::Dataset;
use crate::dataset::{CellRules, Converter, Plan};
use crate::domain::chunk::FailedRow;
use crate::domain::detected::Detected;
use crate::domain::job::Job;
use crate::domain::record::Records;
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_error::RowCode;
use crate::domain::selection::Selection;
use crate::files::{SourceFile, Storage};
use crate::reader::{self, ReadPermit, RowSource};

/// What is needed to read the rows that a job left.
#[derive(Debug)]
pub struct Unprocessed {
    context: Arc<JobsContext>,
    job: Job,
    /// `None` when every row has an outcome.
    left: Option<LeftRows>,
    permit: ReadPermit,
}

#[derive(Debug)]
struct LeftRows {
    selection: Selection,
    numbers: Option<Vec<u8>>,
    file: SourceFile,
}

impl Jobs {
    /// The job, which has ended and whose rows that are left can be listed here. Reads no file.
    ///
    /// # Errors
    /// `NotFound`; `NotEnded`; `FilesRemoved`; files of another server; else the store's.
    pub async fn check_unprocessed(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |context| async move {
            let (job, storage) = wanted(&context, id).await?;
            if let Some(storage) = storage {
                storage.answers().await?;
            }
            Ok(job)
        })
        .await
    }

    /// The rows that a job left when it ended, as soon as a slot is free if they are a workbook's.
    /// What is fetched for it goes when the caller goes away meanwhile.
    ///
    /// # Errors
    /// `NotFound`; `NotEnded`; `FilesRemoved`; the files', and their lack of space; else the store's.
    pub async fn unprocessed(&self, id: i64) -> Result<Unprocessed, JobsError> {
        let jobs = self.clone();
        self.while_awaited(move |_| async move { jobs.unprocessed_of(id).await }).await
    }

    async fn unprocessed_of(&self, id: i64) -> Result<Unprocessed, JobsError> {
        let open = move |context: Arc<JobsContext>| async move {
            let (job, storage) = wanted(&context, id).await?;
            let selection = match &storage {
                Some(_) => Some(left(&context, &job).await?),
                None => None,
            };
            Ok((job, storage.zip(selection)))
        };
        let (job, rows) = self.on_runtime(open).await?;
        let context = Arc::clone(&self.context);
        let left = match rows {
            Some((storage, selection)) => match fetch(&context, &job, storage, selection).await {
                Ok(left) => Some(left),
                Err(fault) => {
                    let why = move |context: Arc<JobsContext>| async move {
                        Err(context.unless_gone(id, fault).await)
                    };
                    return self.on_runtime(why).await;
                }
            },
            None => None,
        };
        let is_workbook = left.is_some()
            && job.detected.as_ref().is_some_and(|it| reader::is_workbook(it.format));
        let permit = context.settings.child.permit(is_workbook).await;
        Ok(Unprocessed { context, job, left, permit })
    }
}

/// The job, and where its file lies if it left rows of one.
async fn wanted(context: &JobsContext, id: i64) -> Result<(Job, Option<Storage>), JobsError> {
    let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
    if !job.status.is_terminal() {
        return Err(JobsError::NotEnded { job: Box::new(job) });
    }
    // What a rollback left are no rows of a file.
    let has_rows = job.rollback_of.is_none() && has_unprocessed(&job);
    let storage = if has_rows { Some(context.files_of(&job)?) } else { None };
    Ok((job, storage))
}

/// What is needed of a job's files. Asks no database: it may be dropped at any time.
async fn fetch(
    context: &JobsContext,
    job: &Job,
    storage: Storage,
    selection: Selection,
) -> Result<LeftRows, JobsError> {
    let numbers = if selection.has_numbers() {
        Some(storage.get(job.uuid, ROW_NUMBERS).await?)
    } else {
        None
    };
    let file = storage.open(job.uuid).await?;
    // The list may become as large as the file, beside a copy that was fetched.
    context.data_dir.check_free_space(u64::try_from(job.file_size).unwrap_or(0))?;
    Ok(LeftRows { selection, numbers, file })
}

impl Unprocessed {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Begins to read the rows, until `stop` is set. Blocks; a workbook is converted first.
    ///
    /// # Errors
    /// `Source` with the code that a job over this file would end with.
    pub fn rows(self, stop: Arc<AtomicBool>) -> Result<UnprocessedRows, JobsError> {
        let Some(left) = self.left else { return Ok(UnprocessedRows(None)) };
        let stop = Stop::by(stop);
        let dataset = self.context.dataset_of(&self.job)?;
        let detected = detected_of(&self.job)?;
        let plan = Plan::new(&dataset, &detected.columns, &self.job.options.set)
            .map_err(RunError::from)?;
        let source = open_input(&self.context, &self.job, left.file, &self.permit, &stop)?;
        // The child has ended: another one may begin.
        drop(self.permit);
        let rules = CellRules::new(detected, &self.job.options);
        let (selection, numbers) = (left.selection, left.numbers);
        let filter = RowFilter::new(selection, numbers, &dataset, &plan, rules, &stop);
        let source = source.filtered(filter);
        let rows = source.rows()?;
        let losses = Losses::new(&dataset, &plan, detected, &self.job);
        Ok(UnprocessedRows(Some(OpenRows { rows, row: RawRow::new(), losses, _source: source })))
    }
}

/// The rows that a job left, in the order of the file. Reading blocks.
pub struct UnprocessedRows(Option<OpenRows>);

impl fmt::Debug for UnprocessedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnprocessedRows").finish_non_exhaustive()
    }
}

struct OpenRows {
    rows: Box<dyn RowSource>,
    row: RawRow,
    losses: Losses,
    /// Goes, with what was fetched or converted, when the rows are read.
    _source: RowInput,
}

impl Iterator for UnprocessedRows {
    /// The row as a failed one would be: its only faults are values that the file does not hold.
    type Item = Result<FailedRow, JobsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let OpenRows { rows, row, losses, .. } = self.0.as_mut()?;
        loop {
            match rows.next(row) {
                Ok(true) if losses.skips(row) => {}
                Ok(true) => return Some(Ok(losses.of(row))),
                Ok(false) => return None,
                Err(error) => {
                    self.0 = None;
                    return Some(Err(RunError::from(error).into()));
                }
            }
        }
    }
}

/// Finds values that a workbook does not hold: written out as texts they would be taken for values.
pub(super) struct Losses {
    converter: Converter,
    scratch: Records,
}

impl Losses {
    pub(super) fn new(dataset: &Arc<Dataset>, plan: &Plan, detected: &Detected, job: &Job) -> Self {
        Self {
            converter: Converter::new(dataset, plan, CellRules::new(detected, &job.options))
                .with_header(&detected.header),
            scratch: Records::new(plan.width()),
        }
    }

    /// True of a row that is passed over with a warning.
    pub(super) fn skips(&mut self, row: &RawRow) -> bool {
        self.converter.skips(row).is_some()
    }

    /// The row, with what is lost of it.
    pub(super) fn of(&mut self, row: &RawRow) -> FailedRow {
        let is_lossy = |kind| matches!(kind, CellKind::LossyNumber | CellKind::NoValue);
        let mut errors = Vec::new();
        if row.cells().any(|(_, kind)| is_lossy(kind)) {
            self.scratch.clear();
            errors = self.converter.convert(row, &mut self.scratch).err().unwrap_or_default();
            errors.retain(|error| {
                matches!(error.code, RowCode::PrecisionLost | RowCode::FormulaWithoutValue)
            });
        }
        let cells = row.cells().map(|(text, _)| text.to_owned()).collect();
        FailedRow { row_number: row.row_number, cells, errors }
    }
}
