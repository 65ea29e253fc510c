//! A job while it runs here: its lease is renewed beside it, and lost with it.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::claimant::claimant;
use super::context::JobsContext;
use super::dispatch;
use super::error::RunError;
use super::job_line::job_line;
use super::stop::Stop;
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::store::Claimant;
use crate::telemetry;

/// A claimed job on this server. However its run ends, also by a panic: the job runs here no longer,
/// and its lease is no longer renewed.
pub(super) struct RunningJob {
    context: Arc<JobsContext>,
    job: Job,
    stop: Stop,
    ended: CancellationToken,
}

impl RunningJob {
    pub(super) fn begin(context: &Arc<JobsContext>, job: Job) -> Self {
        let stop = Stop::default();
        context.manager.running(&job, stop.clone());
        if let Some(started) = job.started_at.filter(|_| job.attempts == 1) {
            let waited = (started - job.created_at).to_std().unwrap_or_default();
            context.metrics.job_started(&job.dataset, waited);
        }
        Self { context: Arc::clone(context), job, stop, ended: CancellationToken::new() }
    }

    /// The number of the job.
    pub(super) fn id(&self) -> i64 {
        self.job.id
    }

    /// Runs the job with its lease renewed beside it.
    pub(super) async fn run(self) {
        let span = telemetry::job_span(&self.job);
        self.run_within().instrument(span).await;
    }

    async fn run_within(self) {
        job_line!(info, self.job, event = "job_claimed", "job runs");
        let (context, job, stop) = (Arc::clone(&self.context), self.job.clone(), self.stop.clone());
        tokio::spawn(renew_lease(context, job, stop, self.ended.clone()).in_current_span());
        let run = {
            let (context, job, stop) =
                (Arc::clone(&self.context), self.job.clone(), self.stop.clone());
            let run = async move { Box::pin(dispatch::run(&context, &job, &stop)).await };
            tokio::spawn(run.in_current_span())
        };
        if run.await.is_err() {
            // What it left at work must not go on beside the next run.
            self.stop.stop();
            dispatch::recover_from_panic(&self.context, &self.job, &RunError::Panicked).await;
        }
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        self.ended.cancel();
        self.context.manager.rests(&self.job);
        // A person may have let it go on meanwhile; it was not claimed while it ran here.
        self.context.wake_for(&self.job);
        // A file that was downloaded is imported by the next run.
        self.context.wake.notify();
    }
}

/// Renews the lease until the run has ended; stops the job when the lease is lost or the server
/// ends, and still keeps the lease for the chunk in flight.
async fn renew_lease(context: Arc<JobsContext>, job: Job, stop: Stop, ended: CancellationToken) {
    let claimant = claimant(&context);
    let every = claimant.lease / 3;
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = ended.cancelled() => return,
            () = context.stop.cancelled(), if !stop.is_stopped() => {
                stop.stop();
                continue;
            }
        }
        let (store, of_job) = (context.run_store.clone(), job.clone());
        let by = Claimant { busy_with: context.manager.running_here(), ..claimant.clone() };
        let attempt = async move { store.renew(&of_job, &by).await };
        let attempt = tokio::spawn(attempt.in_current_span());
        // One that hangs on a dead connection must not keep the next from trying another. It is
        // left to itself: no call of the database is cut off half-way.
        match tokio::time::timeout(every, attempt).await {
            Ok(Ok(Ok(true))) => {}
            Ok(Ok(Ok(false))) => {
                stop.stop();
                return;
            }
            // Every chunk is fenced: a lease that cannot be renewed costs work, never rows.
            Ok(Ok(Err(error))) => {
                let error = error_chain(&error);
                job_line!(
                    warn,
                    job,
                    event = "lease_renewal_failed",
                    error,
                    "lease could not be renewed"
                );
            }
            Ok(Err(error)) => {
                job_line!(
                    error,
                    job,
                    event = "lease_renewal_panicked",
                    %error,
                    "lease renewal panicked"
                );
            }
            Err(_) => job_line!(
                warn,
                job,
                event = "lease_renewal_slow",
                "lease renewal has no answer yet"
            ),
        }
    }
}
