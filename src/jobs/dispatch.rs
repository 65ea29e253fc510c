//! One run of a job, from its claim to its end, whatever kind of job it is: works it off, then
//! stores how that ended, gives the job back or suspends it.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::{retry_transient, retry_until_stored};
use super::context::JobsContext;
use super::download::{self, Downloaded};
use super::error::RunError;
use super::job_line::job_line;
use super::stop::Stop;
use super::{import, mirror, prune, rollback, table_faults, whole_file};
use crate::domain::error_chain::error_chain;
use crate::domain::job::Job;
use crate::store::{End, ReleaseReason, StoreError};

/// How long a job that found no space waits before it is retried, where nothing is claimed until
/// the disk has space.
const SPACE_PAUSE: Duration = Duration::from_secs(5);

/// How long where only the job itself can find out: space on the disk of the database, a storage
/// that is unreachable.
const RETRY_PAUSE: Duration = Duration::from_secs(30);

/// Runs the job to its end, or until it is stopped.
pub(super) async fn run(context: &Arc<JobsContext>, job: &Job, stop: &Stop) {
    match retry_transient(job.id, stop.token(), || {
        context.run_store.fail_if_attempts_exhausted(job)
    })
    .await
    {
        Ok(None) => {}
        Ok(Some(ended)) => return show_end(context, ended),
        Err(error) => return leave(context, job, &error).await,
    }
    let outcome = match job.rollback_of {
        None if job.awaits_file() => match Box::pin(download::run(context, job, stop)).await {
            // Given back: its next run imports the file.
            Ok(Downloaded::Here) => return,
            Ok(Downloaded::NotChanged) => Ok(()),
            Err(error) => Err(error),
        },
        None => Box::pin(import::run(context, job, stop)).await,
        Some(undone) => rollback::run(context, job, undone, stop).await,
    };
    let end = match outcome {
        Ok(()) => End::Completed,
        Err(RunError::Stopped) => return release(context, job).await,
        Err(RunError::BrokenOff(error)) => return begin_again(context, job, stop, &error).await,
        Err(error) if error.is_panic() => return recover_from_panic(context, job, &error).await,
        Err(error) if error.is_temporary() => return suspend(context, job, &error).await,
        Err(error) => {
            let error = table_faults::explain(context, job, error).await;
            End::Failed { code: error.code(), message: error_chain(&error) }
        }
    };
    // With the server's stop, not the job's: this end may be the reason that the job is stopped.
    match retry_until_stored(context, job.id, || context.run_store.finish(job, &end)).await {
        Ok(Some(ended)) => {
            if let End::Failed { code, message } = &end
                && code.status() >= 500
            {
                job_line!(
                    error,
                    job,
                    event = "job_failed",
                    error = message,
                    "job failed in the server"
                );
            }
            job_line!(
                info,
                job,
                event = "job_ended",
                status = %ended.status,
                rows = ended.counts.processed(),
                failed = ended.counts.failed,
                duration_ms = ended.run_time.millis,
                "job ended"
            );
            show_end(context, ended.clone());
            prune::after_the_end(context, &ended);
            mirror::forget(context, &ended).await;
        }
        // Cancelled, deleted, or owned by another server by now: the table says which. What failed in a
        // run that was taken away is no fault.
        Ok(None) => {
            tracing::debug!(
                event = "run_taken_away",
                job_id = job.id,
                ?end,
                "run has lost its job"
            );
            refresh(context, job).await;
        }
        Err(error) => leave(context, job, &error).await,
    }
}

/// Counts the end of a job and shows it.
fn show_end(context: &JobsContext, ended: Job) {
    context.metrics.job_ended(&ended);
    context.manager.publish(ended);
}

/// The end of the job could not be stored. A job that is stopped is released; any other
/// stays as it is until its lease runs out, and the attempt counts: released, it would be retried for
/// ever.
async fn leave(context: &Arc<JobsContext>, job: &Job, error: &RunError) {
    if matches!(error, RunError::Stopped) {
        return release(context, job).await;
    }
    job_line!(
        error,
        job,
        event = "job_abandoned",
        error = error_chain(error),
        "job cannot be ended or released, its lease will run out"
    );
    refresh(context, job).await;
}

/// Code of the server panicked. The panic may not come again: the job is claimed once more, from its
/// checkpoint, and fails if that does not help.
pub(super) async fn recover_from_panic(context: &Arc<JobsContext>, job: &Job, error: &RunError) {
    job_line!(
        error,
        job,
        event = "job_crashed",
        error = error_chain(error),
        "job crashed, it will be claimed again"
    );
    let why = ReleaseReason::Crashed;
    if let Err(error) =
        retry_until_stored(context, job.id, || context.run_store.release(job, why)).await
    {
        job_line!(
            warn,
            job,
            event = "job_release_failed",
            error = error_chain(&error),
            "job could not be released"
        );
    }
    refresh(context, job).await;
    context.wake.notify();
}

/// The transaction of a whole file is lost, and nothing of it is written: the job is claimed once more.
async fn begin_again(context: &Arc<JobsContext>, job: &Job, stop: &Stop, error: &StoreError) {
    job_line!(
        warn,
        job,
        event = "transaction_broke_off",
        error = error_chain(error),
        "transaction of a whole file broke off, it begins again"
    );
    // Unless the job or the server stops.
    let _paused = tokio::time::timeout(whole_file::PAUSE, stop.token().cancelled()).await;
    release(context, job).await;
}

async fn release(context: &Arc<JobsContext>, job: &Job) {
    let is_stopping = context.stop.is_cancelled();
    let why = if is_stopping { ReleaseReason::ServerStops } else { ReleaseReason::LeaseExpired };
    if let Err(error) =
        retry_until_stored(context, job.id, || context.run_store.release(job, why)).await
    {
        job_line!(
            warn,
            job,
            event = "job_release_failed",
            error = error_chain(&error),
            "job could not be released"
        );
    }
    refresh(context, job).await;
}

/// The disk has no space, or the file is out of reach: the job waits in the table until it is
/// retried.
async fn suspend(context: &Arc<JobsContext>, job: &Job, error: &RunError) {
    let (code, message) = (error.code(), error_chain(error));
    let why = code.as_str();
    job_line!(
        warn,
        job,
        event = "job_suspended",
        code = why,
        error = message,
        "job paused automatically"
    );
    let pause = if let RunError::DownloadWaits { pause, .. } = error {
        *pause
    } else if context.data_dir.check_free_space(0).is_err() {
        SPACE_PAUSE
    } else {
        RETRY_PAUSE
    };
    let pause = || context.run_store.suspend(job, code, &message, pause);
    match retry_until_stored(context, job.id, pause).await {
        Ok(Some(paused)) => context.manager.publish(paused),
        Ok(None) => refresh(context, job).await,
        Err(error) => leave(context, job, &error).await,
    }
}

async fn refresh(context: &Arc<JobsContext>, job: &Job) {
    match context.run_store.get(job.id).await {
        Ok(Some(now)) => context.manager.publish(now),
        Ok(None) | Err(_) => context.manager.forget(job.id),
    }
}
