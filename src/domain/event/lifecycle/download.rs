//! The events of the download of a job's file.

use super::{awaited, bytes, read_as, size};
use crate::domain::event::{Event, Level, Step, percentage};
use crate::domain::job::Job;

/// The file is being downloaded: how far, and how fast.
#[must_use]
pub fn downloading(job: &Job) -> Vec<Event> {
    let Some(download) = awaited(job) else { return Vec::new() };
    let (url, progress) = (download.url.shown(), &download.progress);
    let done = match (progress.received_bytes, progress.total_bytes) {
        (0, _) => format!("Downloading {url}"),
        (got, Some(total)) => format!("Downloading {url}: {} of {}", size(got), size(total)),
        (got, None) => format!("Downloading {url}: {}", size(got)),
    };
    let rate = progress.bytes_per_second.map(|rate| format!(", {}/s", size(rate)));
    let step = Step::Downloading {
        url,
        received_bytes: progress.received_bytes,
        total_bytes: progress.total_bytes,
        bytes_per_second: progress.bytes_per_second,
    };
    let message = format!("{done}{}", rate.unwrap_or_default());
    vec![Event::log(Level::Info, percentage(job), step, message)]
}

/// The download was interrupted, for the reason of a sentence, and is tried again.
#[must_use]
pub fn download_interrupted(
    job: &Job,
    reason: &str,
    http_status: Option<u16>,
    retry_seconds: u64,
) -> Vec<Event> {
    let received_bytes = job.download.as_ref().map_or(0, |it| it.progress.received_bytes);
    let message = format!(
        "Download interrupted after {}: {reason}; trying again in {retry_seconds} s",
        size(received_bytes)
    );
    let reason = reason.to_owned();
    let step = Step::DownloadInterrupted { received_bytes, reason, http_status, retry_seconds };
    vec![Event::log(Level::Warning, percentage(job), step, message)]
}

/// The file is here, and it is one that can be imported.
#[must_use]
pub fn downloaded(job: &Job) -> Vec<Event> {
    let at = percentage(job);
    let millis = job.download.as_ref().map_or(0, |it| it.progress.millis);
    let seconds = format!("{}.{}", millis / 1_000, millis % 1_000 / 100);
    let message = format!("Downloaded {} ({}) in {seconds} s", job.file_name, size(bytes(job)));
    let step = Step::Downloaded { file_size: bytes(job), millis };
    let mut events = vec![Event::log(Level::Info, at, step, message)];
    events.extend(read_as(job, at));
    events
}

/// The content is that of an earlier import: this job imports nothing.
#[must_use]
pub fn not_changed(job: &Job) -> Vec<Event> {
    let unchanged = job.download.as_ref().and_then(|it| it.progress.unchanged_since);
    let Some(since) = unchanged else { return Vec::new() };
    let message = format!("Nothing to import: the file has not changed since job {since}");
    vec![Event::log(Level::Success, percentage(job), Step::NotChanged { since }, message)]
}
