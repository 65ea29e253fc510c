//! Events as the text of an event stream (WHATWG HTML, 9.2.5) with one line of JSON each.
//!
//! Seven hundred thousand rows may be as many events: everything is written straight into the
//! buffer that is sent, from borrowed parts.

use serde::Serialize;

use super::EventEncoder;
use super::stream::RETRY;
use crate::domain::event::{Event, Level, Results, RowEvent, RowEventKind, percentage};
use crate::domain::job::Job;
use crate::domain::status::JobStatus;
use crate::http::view::{self, JobView};
use crate::jobs::{DeliveredEvent, Delivery};

/// The current way to write a job's events.
#[derive(Debug)]
pub(in crate::http) struct ApiEvents;

impl EventEncoder for ApiEvents {
    fn begin(&mut self, job: &Job, out: &mut Vec<u8>) {
        out.extend_from_slice(RETRY);
        let percentage = percentage(job);
        let snapshot = ProgressMessage {
            kind: "snapshot",
            progress: percentage,
            percentage,
            current: job.counts.processed(),
            total: job.total_rows,
            message: &progress_sentence(job),
            timestamp: &view::text(job.updated_at),
            job: Some(JobView::of(job)),
        };
        write(out, None, &snapshot);
    }

    fn encode(&mut self, told: &Delivery, out: &mut Vec<u8>) {
        match told {
            Delivery::Notice(text) => {
                let timestamp = view::text(chrono::Utc::now());
                write(out, None, &SseMessage::log(text, Level::Warning, &timestamp));
            }
            Delivery::Event(heard) => event(heard, out),
        }
    }
}

/// One message of the stream.
pub(in crate::http) fn write(out: &mut Vec<u8>, number: Option<u64>, data: &impl Serialize) {
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
fn progress_sentence(job: &Job) -> String {
    let done = job.counts.processed();
    let noun = if job.rollback_of.is_some() { "Rollback" } else { "Import" };
    match (job.status, job.total_rows) {
        (JobStatus::Pending, _) => "Waiting to be taken up".to_owned(),
        (JobStatus::Processing, None) => "The file is looked through".to_owned(),
        (JobStatus::Processing, Some(total)) => format!("{done} of {total} rows are done"),
        (JobStatus::Paused, _) => format!("Set aside after {done} rows"),
        (JobStatus::Completed, _) => format!("{noun} completed: {done} rows"),
        (JobStatus::Cancelled, _) => format!("{noun} cancelled after {done} rows"),
        (JobStatus::Failed, _) => {
            job.error_message.clone().unwrap_or_else(|| format!("{noun} failed"))
        }
    }
}

/// How far a job is: the snapshot, which has the job with it, and progress.
#[derive(Serialize)]
struct ProgressMessage<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    progress: f64,
    percentage: f64,
    current: u64,
    total: Option<u64>,
    message: &'a str,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobView<'a>>,
}

/// Everything else, with the members that each kind has.
#[derive(Serialize)]
struct SseMessage<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_number: Option<u32>,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Results>,
}

impl<'a> SseMessage<'a> {
    fn new(kind: &'static str, message: &'a str, timestamp: &'a str) -> Self {
        Self {
            kind,
            status: None,
            message,
            level: None,
            percentage: None,
            row_number: None,
            timestamp,
            data: None,
        }
    }

    fn log(message: &'a str, level: Level, timestamp: &'a str) -> Self {
        Self { level: Some(level), ..Self::new("log", message, timestamp) }
    }

    fn note(note: &RowEvent, message: &'a str, percentage: f64, timestamp: &'a str) -> Self {
        let (kind, level) = match note.kind {
            RowEventKind::Failed => ("error", None),
            RowEventKind::ReferenceCreated => ("master", None),
            RowEventKind::Created => ("log", Some(Level::Success)),
            RowEventKind::Superseded => ("log", Some(Level::Warning)),
            RowEventKind::Updated | RowEventKind::Unchanged | RowEventKind::LimitReached => {
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

fn event(heard: &DeliveredEvent, out: &mut Vec<u8>) {
    let timestamp = view::text(heard.at());
    let number = Some(heard.number());
    match heard.event() {
        None => {}
        Some(Event::Log { level, message: text, percentage }) => {
            let data =
                SseMessage { percentage: *percentage, ..SseMessage::log(text, *level, &timestamp) };
            write(out, number, &data);
        }
        Some(Event::Progress { message: text, percentage, current, total }) => {
            let progress = ProgressMessage {
                kind: "progress",
                progress: *percentage,
                percentage: *percentage,
                current: *current,
                total: Some(*total),
                message: text,
                timestamp: &timestamp,
                job: None,
            };
            write(out, number, &progress);
        }
        Some(Event::Error { message: text }) => {
            write(out, number, &SseMessage::new("error", text, &timestamp));
        }
        Some(Event::Rows(_)) => {
            for (number, note, percentage) in heard.notes() {
                let text = note.message();
                write(out, Some(number), &SseMessage::note(note, &text, percentage, &timestamp));
            }
        }
        Some(Event::Complete { status, message: text, percentage, results }) => {
            let data = SseMessage {
                status: Some(status.as_str()),
                percentage: Some(*percentage),
                data: Some(results),
                ..SseMessage::new("complete", text, &timestamp)
            };
            write(out, number, &data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::view::tests::job;

    fn text(fill: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        fill(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whatever_a_message_says_it_is_one_line() {
        let said = "a\nb\r\nc\u{2028}\n\nid: 7\ndata: x";
        let told = Delivery::Notice(said.to_owned());
        let text = text(|out| ApiEvents.encode(&told, out));
        assert_eq!(text.matches('\n').count(), 2, "{text}");
        assert!(!text.contains('\r') && text.ends_with("}\n\n"), "{text}");
        let data = text.trim_end().strip_prefix("data: ").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!((&data["type"], &data["message"]), (&"log".into(), &said.into()));
    }

    #[test]
    fn a_stream_begins_with_where_the_job_stands() {
        let text = text(|out| ApiEvents.begin(&job(), out));
        let begin = r#"retry: 3000

data: {"type":"snapshot","progress":20.35,"percentage":20.35,"current":50000,"total":700000,"message":"50000 of 700000 rows are done","timestamp":"2026-11-18T11:06:42.000Z","job":{"jobId":123,"#;
        assert!(text.starts_with(begin), "{text}");
    }

    #[test]
    fn a_row_is_a_log_an_error_or_a_master() {
        let note = |kind| RowEvent { row_number: 2, kind, text: "x".to_owned() };
        let json = |kind| {
            let note = note(kind);
            serde_json::to_string(&SseMessage::note(&note, &note.message(), 15.75, "now")).unwrap()
        };
        let log = r#"{"type":"log","message":"Row 2: Created x","level":"success","percentage":15.75,"row_number":2,"timestamp":"now"}"#;
        assert_eq!(json(RowEventKind::Created), log);
        let error = r#"{"type":"error","message":"Row 2: x","row_number":2,"timestamp":"now"}"#;
        assert_eq!(json(RowEventKind::Failed), error);
        let master = r#"{"type":"master","message":"Created x","row_number":2,"timestamp":"now"}"#;
        assert_eq!(json(RowEventKind::ReferenceCreated), master);
    }
}
