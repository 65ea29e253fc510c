//! The rows that a job left without an outcome, as they stand in its file: for those who want to mend
//! or keep them before they are imported again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::error::RunError;
use super::retry::{has_unprocessed, left};
use super::row_filter::RowFilter;
use super::row_input::RowInput;
use super::run::open_source;
use super::stop::Stop;
use super::{Inner, Jobs, JobsError, ROWS};
use crate::dataset::model::Dataset;
use crate::dataset::{Converter, Plan};
use crate::domain::chunk::FailedRow;
use crate::domain::job::Job;
use crate::domain::record::Records;
use crate::domain::row::{CellKind, RawRow};
use crate::domain::row_error::RowCode;
use crate::domain::selection::Selection;
use crate::files::{SourceFile, Storage};
use crate::reader::RowSource;

/// What is needed to read the rows that a job left.
#[derive(Debug)]
pub struct Unprocessed {
    inner: Arc<Inner>,
    job: Job,
    /// `None` when every row has an outcome.
    left: Option<Left>,
}

#[derive(Debug)]
struct Left {
    selection: Selection,
    numbers: Option<Vec<u8>>,
    file: SourceFile,
}

impl Jobs {
    /// The job, which has ended and whose rows that are left can be listed here. Reads no file.
    ///
    /// # Errors
    /// `NotFound`; `NotEnded`; `FilesRemoved`; files of another server; else the store's.
    pub async fn leaves(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |inner| async move {
            let (job, storage) = wanted(&inner, id).await?;
            if let Some(storage) = storage {
                storage.answers().await?;
            }
            Ok(job)
        })
        .await
    }

    /// The rows that a job left when it ended. What is fetched for it goes when the caller goes away
    /// meanwhile; must be called within the main runtime.
    ///
    /// # Errors
    /// `NotFound`; `NotEnded`; `FilesRemoved`; the files', and their want of room; else the store's.
    pub async fn unprocessed(&self, id: i64) -> Result<Unprocessed, JobsError> {
        let asked = move |inner: Arc<Inner>| async move {
            let (job, storage) = wanted(&inner, id).await?;
            let selection = match &storage {
                Some(_) => Some(left(&inner, &job).await?),
                None => None,
            };
            Ok((job, storage.zip(selection)))
        };
        let (job, rows) = self.on_runtime(asked).await?;
        let inner = Arc::clone(&self.inner);
        let left = match rows {
            Some((storage, selection)) => match fetch(&inner, &job, storage, selection).await {
                Ok(left) => Some(left),
                Err(fault) => {
                    let why = move |inner: Arc<Inner>| async move {
                        Err(inner.unless_gone(id, fault).await)
                    };
                    return self.on_runtime(why).await;
                }
            },
            None => None,
        };
        Ok(Unprocessed { inner, job, left })
    }
}

/// The job, and where its file lies if it left rows of one.
async fn wanted(inner: &Inner, id: i64) -> Result<(Job, Option<Storage>), JobsError> {
    let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
    if !job.status.is_terminal() {
        return Err(JobsError::NotEnded { job: Box::new(job) });
    }
    // What a rollback left are no rows of a file.
    let has_rows = job.rollback_of.is_none() && has_unprocessed(&job);
    let storage = if has_rows { Some(inner.files_of(&job)?) } else { None };
    Ok((job, storage))
}

/// What is needed of a job's files. Asks no database: it may be dropped at any time.
async fn fetch(
    inner: &Inner,
    job: &Job,
    storage: Storage,
    selection: Selection,
) -> Result<Left, JobsError> {
    let numbers =
        if selection.has_numbers() { Some(storage.get(job.uuid, ROWS).await?) } else { None };
    let file = storage.open(job.uuid).await?;
    // The list may become as large as the file, beside a copy that was fetched.
    inner.data_dir.check_free_space(u64::try_from(job.file_size).unwrap_or(0))?;
    Ok(Left { selection, numbers, file })
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
        let dataset = self.inner.dataset_of(&self.job)?;
        let plan = Plan::new(&dataset, &self.job.detected.columns).map_err(RunError::from)?;
        let source = open_source(&self.inner, &self.job, left.file, &stop)?;
        let decimal = self.job.detected.decimal;
        let (selection, numbers) = (left.selection, left.numbers);
        let filter = RowFilter::new(selection, numbers, &dataset, &plan, decimal, &stop);
        let source = filter.only(source);
        let rows = source.rows()?;
        let losses = Losses::new(&dataset, &plan, &self.job);
        Ok(UnprocessedRows(Some(Reading { rows, row: RawRow::new(), losses, _source: source })))
    }
}

/// The rows that a job left, in the order of the file. Reading blocks.
pub struct UnprocessedRows(Option<Reading>);

impl fmt::Debug for UnprocessedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnprocessedRows").finish_non_exhaustive()
    }
}

struct Reading {
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
        let Reading { rows, row, losses, .. } = self.0.as_mut()?;
        match rows.next(row) {
            Ok(true) => Some(Ok(losses.of(row))),
            Ok(false) => None,
            Err(error) => {
                self.0 = None;
                Some(Err(RunError::from(error).into()))
            }
        }
    }
}

/// Finds values that a workbook does not hold: written out as texts they would be taken for values.
struct Losses {
    converter: Converter,
    trial: Records,
}

impl Losses {
    fn new(dataset: &Arc<Dataset>, plan: &Plan, job: &Job) -> Self {
        Self {
            converter: Converter::new(dataset, plan, job.detected.decimal),
            trial: Records::new(plan.width()),
        }
    }

    fn of(&mut self, row: &RawRow) -> FailedRow {
        let is_lossy = |kind| matches!(kind, CellKind::LossyNumber | CellKind::NoValue);
        let mut errors = Vec::new();
        if row.cells().any(|(_, kind)| is_lossy(kind)) {
            self.trial.clear();
            errors = self.converter.convert(row, &mut self.trial).err().unwrap_or_default();
            errors.retain(|error| {
                matches!(error.code, RowCode::PrecisionLost | RowCode::FormulaWithoutValue)
            });
        }
        let cells = row.cells().map(|(text, _)| text.to_owned()).collect();
        FailedRow { row_number: row.row_number, cells, errors }
    }
}
