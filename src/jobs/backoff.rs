//! Retries of calls to the database and the storage that fail because one of them restarts, is busy or
//! unreachable. An outage costs a job time and nothing else.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::context::JobsContext;
use super::error::RunError;
use crate::domain::error_chain::error_chain;
use crate::files::{DataDir, FileError};
use crate::store::StoreError;

/// The first pause before a retry; doubles each time, with jitter.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often in a row a statement may be cancelled before that is how the job ends: an administrator,
/// or a limit of the database, has the last word. With its pauses about 15 s.
const CANCELLED_MAX: u32 = 10;

/// Whether a failed call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// A retry cannot cure it.
    Final,
    /// Until it succeeds.
    Temporary,
    /// A few times.
    Cancelled,
}

impl Verdict {
    fn of(error: &StoreError) -> Self {
        match error {
            error if error.is_cancelled() => Self::Cancelled,
            error if error.is_transient() => Self::Temporary,
            _ => Self::Final,
        }
    }
}

/// Repeats a call until the database answers.
///
/// # Errors
/// `Stopped` when `stop` comes first; a failure that a retry cannot cure; a statement that was
/// cancelled each time.
pub(super) async fn retry_transient<T, F>(
    job: i64,
    stop: &CancellationToken,
    mut ask: impl FnMut() -> F,
) -> Result<T, RunError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    retry(job, stop, &mut ask, Verdict::of).await
}

/// Repeats a call until the database answers or the server stops, also while the disk is full: for
/// what must be stored in any case, such as the end of a job. Releases the reserved space for it.
///
/// # Errors
/// As of [`retry_transient`].
pub(super) async fn retry_until_stored<T, F>(
    context: &JobsContext,
    job: i64,
    mut ask: impl FnMut() -> F,
) -> Result<T, RunError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let verdict = |error: &StoreError| {
        let is_full = error.is_storage_full();
        if is_full && context.data_dir.release_reserve() {
            tracing::warn!(
                event = "disk_reserve_released",
                job_id = job,
                "disk is full, the reserved space is released"
            );
        }
        if is_full { Verdict::Temporary } else { Verdict::of(error) }
    };
    retry(job, &context.stop, &mut ask, verdict).await
}

/// Asks until the storage of the files answers. Unlike the database it may be left in the middle of
/// an answer: a large file takes its time.
///
/// # Errors
/// As of [`retry_transient`].
pub(super) async fn retry_storage<T, F>(
    job: i64,
    stop: &CancellationToken,
    mut ask: impl FnMut() -> F,
) -> Result<T, RunError>
where
    F: Future<Output = Result<T, FileError>>,
{
    tokio::select! {
        answer = retry(job, stop, &mut ask, of_storage) => answer,
        () = stop.cancelled() => Err(RunError::Stopped),
    }
}

/// Makes a change that needs a few pages of the disk: on a full one with the reserved space
/// for that.
pub(super) async fn with_reserve<T, F>(
    data_dir: &DataDir,
    change: impl Fn() -> F + Send,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Send,
{
    match change().await {
        Err(fault) if fault.is_storage_full() && data_dir.release_reserve() => {
            tracing::warn!(
                event = "disk_reserve_released",
                "disk is full, the reserved space is released"
            );
            change().await
        }
        changed => changed,
    }
}

fn of_storage(error: &FileError) -> Verdict {
    if error.is_transient() { Verdict::Temporary } else { Verdict::Final }
}

async fn retry<T, E, F>(
    job: i64,
    stop: &CancellationToken,
    ask: &mut (impl FnMut() -> F + ?Sized),
    verdict: impl Fn(&E) -> Verdict,
) -> Result<T, RunError>
where
    E: std::error::Error + Into<RunError>,
    F: Future<Output = Result<T, E>>,
{
    let (mut pause, mut cancelled) = (PAUSE_MIN, 0);
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match verdict(&error) {
            Verdict::Final => return Err(error.into()),
            Verdict::Temporary => cancelled = 0,
            Verdict::Cancelled => cancelled += 1,
        }
        if cancelled == CANCELLED_MAX {
            return Err(error.into());
        }
        tracing::warn!(
            event = "transient_error",
            job_id = job,
            error = error_chain(&error),
            "transient error, retrying"
        );
        tokio::select! {
            () = tokio::time::sleep(jittered(pause)) => {}
            () = stop.cancelled() => return Err(RunError::Stopped),
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Between half and the whole of `pause`: two writers that met once should not meet again.
fn jittered(pause: Duration) -> Duration {
    let share = uuid::Uuid::new_v4().as_u64_pair().0 % 512 + 512;
    pause.mul_f64(f64::from(u32::try_from(share).unwrap_or(1024)) / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_call_is_repeated_until_the_database_answers() {
        let calls = Cell::new(0);
        let stop = CancellationToken::new();
        let answer = retry_transient(1, &stop, || {
            calls.set(calls.get() + 1);
            std::future::ready(if calls.get() < 4 {
                Err(StoreError::busy())
            } else {
                Ok(calls.get())
            })
        });
        assert_eq!(answer.await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_stopped_job_does_not_wait_for_the_database() {
        let stop = CancellationToken::new();
        stop.cancel();
        let answer =
            retry_transient(1, &stop, || std::future::ready(Err::<(), _>(StoreError::busy())))
                .await;
        assert!(matches!(answer, Err(RunError::Stopped)));
    }

    #[tokio::test]
    async fn a_full_disk_costs_the_reserve_and_then_refuses() {
        let place = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(place.path()).unwrap();
        data_dir.hold_reserve().unwrap();
        let calls = AtomicU32::new(0);
        let full_once = || async {
            match calls.fetch_add(1, Ordering::Relaxed) {
                0 => Err(StoreError::disk_full()),
                time => Ok(time),
            }
        };
        assert_eq!(with_reserve(&data_dir, full_once).await.unwrap(), 1);
        assert!(!data_dir.release_reserve(), "it was given");
        calls.store(0, Ordering::Relaxed);
        assert!(with_reserve(&data_dir, full_once).await.unwrap_err().is_storage_full());
    }
}
