//! Every row of a job's file with its outcome, in the order of the file: the file is read again, and
//! what became of its rows is read from the chunks and the lists of failed rows.

use std::fmt;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::vec;

use super::context::{Jobs, JobsContext, ROW_NUMBERS};
use super::error::{JobsError, RunError};
use super::input::{detected_of, open_input};
use super::row_filter::RowFilter;
use super::row_input::RowInput;
use super::stop::Stop;
use super::unprocessed::Losses;
use crate::dataset::{CellRules, Plan};
use crate::domain::chunk::FailedRow;
use crate::domain::event::RowEventKind;
use crate::domain::job::Job;
use crate::domain::row::RawRow;
use crate::domain::row_number::RowNumber;
use crate::domain::row_outcomes::RowOutcomes;
use crate::files::{FailedRows, SourceFile};
use crate::reader::{self, ReadPermit, RowSource};
use crate::store::ChunkOutcomes;

/// What is needed to list the rows of a job with their outcomes.
#[derive(Debug)]
pub struct JobRows {
    context: Arc<JobsContext>,
    job: Job,
    partitions: Vec<Partition>,
    failed: FailedRows,
    numbers: Option<Vec<u8>>,
    file: SourceFile,
    permit: ReadPermit,
}

impl Jobs {
    /// The job, which has ended and whose rows can be listed here. Reads no file.
    ///
    /// # Errors
    /// `NotFound`; `NotEnded`; `NoOutcomes`; `FilesRemoved`; files of another server; else the
    /// store's.
    pub async fn check_rows(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |context| async move {
            let job = wanted(&context, id).await?;
            context.files_of(&job)?.answers().await?;
            Ok(job)
        })
        .await
    }

    /// The rows of a job, as soon as a slot is free if they are a workbook's.
    ///
    /// # Errors
    /// Those of [`check_rows`](Self::check_rows); the files', and their lack of space.
    pub async fn rows(&self, id: i64) -> Result<JobRows, JobsError> {
        let jobs = self.clone();
        self.while_awaited(move |_| async move { jobs.rows_of(id).await }).await
    }

    async fn rows_of(&self, id: i64) -> Result<JobRows, JobsError> {
        let read = move |context: Arc<JobsContext>| async move {
            let job = wanted(&context, id).await?;
            let chunks = context.store.outcomes_of_chunks(id).await?;
            let parts = context.failed_parts(id).await?;
            Ok((job, chunks.ok_or(JobsError::NoOutcomes(id))?, parts))
        };
        let (job, chunks, parts) = self.on_runtime(read).await?;
        let context = Arc::clone(&self.context);
        let storage = context.files_of(&job)?;
        let failed = storage.failed_rows(job.uuid, &parts).await.map_err(JobsError::FailedRows)?;
        let numbers = match &job.selection {
            Some(selection) if selection.has_numbers() => {
                Some(storage.get(job.uuid, ROW_NUMBERS).await?)
            }
            _ => None,
        };
        let file = storage.open(job.uuid).await?;
        // The list may become as large as the file, beside a copy that was fetched.
        context.data_dir.check_free_space(u64::try_from(job.file_size).unwrap_or(0))?;
        let is_workbook = job.detected.as_ref().is_some_and(|it| reader::is_workbook(it.format));
        let permit = context.settings.child.permit(is_workbook).await;
        let partitions = partitions(chunks);
        Ok(JobRows { context, job, partitions, failed, numbers, file, permit })
    }
}

async fn wanted(context: &JobsContext, id: i64) -> Result<Job, JobsError> {
    let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
    if !job.status.is_terminal() {
        return Err(JobsError::NotEnded { job: Box::new(job) });
    }
    // A rollback has no file, and a download that came to nothing neither.
    if job.rollback_of.is_some() || job.detected.is_none() {
        return Err(JobsError::NoOutcomes(id));
    }
    Ok(job)
}

fn partitions(chunks: Vec<ChunkOutcomes>) -> Vec<Partition> {
    let mut partitions: Vec<Vec<ChunkOutcomes>> = Vec::new();
    for chunk in chunks {
        let index = chunk.partition as usize;
        if partitions.len() <= index {
            partitions.resize_with(index + 1, Vec::new);
        }
        if let Some(partition) = partitions.get_mut(index) {
            partition.push(chunk);
        }
    }
    let sorted = |mut chunks: Vec<ChunkOutcomes>| {
        chunks.sort_by_key(|chunk| chunk.first_row);
        Partition { chunks: chunks.into_iter().peekable(), open: None }
    };
    partitions.into_iter().map(sorted).collect()
}

