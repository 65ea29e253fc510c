//! Sessions: a client names an import before it starts it, and follows it under that name. The name
//! is the key of the job, so that every server finds the job, and only one import has it.

use super::context::Jobs;
use super::error::JobsError;
use crate::domain::job::Job;
use crate::domain::session_id::SessionId;

/// The import of a session.
#[derive(Debug)]
pub struct SessionJob {
    /// The job.
    pub job: Job,
    /// A client has read its events to the last one.
    pub is_over: bool,
}

impl Jobs {
    /// The import of a session, if it was started.
    ///
    /// # Errors
    /// The store's.
    pub async fn of_session(&self, session: &SessionId) -> Result<Option<SessionJob>, JobsError> {
        let key = session.key();
        self.on_runtime(move |context| async move {
            let Some(job) = context.with_key(Some(&key)).await? else { return Ok(None) };
            let job = context.manager.get(job.id).unwrap_or(job);
            let is_ended = job.status.is_terminal();
            let is_over = is_ended && context.store.is_session_over(job.id).await?;
            Ok(Some(SessionJob { job, is_over }))
        })
        .await
    }

    /// Notes that a client has read the events of a session's job to the last one: nobody reads them
    /// from the first one again.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_session(&self, job: i64) -> Result<(), JobsError> {
        self.on_runtime(move |context| async move { Ok(context.store.end_session(job).await?) })
            .await
    }
}
