//! The commands for jobs. Each command is one compare-and-set in the table. It works whichever server
//! owns the job, also when that server is dead; everything else here only saves work.

use std::time::Duration;

use super::backoff::with_reserve;
use super::context::{Jobs, JobsContext};
use super::error::JobsError;
use super::job_line::job_line;
use crate::domain::action::Action;
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::store::{Deletion, StoreError};

/// A command without options that changes the status or the place of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Pause a running job; it keeps its checkpoint, at most the chunk in flight is added.
    Pause,
    /// Continue a paused job from its checkpoint.
    Resume,
    /// End it: what is committed stays, at most the chunk in flight is added.
    Cancel,
    /// Run a job next: one that waits, or one that is stuck, which is taken from its server.
    Force,
}

impl Command {
    /// Every command.
    pub const ALL: [Self; 4] = [Self::Pause, Self::Resume, Self::Cancel, Self::Force];

    /// The action of the domain.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Pause => Action::Pause,
            Self::Resume => Action::Resume,
            Self::Cancel => Action::Cancel,
            Self::Force => Action::Force,
        }
    }
}

impl Jobs {
    /// How long a job that is processing must have stood still to be taken from its server.
    #[must_use]
    pub fn stuck_after(&self) -> Duration {
        self.context.stuck_after()
    }

    /// Applies a command to a job; gives the job as it is then.
    ///
    /// # Errors
    /// `NotFound`; `NotStuck` when a job that moves shall be forced; `InvalidState` when its status
    /// does not allow the command; else the store's.
    pub async fn apply(&self, id: i64, command: Command) -> Result<Job, JobsError> {
        self.on_runtime(move |context| async move {
            if matches!(command, Command::Cancel | Command::Pause) && context.store.is_exclusive() {
                // The transaction of a whole file has the turn to write.
                context.manager.stop_whole_file(id);
            }
            // The table first: from there on no chunk of an owner that lost the job can commit.
            if let Some(job) =
                with_reserve(&context.data_dir, || context.change(id, command)).await?
            {
                job_line!(
                    info,
                    job,
                    event = "job_commanded",
                    command = command.action().as_str(),
                    status = %job.status,
                    "job was changed by a request"
                );
                context.manager.stop_if_lost(&job);
                if job.status.is_terminal() {
                    context.metrics.job_ended(&job);
                }
                context.manager.publish(job.clone());
                context.wake_for(&job);
                return Ok(job);
            }
            let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            Err(context.refusal(job, command).await?)
        })
        .await
    }

    /// Changes the priority of a job that has not ended; higher goes first.
    ///
    /// # Errors
    /// `NotFound`; `HasEnded`; else the store's.
    pub async fn set_priority(&self, id: i64, priority: i32) -> Result<Job, JobsError> {
        self.on_runtime(move |context| async move {
            let set = with_reserve(&context.data_dir, || context.store.set_priority(id, priority))
                .await?;
            if let Some(job) = set {
                context.manager.publish(job.clone());
                return Ok(job);
            }
            let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            Err(JobsError::HasEnded { job: Box::new(job) })
        })
        .await
    }

    /// Deletes a job that has ended: its row, its events, its row errors and its files.
    ///
    /// # Errors
    /// `NotFound`; `InvalidState` when the job has not ended, `RolledBack` while another job rolls
    /// it back; else the store's.
    pub async fn delete(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |context| async move {
            let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            match with_reserve(&context.data_dir, || context.store.delete(id)).await? {
                Deletion::Done => {}
                Deletion::NotNow => {
                    // It has not ended, or somebody else deleted it in this moment.
                    let job = context.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
                    let (action, job) = (Action::Delete, Box::new(job));
                    return Err(JobsError::InvalidState { action, job });
                }
                Deletion::RolledBackBy(by) => {
                    return Err(JobsError::RolledBack { job: Box::new(job), by });
                }
            }
            job_line!(info, job, event = "job_deleted", "job was deleted by a request");
            context.manager.deleted(&job);
            context.changes.deleted(id).await;
            context.import_totals.forget();
            // After the row: a file without a job is swept, a job without its file is broken.
            context.drop_files(&job).await;
            Ok(job)
        })
        .await
    }
}

impl JobsContext {
    fn stuck_after(&self) -> Duration {
        2 * self.settings.lease
    }

    /// `None` when the job's status does not allow the command.
    async fn change(&self, id: i64, command: Command) -> Result<Option<Job>, StoreError> {
        match command {
            Command::Pause => self.store.pause(id).await,
            Command::Resume => self.store.resume(id).await,
            Command::Cancel => self.store.cancel(id).await,
            Command::Force => self.store.force(id, self.settings.lease).await,
        }
    }

    /// Why the job does not take the command.
    async fn refusal(&self, job: Job, command: Command) -> Result<JobsError, StoreError> {
        let (action, job) = (command.action(), Box::new(job));
        if command != Command::Force || job.status != JobStatus::Processing {
            return Ok(JobsError::InvalidState { action, job });
        }
        let still_for = self.store.time_since_change(&job).await?;
        Ok(JobsError::NotStuck { job, still_for, stuck_after: self.stuck_after() })
    }
}
