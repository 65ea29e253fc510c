//! An import: the same way whether it begins, continues or is taken over. The checkpoint says where it
//! is; the first time it is empty.

use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{Instrument, error_span};

use super::backoff::{retry_storage, retry_transient};
use super::chunker::{Chunker, PartitionChannels, PartitionCheckpoint};
use super::context::{JobsContext, ROW_NUMBERS};
use super::error::RunError;
use super::input::{detected_of, open_input};
use super::memory::ChunkRoom;
use super::mirror::{self, Mirror};
use super::mirror_check;
use super::new_references;
use super::partition_writer;
use super::prescan::{Prescan, SupersededRows, prescan};
use super::row_filter::RowFilter;
use super::row_input::RowInput;
use super::steps::{check_total, emit, failed_rows_sink, on_thread};
use super::stop::Stop;
use super::whole_file::WholeFile;
use crate::dataset::model::Dataset;
use crate::dataset::{CellRules, Converter, Plan, check_replacements};
use crate::domain::chunk::Chunk;
use crate::domain::event::{lifecycle, records_every_row};
use crate::domain::job::Job;
use crate::domain::limits::CHUNKS_WAITING_MAX;
use crate::domain::memory_pressure::MemoryPressure;
use crate::domain::options::Mode;
use crate::faults::fault;
use crate::reader;
use crate::store::{CommittedChunk, Destination, WriterSettings};

/// Imports the rows of the job that have no outcome yet.
pub(super) async fn run(
    context: &Arc<JobsContext>,
    job: &Job,
    stop: &Stop,
) -> Result<(), RunError> {
    let unchanged = job.download.as_ref().and_then(|it| it.progress.unchanged_since);
    if unchanged.is_some() {
        // The server ended before the job did.
        return Ok(());
    }
    let (dataset, detected) = (context.dataset_of(job)?, detected_of(job)?);
    // The definition may be another one than at the upload.
    mirror_check::check_options(&dataset, &job.options)?;
    check_replacements(&dataset, &job.options)?;
    let plan = Plan::new(&dataset, &detected.columns, &job.options.set)?;
    let rules = CellRules::new(detected, &job.options).of_job(job);
    let converter = Converter::new(&dataset, &plan, rules).with_header(&detected.header);
    let source = open(context, job, stop).instrument(error_span!("open")).await?;
    let source = filtered(context, job, source, (&dataset, &plan), stop).await?;
    let scan = prescan_input(context, source, converter, stop);
    let (emitted, scanned) = tokio::join!(
        emit(context, job, stop, lifecycle::parsed),
        scan.instrument(error_span!("prescan")),
    );
    emitted?;
    let (source, prescan, converter) = scanned?;
    // The rows are counted before the first is written: a job without a count has no chunks.
    let is_first = job.total_rows.is_none();
    mirror::check_total(job, prescan.total)?;
    let partitions = partition_count(context, job, prescan.total, stop).await?;
    if job.options.dry_run {
        let keep = || context.run_store.keep_table_digest(job, &dataset);
        retry_transient(job.id, stop.token(), keep).await?;
    }
    let total = prescan.total;
    let now = Destination::of(&dataset, &plan.clone().and_gone(&dataset, job.options.mode));
    let counted = retry_transient(job.id, stop.token(), || {
        context.run_store.set_total(job, total, partitions, Some(&now))
    })
    .await?;
    let counted = counted.ok_or(RunError::Stopped)?;
    check_destination(context, job, &now, stop).await?;
    let failed = counted.counts.failed;
    context.manager.publish(counted.clone());
    // The server may have ended between the chunk that went too far and the end of the job.
    partition_writer::check_failed(job, failed)?;
    let is_whole = job.options.atomic && !job.options.dry_run;
    if is_whole {
        partition_writer::check_whole(job, failed)?;
    }
    let committed = if is_first {
        Vec::new()
    } else {
        retry_transient(job.id, stop.token(), || context.run_store.committed_chunks(job.id)).await?
    };
    let chunker = chunker(context, job, &plan, (converter, prescan.superseded), stop);
    let run = ImportRun { context, job: &counted, dataset: &dataset, plan: &plan, stop, is_first };
    let starts = partition_checkpoints(&committed, partitions);
    let settings = run.settings().await?;
    if committed.is_empty() {
        let mirror = Mirror { context, settings: settings.clone(), partitions, stop };
        mirror.check_before(prescan.keys).await?;
    }
    tokio::select! {
        written = run
            .write(source, chunker, &starts, settings.clone())
            .instrument(error_span!("write")) => written?,
        () = emit_pressure(context, job, stop) => return Err(RunError::Stopped),
    }
    check_rows(context, job, total, stop).await?;
    new_references::compare(context, job, &dataset, stop).await?;
    if job.options.mode == Mode::Mirror {
        let mirror = Mirror { context, settings, partitions, stop };
        return mirror.remove().instrument(error_span!("mirror")).await;
    }
    Ok(())
}