/// The chunks of a partition; one of them is unpacked.
#[derive(Debug)]
struct Partition {
    chunks: Peekable<vec::IntoIter<ChunkOutcomes>>,
    open: Option<RowOutcomes>,
}

impl Partition {
    /// The outcome of a row, if it is one of the partition. To be asked with growing row numbers.
    fn of(&mut self, row_number: RowNumber) -> std::io::Result<Option<RowEventKind>> {
        while let Some(chunk) = self.chunks.next_if(|chunk| chunk.first_row <= row_number) {
            self.open = Some(chunk.unpack()?);
        }
        Ok(self.open.as_mut().and_then(|outcomes| outcomes.of(row_number)))
    }
}

impl JobRows {
    /// The job.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Begins to read the rows, until `stop` is set. Blocks; a workbook is converted first.
    ///
    /// # Errors
    /// `Source` with the code that a job over this file would end with.
    pub fn list(self, stop: Arc<AtomicBool>) -> Result<RowsWithOutcome, JobsError> {
        let stop = Stop::by(stop);
        let dataset = self.context.dataset_of(&self.job)?;
        let detected = detected_of(&self.job)?;
        let plan = Plan::new(&dataset, &detected.columns, &self.job.options.set)
            .map_err(RunError::from)?;
        let mut source = open_input(&self.context, &self.job, self.file, &self.permit, &stop)?;
        // The child has ended: another one may begin.
        drop(self.permit);
        if let Some(selection) = self.job.selection.clone() {
            let rules = CellRules::new(detected, &self.job.options);
            let filter = RowFilter::new(selection, self.numbers, &dataset, &plan, rules, &stop);
            source = source.filtered(filter);
        }
        let rows = source.rows()?;
        let losses = Losses::new(&dataset, &plan, detected, &self.job);
        Ok(RowsWithOutcome {
            rows,
            row: RawRow::new(),
            losses,
            partitions: self.partitions,
            failed: self.failed.peekable(),
            is_over: false,
            _source: source,
        })
    }
}

/// A row of the file and what became of it.
#[derive(Debug)]
pub struct RowWithOutcome {
    /// The row; its faults are why it failed, and values that the file does not hold.
    pub row: FailedRow,
    /// `None` of a row without an outcome.
    pub outcome: Option<RowEventKind>,
}

/// The rows of a job in the order of the file. Reading blocks.
pub struct RowsWithOutcome {
    rows: Box<dyn RowSource>,
    row: RawRow,
    losses: Losses,
    partitions: Vec<Partition>,
    failed: Peekable<FailedRows>,
    is_over: bool,
    /// Goes, with what was fetched or converted, when the rows are read.
    _source: RowInput,
}

impl fmt::Debug for RowsWithOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowsWithOutcome").finish_non_exhaustive()
    }
}

impl RowsWithOutcome {
    fn advance(&mut self) -> Result<Option<RowWithOutcome>, JobsError> {
        loop {
            if !self.rows.next(&mut self.row).map_err(RunError::from)? {
                return Ok(None);
            }
            if self.losses.skips(&self.row) {
                continue;
            }
            let row_number = self.row.row_number;
            let mut outcome = None;
            for partition in &mut self.partitions {
                outcome = outcome.or(partition.of(row_number).map_err(JobsError::FailedRows)?);
            }
            let mut row = self.losses.of(&self.row);
            if outcome == Some(RowEventKind::Failed) {
                row.errors = self.why(row_number)?.unwrap_or(row.errors);
            }
            return Ok(Some(RowWithOutcome { row, outcome }));
        }
    }

    /// Why a row failed.
    fn why(
        &mut self,
        row_number: RowNumber,
    ) -> Result<Option<Vec<crate::domain::row_error::RowError>>, JobsError> {
        let is_passed = |row: &std::io::Result<FailedRow>| {
            row.as_ref().map_or(true, |row| row.row_number <= row_number)
        };
        while let Some(row) = self.failed.next_if(is_passed) {
            let row = row.map_err(JobsError::FailedRows)?;
            if row.row_number == row_number {
                return Ok(Some(row.errors));
            }
        }
        Ok(None)
    }
}

impl Iterator for RowsWithOutcome {
    type Item = Result<RowWithOutcome, JobsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.advance();
        self.is_over = !matches!(row, Ok(Some(_)));
        row.transpose()
    }
}
