//! The end of a mirror: the records that its file does not have are removed, once every row of the file
//! has its outcome. Goes on behind the chunks that are committed, like every other step of a job. A file
//! that is certain to lack too many is refused before its first row is written.

use std::sync::Arc;

use super::backoff::retry_transient;
use super::context::JobsContext;
use super::error::RunError;
use super::mirror_check::MirrorFault;
use super::partition_writer::PartitionWriter;
use super::stop::Stop;
use crate::domain::chunk::Chunk;
use crate::domain::event::lifecycle;
use crate::domain::job::Job;
use crate::domain::options::{Mode, RowLimit};
use crate::domain::row_number::RowNumber;
use crate::domain::warning::WarningCode;
use crate::store::{AbsentChunk, CommittedChunk, WriterSettings};

/// Records that a mirror removes, unless the upload says otherwise: a tenth of those in scope. A file
/// that was cut off is rarely meant.
const REMOVED_MAX: RowLimit = RowLimit::Share(10_000);

/// Records of a chunk that are removed at a time. They are read, with the rows as they were where the job
/// can be rolled back: so a few of them are in memory.
const REMOVED_ROWS: u32 = 2_000;

/// What a run of a mirror needs.
pub(super) struct Mirror<'a> {
    pub(super) context: &'a Arc<JobsContext>,
    pub(super) settings: WriterSettings,
    /// Writers of the file's rows; what comes behind them has a share of its own.
    pub(super) partitions: u32,
    pub(super) stop: &'a Stop,
}

/// A mirror of a file without rows would remove every record.
pub(super) fn check_total(job: &Job, total: u64) -> Result<(), RunError> {
    if job.options.mode == Mode::Mirror && total == 0 && job.selection.is_none() {
        return Err(MirrorFault::NoRows.into());
    }
    Ok(())
}