/// Every row has its outcome, and all of them may stay.
async fn check_rows(
    context: &JobsContext,
    job: &Job,
    total: u64,
    stop: &Stop,
) -> Result<(), RunError> {
    if job.options.atomic {
        let now = retry_transient(job.id, stop.token(), || context.run_store.get(job.id)).await?;
        let failed = now.ok_or(RunError::Stopped)?.counts.failed;
        partition_writer::check_whole(job, failed)?;
    }
    check_total(context, job, total, stop).await
}

/// The rows go where they went when the job began.
async fn check_destination(
    context: &JobsContext,
    job: &Job,
    now: &Destination,
    stop: &Stop,
) -> Result<(), RunError> {
    let then = || context.run_store.destination(job.id);
    match retry_transient(job.id, stop.token(), then).await? {
        Some(then) if then != *now => {
            let (then, now) = (then.beside(now), now.beside(&then));
            Err(RunError::Redefined { then, now })
        }
        Some(_) => Ok(()),
        None => Err(RunError::Stopped),
    }
}

/// Up to so many rows one writer takes them all: a second one would cost more than it saves.
const ROWS_OF_ONE_WRITER: u64 = 1_000;

/// What cuts the rows into chunks.
fn chunker(
    context: &JobsContext,
    job: &Job,
    plan: &Plan,
    (converter, superseded): (Converter, SupersededRows),
    stop: &Stop,
) -> Chunker {
    Chunker {
        converter,
        width: plan.columns.len(),
        key_width: (job.options.mode == Mode::Mirror).then_some(plan.key.len()),
        room: ChunkRoom {
            memory: Arc::clone(&context.memory),
            chunk_rows: context.settings.chunk_rows as usize,
        },
        duplicates: job.options.duplicates,
        superseded,
        stop: stop.clone(),
    }
}

/// Among how many writers the rows are divided: as before where the job continues.
async fn partition_count(
    context: &Arc<JobsContext>,
    job: &Job,
    total: u64,
    stop: &Stop,
) -> Result<u32, RunError> {
    if job.total_rows.is_some() {
        let known = || context.run_store.partitions_of(job.id);
        if let Some(partitions) = retry_transient(job.id, stop.token(), known).await? {
            return Ok(partitions);
        }
    }
    let inherited = job.selection.as_ref().map_or(0, |selection| selection.partitions().len());
    Ok(match u32::try_from(inherited).unwrap_or(u32::MAX) {
        0 if job.options.atomic || total <= ROWS_OF_ONE_WRITER => 1,
        0 => context.run_store.partitions(context.settings.writers),
        // The selection says of each of its partitions which rows are left.
        inherited => inherited,
    })
}

/// Emits events about the memory that changes the chunks of the job, as long as it runs; ends when the
/// job is lost.
async fn emit_pressure(context: &Arc<JobsContext>, job: &Job, stop: &Stop) {
    let mut pressure = context.memory.watch();
    let chunk_rows = context.settings.chunk_rows;
    let mut emitted = MemoryPressure::default().level();
    loop {
        let now = *pressure.borrow_and_update();
        if now.level() != emitted {
            emitted = now.level();
            // In a task of its own: no call of the database is cut off half-way.
            let (context, job, stop) = (Arc::clone(context), job.clone(), stop.clone());
            let story = move |job: &Job| lifecycle::memory_pressure(job, now, chunk_rows);
            let emit_once = async move {
                let table = context.run_store.clone();
                let emit = || table.emit(&job, &story);
                let stored = retry_transient(job.id, stop.token(), emit).await;
                if let Ok(Some(updated)) = stored {
                    context.manager.publish(updated);
                }
            };
            // The chunks notice when the job is lost.
            let _stored = tokio::spawn(emit_once.in_current_span()).await;
        }
        if pressure.changed().await.is_err() {
            // Nobody measures any more: the server stops.
            return std::future::pending().await;
        }
    }
}

/// Where each partition continues.
fn partition_checkpoints(
    committed: &[CommittedChunk],
    partitions: u32,
) -> Vec<PartitionCheckpoint> {
    let of_partition = |partition| {
        let chunks = committed.iter().filter(move |chunk| chunk.partition == partition);
        chunks.fold(PartitionCheckpoint::default(), |start, chunk| PartitionCheckpoint {
            chunks: start.chunks + 1,
            last_row: start.last_row.max(chunk.last_row),
        })
    };
    (0..partitions).map(of_partition).collect()
}

/// Opens the file, on a thread that may block; waits for its storage if that is away.
async fn open(context: &Arc<JobsContext>, job: &Job, stop: &Stop) -> Result<RowInput, RunError> {
    context.data_dir.check_free_space(0)?;
    let storage = context.storage.at(&job.storage_location)?;
    let file = retry_storage(job.id, stop.token(), || storage.open(job.uuid)).await?;
    let is_workbook = reader::is_workbook(detected_of(job)?.format);
    let permit = tokio::select! {
        permit = context.settings.child.permit(is_workbook) => permit,
        () = stop.token().cancelled() => return Err(RunError::Stopped),
    };
    let (context, job, stop) = (Arc::clone(context), job.clone(), stop.clone());
    on_thread("open", move || open_input(&context, &job, file, &permit, &stop)).await
}

