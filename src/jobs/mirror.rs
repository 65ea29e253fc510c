//! The end of a mirror: the records that its file does not have are removed, once every row of the file
//! has its outcome. Goes on behind the chunks that are committed, like every other step of a job.

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
use crate::store::{CommittedChunk, InScope, WriterSettings};

/// Records that a mirror removes, unless the upload says otherwise: a tenth of those in scope. A file
/// that was cut off is rarely meant.
const REMOVED_MAX: RowLimit = RowLimit::Share(10_000);

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
        let found = retry_transient(id, token, || store.in_scope(&self.settings)).await?;
        let limits = Limits::of(&job, found);
        if !job.options.dry_run && job.counts.absent == 0 {
            limits.check()?;
        }
        if found.absent > 0 {
            self.remove_chunks(found.absent).await?;
        }
        // A dry run shows what would be removed before it says that it would be too much.
        if job.options.dry_run { limits.check() } else { Ok(()) }
    }

    async fn remove_chunks(&self, absent: u64) -> Result<(), RunError> {
        let (job, token) = (&self.settings.job, self.stop.token());
        let store = &self.context.run_store;
        self.emit(absent).await?;
        let committed = retry_transient(job.id, token, || store.committed_chunks(job.id)).await?;
        let mut number = committed.iter().map(|chunk| chunk.number + 1).max().unwrap_or(0);
        let last = |chunk: &CommittedChunk| chunk.last_row;
        let mut row = committed.iter().map(last).max().unwrap_or(RowNumber::NONE);
        let writer =
            retry_transient(job.id, token, || store.mirror_writer(self.settings.clone())).await?;
        let mut writer = PartitionWriter::new(self.context, job, writer, self.stop);
        let mut left = absent;
        while left > 0 {
            let rows = left.min(u64::from(self.context.settings.chunk_rows));
            let first_row = row.next();
            row = RowNumber::try_from(u64::from(row) + rows).map_err(|_| RunError::TooManyRows)?;
            let partition = self.partitions;
            let chunk = Chunk { number, partition, first_row, last_row: row, ..Chunk::default() };
            writer.write(&Arc::new(chunk)).await?;
            number += 1;
            left -= rows;
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
    fn of(job: &Job, found: InScope) -> Self {
        let (created, counted) =
            if job.options.dry_run { (0, job.counts.absent) } else { (job.counts.created, 0) };
        let in_scope = found.records.saturating_sub(created);
        let allowed = job.options.mirror_max.unwrap_or(REMOVED_MAX).allows(in_scope);
        Self { absent: found.absent + counted, in_scope, allowed }
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
