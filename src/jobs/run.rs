//! One run of a job, from its claim to its end: the same way whether it begins, goes on or is taken
//! over. The checkpoint says where it is; the first time it is empty.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::backoff::{retry_storage, retry_transient, retry_until_stored};
use super::chunker::{Chunker, PartitionChannels, PartitionCheckpoint};
use super::error::{RunError, chain};
use super::prescan::{Prescan, prescan};
use super::row_filter::RowFilter;
use super::row_input::RowInput;
use super::stop::Stop;
use super::{Inner, ROWS, partition, prune};
use crate::dataset::model::Dataset;
use crate::dataset::{Converter, Plan};
use crate::domain::chunk::{Chunk, FailedPart, FailedRow};
use crate::domain::event::{Event, lifecycle, records_every_row};
use crate::domain::job::Job;
use crate::domain::limits::CHUNKS_WAITING_MAX;
use crate::faults::fault;
use crate::files::{SourceFile, Storage};
use crate::store::{
    CommittedChunk, Destination, End, FailedRowsSink, ReleaseReason, WriterSettings,
};

/// How long a job that found no room waits before it is tried again, where nothing is claimed until
/// there is room.
const ROOM_PAUSE: Duration = Duration::from_secs(5);

/// How long where only the job itself can find out: room on the disk of a database, a storage that
/// is away.
const TRY_PAUSE: Duration = Duration::from_secs(30);

/// Runs the job to its end, or until it is asked to stop.
pub(super) async fn run(inner: &Arc<Inner>, job: &Job, stop: &Stop) {
    match retry_transient(job.id, stop.token(), || inner.work.fail_if_attempts_exhausted(job)).await
    {
        Ok(None) => {}
        Ok(Some(ended)) => return inner.manager.publish(ended),
        Err(error) => return leave(inner, job, &error).await,
    }
    let started = std::time::Instant::now();
    let outcome = match job.rollback_of {
        None => import(inner, job, stop).await,
        Some(undone) => super::rollback::run(inner, job, undone, stop).await,
    };
    let end = match outcome {
        Ok(()) => End::Completed,
        Err(RunError::Stopped) => return give_back(inner, job).await,
        Err(error) if error.is_broken_off() => return broke_off(inner, job, &error).await,
        Err(error) if error.may_pass() => return suspend(inner, job, &error).await,
        Err(error) => {
            let message = chain(&error);
            if error.code().status() >= 500 {
                tracing::error!(job = job.id, error = chain(&error), "a job failed");
            }
            End::Failed { code: error.code(), message }
        }
    };
    // Not given up with the job's own work, which may have stopped on account of this end.
    match retry_until_stored(inner, job.id, || inner.work.finish(job, &end)).await {
        Ok(Some(ended)) => {
            tracing::info!(
                job = job.id,
                dataset = job.dataset,
                status = %ended.status,
                rows = ended.counts.processed(),
                failed = ended.counts.failed,
                duration_ms = started.elapsed().as_millis(),
                "a job ended"
            );
            inner.manager.publish(ended.clone());
            prune::after_the_end(inner, &ended);
        }
        // Cancelled, or somebody else's by now: the table says what it is.
        Ok(None) => refresh(inner, job).await,
        Err(error) => leave(inner, job, &error).await,
    }
}

/// The end of the job could not be stored. One that was asked to stop is given back; else it stays
/// as it is until its lease runs out, and the attempt counts: given back, it would be tried for ever.
async fn leave(inner: &Arc<Inner>, job: &Job, error: &RunError) {
    if matches!(error, RunError::Stopped) {
        return give_back(inner, job).await;
    }
    tracing::error!(job = job.id, error = chain(error), "a job is left until its lease runs out");
    refresh(inner, job).await;
}

/// Something of ours panicked. What it was may not come again: the job is taken up once more, from
/// its checkpoint, and given up if that does not help.
pub(super) async fn broke_off(inner: &Arc<Inner>, job: &Job, error: &RunError) {
    tracing::error!(job = job.id, error = chain(error), "a job broke off and is taken up again");
    let why = ReleaseReason::Crashed;
    if let Err(error) = retry_until_stored(inner, job.id, || inner.work.release(job, why)).await {
        tracing::warn!(job = job.id, error = chain(&error), "a job could not be given back");
    }
    refresh(inner, job).await;
    inner.wake.notify_one();
}