/// Only the rows that the job takes.
async fn filtered(
    context: &JobsContext,
    job: &Job,
    source: RowInput,
    (dataset, plan): (&Arc<Dataset>, &Plan),
    stop: &Stop,
) -> Result<RowInput, RunError> {
    let Some(selection) = job.selection.clone() else { return Ok(source) };
    let storage = context.storage.at(&job.storage_location)?;
    let numbers = if selection.has_numbers() {
        Some(retry_storage(job.id, stop.token(), || storage.get(job.uuid, ROW_NUMBERS)).await?)
    } else {
        None
    };
    let filter = RowFilter::new(
        selection,
        numbers,
        dataset,
        plan,
        CellRules::new(detected_of(job)?, &job.options),
        stop,
    );
    Ok(source.filtered(filter))
}

/// Looks the file through, on a thread that may block.
async fn prescan_input(
    context: &Arc<JobsContext>,
    source: RowInput,
    mut converter: Converter,
    stop: &Stop,
) -> Result<(RowInput, Prescan, Converter), RunError> {
    let (context, stop) = (Arc::clone(context), stop.clone());
    let work = move || {
        let prescan = prescan(&source, &mut converter, &context.data_dir.tmp(), &stop)?;
        fault!("prescan.after", RunError::Panicked);
        Ok((source, prescan, converter))
    };
    on_thread("prescan", work).await
}

/// What a run of an import needs.
struct ImportRun<'a> {
    context: &'a Arc<JobsContext>,
    job: &'a Job,
    dataset: &'a Arc<Dataset>,
    plan: &'a Plan,
    stop: &'a Stop,
    /// Nothing of it was written before.
    is_first: bool,
}

impl ImportRun<'_> {
    /// What its writers need to know.
    async fn settings(&self) -> Result<WriterSettings, RunError> {
        let (job, store) = (self.job.id, &self.context.run_store);
        let (errors, superseded) = if self.is_first {
            (0, 0)
        } else {
            retry_transient(job, self.stop.token(), || store.stored_row_outcomes(job)).await?
        };
        let differences = if self.is_first || !self.job.options.dry_run {
            0
        } else {
            retry_transient(job, self.stop.token(), || store.stored_differences(job)).await?
        };
        Ok(WriterSettings {
            job: self.job.clone(),
            dataset: Arc::clone(self.dataset),
            plan: self.plan.clone(),
            failed_rows: failed_rows_sink(self.context, self.job)?,
            every_row: records_every_row(self.job),
            event_quota: partition_writer::event_quota(
                self.context.settings.stored_errors_max,
                errors,
                superseded,
                differences,
            ),
        })
    }

    /// Cuts and writes until every partition is at the end of the file.
    async fn write(
        &self,
        source: RowInput,
        chunker: Chunker,
        starts: &[PartitionCheckpoint],
        settings: WriterSettings,
    ) -> Result<(), RunError> {
        if self.job.options.atomic && !self.job.options.dry_run {
            let (context, job) = (Arc::clone(self.context), self.job.clone());
            let file = WholeFile { context, job, stop: self.stop.clone() };
            let start = starts.first().copied().unwrap_or_default();
            return Box::pin(file.write(source, chunker, start, settings)).await;
        }
        let (job, store) = (self.job.id, &self.context.run_store);
        let (mut senders, mut writers) = (Vec::new(), Vec::new());
        let open = || store.writers(&settings, starts.len());
        let opened = retry_transient(job, self.stop.token(), open).await?;
        for (start, writer) in starts.iter().zip(opened) {
            let (sender, receiver) = mpsc::channel::<Arc<Chunk>>(CHUNKS_WAITING_MAX);
            let (returned, used) = std::sync::mpsc::channel();
            senders.push(PartitionChannels { start: *start, out: sender, used });
            writers.push((writer, receiver, returned));
        }
        let tasks: Vec<_> = writers
            .into_iter()
            .map(|(writer, chunks, used)| {
                let (context, job) = (Arc::clone(self.context), self.job.clone());
                let stop = self.stop.clone();
                let write = async move {
                    let written =
                        partition_writer::write(context, job, writer, chunks, used, stop.clone())
                            .await;
                    if written.is_err() {
                        stop.stop();
                    }
                    written
                };
                tokio::spawn(write.in_current_span())
            })
            .collect();
        let cut = on_thread("reader", move || chunker.run(&source, senders)).await;
        if cut.is_err() {
            self.stop.stop();
        }
        let mut outcome = Ok(());
        for task in tasks {
            let written = task.await.unwrap_or(Err(RunError::Panicked));
            outcome = first_reason(outcome, written);
        }
        first_reason(outcome, cut)
    }
}

/// Of several failures the one that says why: being stopped is only ever a consequence.
fn first_reason(a: Result<(), RunError>, b: Result<(), RunError>) -> Result<(), RunError> {
    match (a, b) {
        (Ok(()) | Err(RunError::Stopped), Err(reason)) => Err(reason),
        (a, _) => a,
    }
}
