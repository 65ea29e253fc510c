//! What a person asks of a job. Each wish is one compare-and-set in the table, which works whoever
//! owns the job and whether that one still lives; what is done here besides only spares work.

use std::future::Future;
use std::sync::Arc;

use super::{Inner, Jobs, JobsError};
use crate::domain::action::Action;
use crate::domain::job::Job;
use crate::store::StoreError;

impl Jobs {
    /// Cancels a job: what is committed stays, at most the chunk in flight is added.
    ///
    /// # Errors
    /// `NotFound`; `IllegalAction` when the job has ended; else the store's.
    pub async fn cancel(&self, id: i64) -> Result<Job, JobsError> {
        self.steer(id, Action::Cancel, move |inner| async move { inner.store.cancel(id).await })
            .await
    }

    /// Sets a running job aside; it keeps its checkpoint, at most the chunk in flight is added.
    ///
    /// # Errors
    /// `NotFound`; `IllegalAction` when the job does not run; else the store's.
    pub async fn pause(&self, id: i64) -> Result<Job, JobsError> {
        self.steer(id, Action::Pause, move |inner| async move { inner.store.pause(id).await }).await
    }

    /// Lets a job that was set aside go on from its checkpoint.
    ///
    /// # Errors
    /// `NotFound`; `IllegalAction` when the job is not set aside; else the store's.
    pub async fn resume(&self, id: i64) -> Result<Job, JobsError> {
        self.steer(id, Action::Resume, move |inner| async move { inner.store.resume(id).await })
            .await
    }

    /// Lets a job go next: one that waits, or one that is stuck, which is taken from its server.
    ///
    /// # Errors
    /// `NotFound`; `IllegalAction` when the job is neither; else the store's.
    pub async fn force(&self, id: i64) -> Result<Job, JobsError> {
        self.steer(id, Action::Force, move |inner| async move {
            inner.store.force(id, inner.settings.lease).await
        })
        .await
    }

    /// Changes the priority of a job that has not ended; higher goes first.
    ///
    /// # Errors
    /// `NotFound`; `HasEnded`; else the store's.
    pub async fn set_priority(&self, id: i64, priority: i32) -> Result<Job, JobsError> {
        self.on_runtime(move |inner| async move {
            if let Some(job) = inner.store.set_priority(id, priority).await? {
                inner.manager.publish(job.clone());
                return Ok(job);
            }
            let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            Err(JobsError::HasEnded { job: Box::new(job) })
        })
        .await
    }

    /// Forgets a job that has ended: its row, its events, its row errors and its files.
    ///
    /// # Errors
    /// `NotFound`; `IllegalAction` when the job has not ended; else the store's.
    pub async fn delete(&self, id: i64) -> Result<Job, JobsError> {
        self.on_runtime(move |inner| async move {
            let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            if !inner.store.delete(id).await? {
                // It has not ended, or somebody else deleted it in this moment.
                let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
                let (action, job) = (Action::Delete, Box::new(job));
                return Err(JobsError::IllegalAction { action, job });
            }
            inner.manager.forget(id);
            // After the row: a file without a job is swept, a job without its file is broken.
            inner.drop_files(&job).await;
            Ok(job)
        })
        .await
    }

    /// Changes the job by `change`, which answers `None` when its status does not allow it.
    async fn steer<F>(
        &self,
        id: i64,
        action: Action,
        change: impl FnOnce(Arc<Inner>) -> F + Send + 'static,
    ) -> Result<Job, JobsError>
    where
        F: Future<Output = Result<Option<Job>, StoreError>> + Send,
    {
        self.on_runtime(move |inner| async move {
            // The table first: from there on no chunk of an owner that lost the job can commit.
            if let Some(job) = change(Arc::clone(&inner)).await? {
                inner.manager.stop_if_lost(&job);
                inner.manager.publish(job.clone());
                inner.wake.notify_one();
                return Ok(job);
            }
            let job = inner.store.get(id).await?.ok_or(JobsError::NotFound(id))?;
            Err(JobsError::IllegalAction { action, job: Box::new(job) })
        })
        .await
    }
}