async fn give_back(inner: &Arc<Inner>, job: &Job) {
    let is_stopping = inner.stop.is_cancelled();
    let why = if is_stopping { ReleaseReason::ServerStops } else { ReleaseReason::LeaseExpired };
    if let Err(error) = retry_until_stored(inner, job.id, || inner.work.release(job, why)).await {
        tracing::warn!(job = job.id, error = chain(&error), "a job could not be given back");
    }
    refresh(inner, job).await;
}

/// There is no room to go on, or the file is out of reach: the job waits in the table until it can
/// be tried again.
async fn suspend(inner: &Arc<Inner>, job: &Job, error: &RunError) {
    let (code, message) = (error.code(), chain(error));
    let why = code.as_str();
    tracing::warn!(job = job.id, code = why, error = message, "a job is set aside for a while");
    let pause = if inner.data_dir.check_free_space(0).is_err() { ROOM_PAUSE } else { TRY_PAUSE };
    let pause = || inner.work.set_aside(job, code, &message, pause);
    match retry_until_stored(inner, job.id, pause).await {
        Ok(Some(paused)) => inner.manager.publish(paused),
        Ok(None) => refresh(inner, job).await,
        Err(error) => leave(inner, job, &error).await,
    }
}

async fn refresh(inner: &Arc<Inner>, job: &Job) {
    match inner.work.get(job.id).await {
        Ok(Some(now)) => inner.manager.publish(now),
        Ok(None) | Err(_) => inner.manager.forget(job.id),
    }
}

async fn import(inner: &Arc<Inner>, job: &Job, stop: &Stop) -> Result<(), RunError> {
    let dataset = inner.dataset_of(job)?;
    let plan = Plan::new(&dataset, &job.detected.columns)?;
    let now = Destination::of(&dataset, &plan);
    let then = || inner.work.record_destination(job, &now);
    match retry_transient(job.id, stop.token(), then).await? {
        Some(then) if then != now => {
            let (then, now) = (then.beside(&now), now.beside(&then));
            return Err(RunError::Redefined { then, now });
        }
        Some(_) => {}
        None => return Err(RunError::Stopped),
    }
    let converter = Converter::new(&dataset, &plan, job.detected.decimal);
    let source = open(inner, job, stop).await?;
    let source = filtered(inner, job, source, (&dataset, &plan), stop).await?;
    tell(inner, job, stop, lifecycle::parsed).await?;
    let (source, prescan, converter) = prescan_input(inner, source, converter, stop).await?;
    let partitions =
        match retry_transient(job.id, stop.token(), || inner.work.partitions_of(job.id)).await? {
            Some(partitions) => partitions,
            // A second writer would only cost its connection.
            None if prescan.total <= u64::from(inner.settings.chunk_rows) => 1,
            None => inner.work.partitions(inner.settings.writers),
        };
    let total = prescan.total;
    let counted =
        retry_transient(job.id, stop.token(), || inner.work.set_total(job, total, partitions))
            .await?;
    let counted = counted.ok_or(RunError::Stopped)?;
    let failed = counted.counts.failed;
    inner.manager.publish(counted.clone());
    // The server may have ended between the chunk that went too far and the end of the job.
    partition::check_failed(job, failed)?;
    let committed =
        retry_transient(job.id, stop.token(), || inner.work.committed_chunks(job.id)).await?;
    let chunker = Chunker {
        converter,
        width: plan.columns.len(),
        chunk_rows: inner.settings.chunk_rows as usize,
        duplicates: job.options.duplicates,
        superseded: prescan.superseded,
        stop: stop.clone(),
    };
    let work = Work { inner, job: &counted, dataset: &dataset, plan: &plan, stop };
    work.write(source, chunker, &partition_checkpoints(&committed, partitions)).await?;
    tell(inner, job, stop, |_: &Job| lifecycle::rows_done()).await?;
    check_total(inner, job, total, stop).await
}