impl Mirror<'_> {
    /// Refuses a file that can stand for `keys` records at most, when even then too many would be
    /// removed. Only before its first chunk. What a dry run would remove is shown all the same.
    pub(super) async fn check_before(&self, keys: u64) -> Result<(), RunError> {
        let job = &self.settings.job;
        if job.options.mode != Mode::Mirror || job.options.dry_run || job.selection.is_some() {
            return Ok(());
        }
        let in_scope = self.in_scope().await?;
        let absent = in_scope.saturating_sub(keys);
        let allowed = job.options.mirror_max.unwrap_or(REMOVED_MAX).allows(in_scope);
        if absent > allowed {
            return Err(RunError::TooFewKeys { keys, absent, in_scope, allowed });
        }
        Ok(())
    }

    /// Removes what the file does not have, unless that cannot be known or is too much.
    pub(super) async fn remove(self) -> Result<(), RunError> {
        let (id, token, store) = (self.settings.job.id, self.stop.token(), &self.context.run_store);
        let job = retry_transient(id, token, || store.get(id)).await?.ok_or(RunError::Stopped)?;
        if job.selection.is_some() {
            return self.warn(WarningCode::NothingRemoved).await;
        }
        if job.warnings.iter().any(|warning| warning.code == WarningCode::KeyUnknown) {
            // The warning says why.
            return Ok(());
        }
        let committed = retry_transient(id, token, || store.committed_chunks(id)).await?;
        let Some(absent) = self.listed(&committed).await? else {
            return self.warn(WarningCode::KeyUnknown).await;
        };
        let limits = Limits::of(&job, &absent, self.in_scope().await?);
        if !job.options.dry_run && job.counts.absent == 0 {
            limits.check()?;
        }
        self.remove_chunks(&committed, &absent).await?;
        // A dry run shows what would be removed before it says that it would be too much.
        if job.options.dry_run { limits.check() } else { Ok(()) }
    }

    async fn in_scope(&self) -> Result<u64, RunError> {
        let (id, store) = (self.settings.job.id, &self.context.run_store);
        retry_transient(id, self.stop.token(), || store.in_scope(&self.settings)).await
    }

    /// The records that the file does not have, in chunks behind those of the file: listed once, so that
    /// a run that goes on has the same chunks. `None` when nobody can know them.
    async fn listed(
        &self,
        committed: &[CommittedChunk],
    ) -> Result<Option<Vec<AbsentChunk>>, RunError> {
        let (id, token, store) = (self.settings.job.id, self.stop.token(), &self.context.run_store);
        let listed = retry_transient(id, token, || store.absent_chunks(id)).await?;
        if !listed.is_empty() {
            return Ok(Some(listed));
        }
        let first = committed.iter().map(|chunk| chunk.number + 1).max().unwrap_or(0);
        let numbers = (first, REMOVED_ROWS.min(self.context.settings.chunk_rows));
        let list = || store.list_absent(&self.settings, self.partitions, numbers);
        if !retry_transient(id, token, list).await? {
            return Ok(None);
        }
        retry_transient(id, token, || store.absent_chunks(id)).await.map(Some)
    }

    async fn remove_chunks(
        &self,
        committed: &[CommittedChunk],
        absent: &[AbsentChunk],
    ) -> Result<(), RunError> {
        let (job, token) = (&self.settings.job, self.stop.token());
        let is_left = |chunk: &&AbsentChunk| committed.iter().all(|it| it.number != chunk.number);
        let left: u64 = absent.iter().filter(is_left).map(|chunk| chunk.records).sum();
        if left == 0 {
            return Ok(());
        }
        self.emit(left).await?;
        let store = &self.context.run_store;
        let writer =
            retry_transient(job.id, token, || store.mirror_writer(self.settings.clone())).await?;
        let mut writer = PartitionWriter::new(self.context, job, writer, self.stop);
        let of_file = committed.iter().filter(|chunk| chunk.partition < self.partitions);
        let mut row = of_file.map(|chunk| chunk.last_row).max().unwrap_or(RowNumber::NONE);
        for chunk in absent {
            let first_row = row.next();
            row = RowNumber::try_from(u64::from(row) + chunk.records)
                .map_err(|_| RunError::TooManyRows)?;
            if is_left(&chunk) {
                let (number, partition) = (chunk.number, self.partitions);
                let chunk =
                    Chunk { number, partition, first_row, last_row: row, ..Chunk::default() };
                writer.write(&Arc::new(chunk)).await?;
            }
        }
        Ok(())
    }

    async fn emit(&self, absent: u64) -> Result<(), RunError> {
        let (job, store) = (&self.settings.job, &self.context.run_store);
        let events = move |job: &Job| lifecycle::removing(job, absent);
        let emit = || store.emit(job, &events);
        let updated = retry_transient(job.id, self.stop.token(), emit).await?;
        self.context.manager.publish(updated.ok_or(RunError::Stopped)?);
        Ok(())
    }

    async fn warn(&self, code: WarningCode) -> Result<(), RunError> {
        let (job, store) = (&self.settings.job, &self.context.run_store);
        let warned =
            retry_transient(job.id, self.stop.token(), || store.warn_once(job, code)).await?;
        self.context.manager.publish(warned.ok_or(RunError::Stopped)?);
        Ok(())
    }
}

/// How many records may be removed.
#[derive(Debug, Clone, Copy)]
struct Limits {
    absent: u64,
    in_scope: u64,
    allowed: u64,
}

impl Limits {
    /// A share is one of the records that were there before the job.
    fn of(job: &Job, absent: &[AbsentChunk], in_scope: u64) -> Self {
        let created = if job.options.dry_run { 0 } else { job.counts.created };
        let in_scope = in_scope.saturating_sub(created);
        let allowed = job.options.mirror_max.unwrap_or(REMOVED_MAX).allows(in_scope);
        Self { absent: absent.iter().map(|chunk| chunk.records).sum(), in_scope, allowed }
    }

    fn check(self) -> Result<(), RunError> {
        let Self { absent, in_scope, allowed } = self;
        if absent > allowed {
            return Err(RunError::TooManyRemoved { absent, in_scope, allowed });
        }
        Ok(())
    }
}

/// Forgets the keys that were noted for a job that has ended. What is left is found by the next sweep.
pub(super) async fn forget(context: &JobsContext, job: &Job) {
    if job.options.mode != Mode::Mirror {
        return;
    }
    while !context.stop.is_cancelled() {
        match context.run_store.forget_keys(job.id).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(
                    event = "keys_left",
                    job_id = job.id,
                    error = crate::domain::error_chain::error_chain(&error),
                    "keys of a mirrored file could not be removed, the sweep will do it"
                );
                return;
            }
        }
    }
}
