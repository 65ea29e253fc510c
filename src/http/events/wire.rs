//! Events as the text of an event stream (WHATWG HTML, 9.2.5) with one line of JSON each.
//!
//! Seven hundred thousand rows may be as many events: everything is written straight into the
//! buffer that is sent, from borrowed parts.

use serde::Serialize;

use super::Wire;
use super::stream::RETRY;
use crate::domain::event::{Event, Level, NoteKind, Results, RowNote, percentage};
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::http::view::{self, JobView};
use crate::jobs::{Heard, Told};

/// The current way to write a job's events.
#[derive(Debug)]
pub(in crate::http) struct Sse;

impl Wire for Sse {
    fn begin(&mut self, job: &Job, out: &mut Vec<u8>) {
        out.extend_from_slice(RETRY);
        let percentage = percentage(job);
        let snapshot = Snapshot {
            kind: "snapshot",
            progress: percentage,
            percentage,
            current: job.counts.processed(),
            total: job.total_rows,
            message: standing(job),
            timestamp: view::text(job.updated_at),
            job: JobView::of(job),
        };
        write(out, None, &snapshot);
    }

    fn told(&mut self, told: &Told, out: &mut Vec<u8>) {
        match told {
            Told::Notice(text) => {
                let timestamp = view::text(chrono::Utc::now());
                write(out, None, &Said::log(text, Level::Warning, &timestamp));
            }
            Told::Event(heard) => event(heard, out),
        }
    }
}

/// One message of the stream.
pub(super) fn write(out: &mut Vec<u8>, number: Option<u64>, data: &impl Serialize) {
    use std::io::Write as _;

    let begun = out.len();
    let written = number.map_or(Ok(()), |number| writeln!(out, "id: {number}"));
    out.extend_from_slice(b"data: ");
    // Line breaks inside of texts are escaped by JSON.
    if written.is_err() || serde_json::to_writer(&mut *out, data).is_err() {
        // Numbers, texts and memory: none of them refuses.
        out.truncate(begun);
        return;
    }
    out.extend_from_slice(b"\n\n");
}

/// Where a job stands, in a sentence.
fn standing(job: &Job) -> String {
    let done = job.counts.processed();
    match (job.status, job.total_rows) {
        (JobStatus::Pending, _) => "Waiting to be taken up".to_owned(),
        (JobStatus::Processing, None) => "The file is looked through".to_owned(),
        (JobStatus::Processing, Some(total)) => format!("{done} of {total} rows are done"),
        (JobStatus::Paused, _) => format!("Set aside after {done} rows"),
        (JobStatus::Completed, _) => format!("Import completed: {done} rows"),
        (JobStatus::Cancelled, _) => format!("Import cancelled after {done} rows"),
        (JobStatus::Failed, _) => {
            job.error_message.clone().unwrap_or_else(|| "Import failed".to_owned())
        }
    }
}

#[derive(Serialize)]
struct Snapshot<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    progress: f64,
    percentage: f64,
    current: u64,
    total: Option<u64>,
    message: String,
    timestamp: String,
    job: JobView<'a>,
}

/// Everything but the snapshot, with the members that each kind has.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<f64>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_number: Option<u32>,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Results>,
}

impl<'a> Said<'a> {
    fn new(kind: &'static str, message: &'a str, timestamp: &'a str) -> Self {
        Self {
            kind,
            status: None,
            progress: None,
            message,
            level: None,
            percentage: None,
            current: None,
            total: None,
            row_number: None,
            timestamp,
            data: None,
        }
    }

    fn log(message: &'a str, level: Level, timestamp: &'a str) -> Self {
        Self { level: Some(level), ..Self::new("log", message, timestamp) }
    }

    fn note(note: &RowNote, message: &'a str, percentage: f64, timestamp: &'a str) -> Self {
        let (kind, level) = match note.kind {
            NoteKind::Failed => ("error", None),
            NoteKind::Master => ("master", None),
            NoteKind::Created => ("log", Some(Level::Success)),
            NoteKind::Superseded => ("log", Some(Level::Warning)),
            NoteKind::Updated | NoteKind::Unchanged | NoteKind::NoMore => {
                ("log", Some(Level::Info))
            }
        };
        Self {
            level,
            percentage: level.map(|_| percentage),
            row_number: Some(note.row_number),
            ..Self::new(kind, message, timestamp)
        }
    }
}

fn event(heard: &Heard, out: &mut Vec<u8>) {
    let timestamp = view::text(heard.at());
    let number = Some(heard.number());
    match heard.event() {
        None => {}
        Some(Event::Log { level, message: text, percentage }) => {
            let data = Said { percentage: *percentage, ..Said::log(text, *level, &timestamp) };
            write(out, number, &data);
        }
        Some(Event::Progress { message: text, percentage, current, total }) => {
            let data = Said {
                progress: Some(*percentage),
                percentage: Some(*percentage),
                current: Some(*current),
                total: Some(*total),
                ..Said::new("progress", text, &timestamp)
            };
            write(out, number, &data);
        }
        Some(Event::Error { message: text }) => {
            write(out, number, &Said::new("error", text, &timestamp));
        }
        Some(Event::Rows(_)) => {
            for (number, note, percentage) in heard.notes() {
                let text = note.message();
                write(out, Some(number), &Said::note(note, &text, percentage, &timestamp));
            }
        }
        Some(Event::Complete { status, message: text, percentage, results }) => {
            let data = Said {
                status: Some(status.as_str()),
                percentage: Some(*percentage),
                data: Some(results),
                ..Said::new("complete", text, &timestamp)
            };
            write(out, number, &data);
        }
    }
}