/// Every row has its outcome.
pub(super) async fn check_total(
    inner: &Inner,
    job: &Job,
    total: u64,
    stop: &Stop,
) -> Result<(), RunError> {
    let processed =
        retry_transient(job.id, stop.token(), || inner.work.rows_in_chunks(job.id)).await?;
    if processed != total {
        return Err(RunError::Unaccounted { processed, total });
    }
    Ok(())
}

/// Where the failed rows of a job go.
pub(super) fn keep_failed(inner: &Inner, job: &Job) -> Result<Arc<dyn FailedRowsSink>, RunError> {
    let storage = inner.storage.at(&job.storage_location)?;
    Ok(Arc::new(FailedRowsOf { storage, uuid: job.uuid, epoch: job.lease_epoch }))
}

/// Where each partition goes on.
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

/// Tells those who watch how far the job is.
pub(super) async fn tell(
    inner: &Inner,
    job: &Job,
    stop: &Stop,
    story: fn(&Job) -> Vec<Event>,
) -> Result<(), RunError> {
    let told = retry_transient(job.id, stop.token(), || inner.work.tell(job, story)).await?;
    inner.manager.publish(told.ok_or(RunError::Stopped)?);
    Ok(())
}

/// Opens the file, on a thread that may block; waits for its storage if that is away.
async fn open(inner: &Arc<Inner>, job: &Job, stop: &Stop) -> Result<RowInput, RunError> {
    inner.data_dir.check_free_space(0)?;
    let storage = inner.storage.at(&job.storage_location)?;
    let file = retry_storage(job.id, stop.token(), || storage.open(job.uuid)).await?;
    let (inner, job, stop) = (Arc::clone(inner), job.clone(), stop.clone());
    on_thread("open", move || open_source(&inner, &job, file, &stop)).await
}

/// Only the rows that the job takes.
async fn filtered(
    inner: &Inner,
    job: &Job,
    source: RowInput,
    (dataset, plan): (&Arc<Dataset>, &Plan),
    stop: &Stop,
) -> Result<RowInput, RunError> {
    let Some(selection) = job.selection.clone() else { return Ok(source) };
    let storage = inner.storage.at(&job.storage_location)?;
    let numbers = if selection.has_numbers() {
        Some(retry_storage(job.id, stop.token(), || storage.get(job.uuid, ROWS)).await?)
    } else {
        None
    };
    let filter = RowFilter::new(selection, numbers, dataset, plan, job.detected.decimal, stop);
    Ok(filter.only(source))
}

/// Looks the file through, on a thread that may block.
async fn prescan_input(
    inner: &Arc<Inner>,
    source: RowInput,
    mut converter: Converter,
    stop: &Stop,
) -> Result<(RowInput, Prescan, Converter), RunError> {
    let (inner, stop) = (Arc::clone(inner), stop.clone());
    let work = move || {
        let prescan = prescan(&source, &mut converter, &inner.data_dir.tmp(), &stop)?;
        fault!("prescan.after", RunError::Panicked);
        Ok((source, prescan, converter))
    };
    on_thread("prescan", work).await
}

/// The uploaded file as rows; a workbook is converted first. Blocks.
pub(super) fn open_source(
    inner: &Inner,
    job: &Job,
    file: SourceFile,
    stop: &Stop,
) -> Result<RowInput, RunError> {
    if !is_fresh(inner, job, &file) {
        verify(file.path(), &job.sha256, stop)?;
    }
    fault!("open.after", RunError::Panicked);
    let detected = Box::new(job.detected.clone());
    if !detected.format.is_workbook() {
        return Ok(RowInput::Csv { file, detected });
    }
    let spool = tempfile::Builder::new()
        .prefix("rows-")
        .tempfile_in(inner.data_dir.tmp())
        .map_err(|source| RunError::Io { doing: "make room for the rows of the workbook", source })?
        .into_temp_path();
    fault!("convert.before", RunError::Panicked);
    crate::reader::convert(file.path(), &detected, &spool, &inner.settings.child, stop.flag())?;
    if stop.is_stopped() {
        return Err(RunError::Stopped);
    }
    Ok(RowInput::Spool { path: spool, detected })
}

