//! Counts what each key does and compares it with its limits. Requests and uploads are counted by each
//! server for itself, bytes and jobs in the table, so for all servers together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveTime, Utc};

use super::error::AccessError;
use super::keys::Access;
use super::limit_reached::{KeyLimits, LimitKind, LimitReached, RequestsLeft};
use crate::domain::access::AccessKey;

/// The time for which requests are counted.
pub const REQUEST_WINDOW: Duration = Duration::from_mins(1);

/// The time for which bytes are counted.
pub const BYTES_WINDOW: Duration = Duration::from_hours(24);

/// After which time another upload may have ended.
const UPLOAD_RETRY: Duration = Duration::from_secs(5);

/// After which time jobs may have ended.
const JOBS_RETRY: Duration = Duration::from_secs(30);

/// What the keys of a server did lately; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    limits: KeyLimits,
    keys: Arc<Mutex<HashMap<i64, Meter>>>,
}

#[derive(Debug)]
struct Meter {
    began: Instant,
    requests: u32,
    uploads: u32,
}

/// An upload that counts for as long as this lives.
#[derive(Debug)]
pub struct UploadPlace {
    meters: Meters,
    key: i64,
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        self.meters.with(self.key, |meter| meter.uploads = meter.uploads.saturating_sub(1));
    }
}

impl Meters {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(limits: KeyLimits) -> Self {
        Self { limits, keys: Arc::default() }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> KeyLimits {
        self.limits
    }

    fn with<T>(&self, key: i64, act: impl FnOnce(&mut Meter) -> T) -> T {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = keys.entry(key).or_insert_with(|| Meter {
            began: Instant::now(),
            requests: 0,
            uploads: 0,
        });
        act(meter)
    }

    /// Counts a request; gives what is left, where there is a limit.
    ///
    /// # Errors
    /// When there were too many in this minute.
    pub fn request(&self, key: i64) -> Result<Option<RequestsLeft>, LimitReached> {
        let Some(most) = self.limits.requests else { return Ok(None) };
        self.with(key, |meter| {
            if meter.began.elapsed() >= REQUEST_WINDOW {
                (meter.began, meter.requests) = (Instant::now(), 0);
            }
            let reset = REQUEST_WINDOW.saturating_sub(meter.began.elapsed());
            if meter.requests >= most {
                let kind = LimitKind::Requests;
                return Err(LimitReached { kind, most: most.into(), retry_after: reset });
            }
            meter.requests += 1;
            Ok(Some(RequestsLeft { most, left: most - meter.requests, reset }))
        })
    }

    /// Takes a place for an upload.
    ///
    /// # Errors
    /// When the key has too many uploads under way.
    pub fn upload(&self, key: i64) -> Result<UploadPlace, LimitReached> {
        let most = self.limits.uploads.unwrap_or(u32::MAX);
        let is_free = self.with(key, |meter| {
            let is_free = meter.uploads < most;
            meter.uploads += u32::from(is_free);
            is_free
        });
        if is_free {
            return Ok(UploadPlace { meters: self.clone(), key });
        }
        let (kind, most) = (LimitKind::Uploads, most.into());
        Err(LimitReached { kind, most, retry_after: UPLOAD_RETRY })
    }
}

impl Access {
    /// Checks what the table says of a key before it makes a job of a file with `announced` bytes.
    ///
    /// # Errors
    /// `Limit` when its bytes of today or its unfinished jobs are too many; the store's.
    pub async fn check_job(
        &self,
        key: &AccessKey,
        announced: u64,
        limits: KeyLimits,
    ) -> Result<(), AccessError> {
        if limits.bytes.is_none() && limits.jobs.is_none() {
            return Ok(());
        }
        let (client, now) = (key.client_name(), Utc::now());
        let midnight = now.with_time(NaiveTime::MIN).single().unwrap_or(now);
        let done = self
            .ask(move |store| async move { store.uploads_of_client(&client, midnight).await })
            .await?;
        if let Some(most) = limits.jobs.filter(|most| done.unfinished >= u64::from(*most)) {
            let (kind, most) = (LimitKind::Jobs, most.into());
            return Err(LimitReached { kind, most, retry_after: JOBS_RETRY }.into());
        }
        // Who sends no file, such as a retry, uses up nothing of the day.
        let is_over = |most: &u64| announced > 0 && done.bytes.saturating_add(announced) > *most;
        if let Some(most) = limits.bytes.filter(is_over) {
            let retry_after = until_tomorrow(now, midnight);
            return Err(LimitReached { kind: LimitKind::Bytes, most, retry_after }.into());
        }
        Ok(())
    }
}

fn until_tomorrow(now: DateTime<Utc>, midnight: DateTime<Utc>) -> Duration {
    let tomorrow = midnight + BYTES_WINDOW;
    (tomorrow - now).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_uploads_are_counted_by_key() {
        let limits = KeyLimits { requests: Some(2), uploads: Some(1), ..KeyLimits::default() };
        let meters = Meters::new(limits);
        assert_eq!(meters.request(1).unwrap().unwrap().left, 1);
        assert_eq!(meters.request(1).unwrap().unwrap().left, 0);
        assert!(meters.request(1).unwrap_err().retry_after <= REQUEST_WINDOW);
        assert!(meters.request(2).is_ok());
        let place = meters.upload(1).unwrap();
        assert!(meters.upload(1).is_err() && meters.upload(2).is_ok());
        drop(place);
        assert!(meters.upload(1).is_ok());
        assert_eq!(Meters::new(KeyLimits::default()).request(1), Ok(None));
    }
}
