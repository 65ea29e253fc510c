//! The run of a job whose file is not here yet: downloads it, looks at it as at an upload, and gives
//! the job back; the next run imports it. So a download holds no slot of an import, and its file may be
//! imported by another server.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tracing::{Instrument, error_span};

use super::backoff::retry_transient;
use super::context::JobsContext;
use super::error::{JobsError, RunError};
use super::job_line::job_line;
use super::stop::Stop;
use super::submit::{ImportRequest, examine, unpacked};
use crate::domain::download::{Download, DownloadProgress};
use crate::domain::error_chain::error_chain;
use crate::domain::event::lifecycle;
use crate::domain::job::Job;
use crate::domain::options::Options;
use crate::faults::fault;
use crate::files::{FarFile, Fetch, FetchError, FetchProgress, Fetched, NextAttempt, shown_name};
use crate::reader::ReadError;
use crate::store::DownloadedFile;

/// How often it is stored how far a download is.
const NOTE: Duration = Duration::from_secs(1);

/// Of so many notes one is told as an event.
const NOTES_PER_EVENT: u32 = 5;

/// The first pause before another attempt; doubles each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest pause, unless the server asks for a longer one.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// A job that is to wait longer gives its slot away.
const PAUSE_HERE_MAX: Duration = Duration::from_secs(10);

/// What became of a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Downloaded {
    /// The file is here; the job was given back.
    Here,
    /// The content is that of an earlier import: there is nothing to do.
    NotChanged,
}

/// Downloads the file of the job.
pub(super) async fn run(
    context: &Arc<JobsContext>,
    job: &Job,
    stop: &Stop,
) -> Result<Downloaded, RunError> {
    let Some(download) = &job.download else { return Err(RunError::NotDownloaded) };
    let earlier = earlier_import(context, job, download, stop).await?;
    let progress = download.progress.clone();
    let mut run = DownloadRun { context, job, stop, download, progress, earlier, notes: 0 };
    let ended = run.run().instrument(error_span!("download")).await;
    let is_over = match &ended {
        Ok(_) => true,
        Err(error) => !matches!(error, RunError::Stopped) && !error.is_temporary(),
    };
    if is_over && let Err(fault) = context.fetcher.forget(job.uuid).await {
        let error = error_chain(&fault);
        job_line!(warn, job, event = "download_left", error, "download could not be removed");
    }
    ended
}

/// The last import from this address, if this one would do the same with the same content.
async fn earlier_import(
    context: &JobsContext,
    job: &Job,
    download: &Download,
    stop: &Stop,
) -> Result<Option<Job>, RunError> {
    if !job.options.only_if_changed {
        return Ok(None);
    }
    let ask = || context.run_store.last_download(&job.dataset, &download.url);
    let last = retry_transient(job.id, stop.token(), ask).await?;
    let effect = |options: &Options| {
        let (only_if_changed, priority) = (false, 0);
        Options { priority, only_if_changed, ..options.clone() }
    };
    Ok(last.filter(|last| !last.sha256.is_empty() && effect(&last.options) == effect(&job.options)))
}

struct DownloadRun<'a> {
    context: &'a Arc<JobsContext>,
    job: &'a Job,
    stop: &'a Stop,
    download: &'a Download,
    progress: DownloadProgress,
    /// The import that has had this content, if it is the same.
    earlier: Option<Job>,
    /// How often it was stored how far the download is.
    notes: u32,
}