/// The file was uploaded to this process, for this job, and is read for the first time.
fn is_fresh(inner: &Inner, job: &Job, file: &SourceFile) -> bool {
    let written = || file.path().metadata().and_then(|found| found.modified());
    let is_first = file.is_own() && job.lease_epoch <= 1 && job.retry_of.is_none();
    is_first && written().is_ok_and(|written| written >= inner.began)
}

/// The bytes are still those that were uploaded.
fn verify(path: &std::path::Path, sha256: &str, stop: &Stop) -> Result<(), RunError> {
    let unreadable = |source| RunError::Io { doing: "read the uploaded file", source };
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        if stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        let count = file.read(&mut buffer).map_err(unreadable)?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
    }
    if crate::files::hex(&hash.finalize()) == sha256 {
        Ok(())
    } else {
        Err(RunError::SourceChanged)
    }
}

/// Everything that a run hands around.
struct Work<'a> {
    inner: &'a Arc<Inner>,
    job: &'a Job,
    dataset: &'a Arc<Dataset>,
    plan: &'a Plan,
    stop: &'a Stop,
}

impl Work<'_> {
    /// Cuts and writes until every partition is at the end of the file.
    async fn write(
        &self,
        source: RowInput,
        chunker: Chunker,
        starts: &[PartitionCheckpoint],
    ) -> Result<(), RunError> {
        let (job, store) = (self.job.id, &self.inner.work);
        let (errors, superseded) =
            retry_transient(job, self.stop.token(), || store.stored_row_outcomes(job)).await?;
        let settings = WriterSettings {
            job: self.job.clone(),
            dataset: Arc::clone(self.dataset),
            plan: self.plan.clone(),
            failed_rows: keep_failed(self.inner, self.job)?,
            every_row: records_every_row(self.job),
            event_quota: partition::event_quota(
                self.inner.settings.stored_errors_max,
                errors,
                superseded,
            ),
        };
        let (mut senders, mut writers) = (Vec::new(), Vec::new());
        for start in starts {
            let (sender, receiver) = mpsc::channel::<Arc<Chunk>>(CHUNKS_WAITING_MAX);
            let writer =
                retry_transient(job, self.stop.token(), || store.writer(settings.clone())).await?;
            let (give_back, used) = std::sync::mpsc::channel();
            senders.push(PartitionChannels { start: *start, out: sender, used });
            writers.push((writer, receiver, give_back));
        }
        let tasks: Vec<_> = writers
            .into_iter()
            .map(|(writer, chunks, used)| {
                let (inner, job) = (Arc::clone(self.inner), self.job.clone());
                let stop = self.stop.clone();
                tokio::spawn(async move {
                    let written =
                        partition::write(inner, job, writer, chunks, used, stop.clone()).await;
                    if written.is_err() {
                        stop.stop();
                    }
                    written
                })
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

/// Where the failed rows of a job go.
struct FailedRowsOf {
    storage: Storage,
    uuid: Uuid,
    epoch: i64,
}

#[async_trait]
impl FailedRowsSink for FailedRowsOf {
    async fn store(&self, chunk_number: u32, rows: &[FailedRow]) -> std::io::Result<()> {
        let part = FailedPart { chunk: chunk_number, epoch: self.epoch };
        self.storage.write_failed_part(self.uuid, part, rows).await
    }
}

/// Of several failures the one that says why: being stopped is only ever a consequence.
fn first_reason(a: Result<(), RunError>, b: Result<(), RunError>) -> Result<(), RunError> {
    match (a, b) {
        (Ok(()) | Err(RunError::Stopped), Err(reason)) => Err(reason),
        (a, _) => a,
    }
}

/// Runs blocking work on a thread of its own: it may take minutes and must not use up the pool that
/// uploads write through. A panic is an error like any other.
async fn on_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        // Nobody waits any more only when the runtime is gone.
        let _unheard = sender.send(work());
    });
    spawned.map_err(|source| RunError::Io { doing: "start a thread", source })?;
    receiver.await.unwrap_or(Err(RunError::Panicked))
}