impl DownloadRun<'_> {
    async fn run(&mut self) -> Result<Downloaded, RunError> {
        let mut most = self.progress.received_bytes;
        loop {
            let fault = match self.attempt().await? {
                Ok(Fetched::NotChanged) => return self.not_changed().await,
                Ok(Fetched::Whole(file)) => return self.keep(*file).await,
                Err(FetchError::Stopped) => return Err(RunError::Stopped),
                Err(fault) => fault,
            };
            // What came more than ever is no failure.
            let is_further = self.progress.received_bytes > most;
            most = most.max(self.progress.received_bytes);
            self.progress.failures = if is_further { 1 } else { self.progress.failures + 1 };
            self.wait(fault).await?;
        }
    }

    /// One attempt, beside which it is stored how far it is.
    async fn attempt(&mut self) -> Result<Result<Fetched, FetchError>, RunError> {
        let (began, before) = (Instant::now(), self.progress.millis);
        let time_max = self.context.fetcher.time_max();
        let progress = FetchProgress::default();
        let known = self.earlier.as_ref().and_then(|it| it.download.as_ref());
        let known = known.map(|download| download.progress.version.clone());
        let fetch = Fetch {
            url: &self.download.url,
            uuid: self.job.uuid,
            known: known.as_ref(),
            time_left: time_max.saturating_sub(Duration::from_millis(before)),
            progress: &progress,
            stop: self.stop.token(),
        };
        let fetcher = self.context.fetcher.clone();
        let fetching = fetcher.fetch(&fetch);
        tokio::pin!(fetching);
        let mut tick = tokio::time::interval_at(began + NOTE, NOTE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut last_at) = (0, began);
        loop {
            let ended = tokio::select! {
                ended = &mut fetching => Some(ended),
                _ = tick.tick() => None,
            };
            let (now, received) = (Instant::now(), progress.received());
            self.progress.millis = before + millis(now - began);
            self.progress.received_bytes = received;
            self.progress.total_bytes = progress.total();
            if let Some(ended) = ended {
                return Ok(ended);
            }
            self.progress.bytes_per_second = rate(received.saturating_sub(last), now - last_at);
            (last, last_at) = (received, now);
            self.note().await?;
        }
    }

    /// Stores how far the download is, and emits it now and then.
    async fn note(&mut self) -> Result<(), RunError> {
        self.notes += 1;
        let is_told = self.notes.is_multiple_of(NOTES_PER_EVENT);
        let story = |job: &Job| if is_told { lifecycle::downloading(job) } else { Vec::new() };
        let (job, table) = (self.job, &self.context.run_store);
        let note = || table.note_download(job, &self.progress, story);
        let noted = retry_transient(job.id, self.stop.token(), note).await?;
        self.context.manager.publish(noted.ok_or(RunError::Stopped)?);
        Ok(())
    }

    /// Waits for the next attempt, if there is one: here, or without a slot when it takes longer.
    async fn wait(&self, fault: FetchError) -> Result<(), RunError> {
        let failures = self.progress.failures;
        let pause = match fault.next_attempt() {
            NextAttempt::Never => return Err(fault.into()),
            _ if failures > self.context.settings.fetch_retries => return Err(fault.into()),
            NextAttempt::Soon => PAUSE_MIN * 2_u32.saturating_pow((failures - 1).min(16)),
            NextAttempt::After(time) => time.max(PAUSE_MIN),
        };
        let is_asked_for = matches!(fault.next_attempt(), NextAttempt::After(_));
        let pause = if is_asked_for { pause } else { pause.min(PAUSE_MAX) };
        let (reason, status) = (error_chain(&fault), fault.status());
        job_line!(
            warn,
            self.job,
            event = "download_interrupted",
            error = reason,
            "download interrupted"
        );
        let story =
            |job: &Job| lifecycle::download_interrupted(job, &reason, status, pause.as_secs());
        let (job, table) = (self.job, &self.context.run_store);
        let note = || table.note_download(job, &self.progress, story);
        let noted = retry_transient(job.id, self.stop.token(), note).await?;
        self.context.manager.publish(noted.ok_or(RunError::Stopped)?);
        if pause > PAUSE_HERE_MAX {
            return Err(RunError::DownloadWaits { pause, source: fault });
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.token().cancelled() => Err(RunError::Stopped),
        }
    }

    /// The file is here: it becomes the job's, if it is one that can be imported.
    async fn keep(&mut self, file: FarFile) -> Result<Downloaded, RunError> {
        let FarFile { upload, file_name, media_type, version } = file;
        let time = Duration::from_millis(self.progress.millis);
        self.progress.bytes_per_second = rate(self.progress.received_bytes, time);
        self.progress.version = version;
        self.progress.failures = 0;
        let dataset = self.context.dataset_of(self.job)?;
        let request = ImportRequest {
            file_name: if self.progress.is_named {
                self.job.file_name.clone()
            } else {
                shown_name(file_name.as_deref(), &dataset.name, media_type.as_deref())
            },
            dataset,
            upload,
            // Servers name any media type: the content decides.
            media_type: None,
            options: self.job.options.clone(),
            idempotency_key: None,
            created_by: None,
            trace: None,
        };
        let request = unpacked(self.context, request).await.map_err(refused)?;
        let sha256 = request.upload.sha256.clone();
        if self.earlier.as_ref().is_some_and(|earlier| earlier.sha256 == sha256) {
            return self.not_changed().await;
        }
        let examined = examine(self.context, request, self.stop.shared_flag()).await;
        let (request, detected, warnings) = examined.map_err(refused)?;
        let (file_name, size) = (request.file_name, request.upload.size);
        let file = DownloadedFile { file_name, size, sha256, detected, warnings };
        if self.stop.is_stopped() {
            return Err(RunError::Stopped);
        }
        let storage = &self.context.storage;
        // It stays, whatever the database says: it may be the job's already.
        storage.store_as(self.job.uuid, request.upload).await?.keep();
        fault!("download.stored", RunError::Panicked);
        let (job, table) = (self.job, &self.context.run_store);
        let note = || table.downloaded(job, &file, &self.progress, storage.location());
        let stored = retry_transient(job.id, self.stop.token(), note).await?;
        let stored = stored.ok_or(RunError::Stopped)?;
        job_line!(info, stored, event = "job_downloaded", bytes = size, "file downloaded");
        self.context.metrics.uploaded(&stored.dataset, size);
        self.context.manager.publish(stored);
        Ok(Downloaded::Here)
    }

    async fn not_changed(&mut self) -> Result<Downloaded, RunError> {
        let Some(earlier) = &self.earlier else { return Err(RunError::NotDownloaded) };
        let before = earlier.download.as_ref().map(|download| &download.progress);
        let since = before.and_then(|progress| progress.unchanged_since).unwrap_or(earlier.id);
        self.progress.unchanged_since = Some(since);
        if self.progress.version.is_unknown() {
            self.progress.version = before.map(|it| it.version.clone()).unwrap_or_default();
        }
        let (job, table) = (self.job, &self.context.run_store);
        let note = || table.not_changed(job, &earlier.sha256, &self.progress);
        let stored = retry_transient(job.id, self.stop.token(), note).await?;
        self.context.manager.publish(stored.ok_or(RunError::Stopped)?);
        Ok(Downloaded::NotChanged)
    }
}

/// Why a file that was downloaded is none that can be imported: what an upload of it is refused with.
fn refused(fault: JobsError) -> RunError {
    match fault {
        JobsError::File(ReadError::Stopped) => RunError::Stopped,
        JobsError::File(fault) => RunError::Read(fault),
        JobsError::Files(fault) => RunError::Files(fault),
        JobsError::Store(fault) => RunError::Store(fault),
        JobsError::Panicked => RunError::Panicked,
        fault => RunError::Refused { code: fault.code(), why: fault.sentence() },
    }
}

/// Bytes of a second.
fn rate(bytes: u64, time: Duration) -> Option<u64> {
    bytes.saturating_mul(1_000).checked_div(millis(time))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
