//! Events as the text of an event stream (WHATWG HTML, 9.2.5) with one line of JSON each.
//!
//! Seven hundred thousand rows may be as many events: everything is written straight into the
//! buffer that is sent, from borrowed parts.

use std::fmt::Display;

use serde::Serialize;

use super::EventEncoder;
use super::stream::RETRY;
use crate::domain::event::{
    CreatedReference, Event, Level, Notice, RecordLabel, Results, RowEvent, RowEventKind, RowFacts,
    Step, percentage,
};
use crate::domain::job::Job;
use crate::domain::job_view::{self, JobView};
use crate::domain::path_prefix::PathPrefix;
use crate::domain::row_error::RowCode;
use crate::domain::row_number::RowNumber;
use crate::domain::status::JobStatus;
use crate::jobs::{DeliveredEvent, Delivery};

/// The current way to write a job's events.
#[derive(Debug)]
pub(in crate::http) struct ApiEvents {
    /// The path below which the listener sees the server.
    pub(in crate::http) prefix: PathPrefix,
}

impl EventEncoder for ApiEvents {
    fn begin(&mut self, job: &Job, place: Option<u64>, out: &mut Vec<u8>) {
        out.extend_from_slice(RETRY);
        let percentage = percentage(job);
        let snapshot = ProgressMessage {
            kind: "snapshot",
            progress: percentage,
            first_row: None,
            last_row: None,
            percentage,
            current: job.counts.processed(),
            total: job.total_rows,
            message: &progress_sentence(job),
            timestamp: &job_view::timestamp(job.updated_at),
            job: Some(JobView::in_queue(job, &self.prefix, place)),
        };
        write(out, None, &snapshot);
    }

    fn encode(&mut self, delivery: &Delivery, out: &mut Vec<u8>) {
        match delivery {
            Delivery::Notice(notice) => {
                let (text, timestamp) = (notice.message(), job_view::timestamp(chrono::Utc::now()));
                let message = SseMessage::log(&text, Level::Warning, &timestamp);
                write(out, None, &SseMessage { facts: Facts::Notice(notice), ..message });
            }
            Delivery::Place(place) => {
                let message = QueueMessage {
                    kind: "queue",
                    message: format!("Waiting in the queue, place {place}"),
                    queue_position: *place,
                    timestamp: job_view::timestamp(chrono::Utc::now()),
                };
                write(out, None, &message);
            }
            Delivery::Event(delivered) => event(delivered, Frame::Numbered, out),
        }
    }
}

/// An event of a job in the stream of its bulk: with the job, and with the position behind it.
pub(in crate::http) fn write_of_job(
    out: &mut Vec<u8>,
    job_id: i64,
    file_name: &str,
    position: &str,
    delivered: &DeliveredEvent,
) {
    let last = delivered.number();
    event(delivered, Frame::OfJob { job_id, file_name, position, last }, out);
}

/// What stands around the events of a job.
#[derive(Debug, Clone, Copy)]
enum Frame<'a> {
    /// Its own stream: each message has its number.
    Numbered,
    /// The stream of its bulk: the last message of a delivery has the position behind it.
    OfJob { job_id: i64, file_name: &'a str, position: &'a str, last: u64 },
}

/// A message with the job that it is about.
#[derive(Serialize)]
struct OfJob<'a, T> {
    #[serde(flatten)]
    message: &'a T,
    job_id: i64,
    file_name: &'a str,
}

impl Frame<'_> {
    fn write(self, out: &mut Vec<u8>, number: Option<u64>, message: &impl Serialize) {
        match self {
            Self::Numbered => write(out, number, message),
            Self::OfJob { job_id, file_name, position, last } => {
                let position = Some(position).filter(|_| number == Some(last));
                write_message(out, position, &OfJob { message, job_id, file_name });
            }
        }
    }
}

/// One message of the stream.
pub(in crate::http) fn write(out: &mut Vec<u8>, number: Option<u64>, data: &impl Serialize) {
    write_message(out, number, data);
}

fn write_message(out: &mut Vec<u8>, id: Option<impl Display>, data: &impl Serialize) {
    use std::io::Write as _;

    let begun = out.len();
    let written = id.map_or(Ok(()), |id| writeln!(out, "id: {id}"));
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
        (JobStatus::Pending, _) => "Waiting in the queue".to_owned(),
        (JobStatus::Processing, None) => "Scanning the file".to_owned(),
        (JobStatus::Processing, Some(total)) => format!("{done} of {total} rows processed"),
        (JobStatus::Paused, _) => format!("Paused after {done} rows"),
        (JobStatus::Completed, _) => format!("{noun} completed: {done} rows"),
        (JobStatus::Cancelled, _) => format!("{noun} cancelled after {done} rows"),
        (JobStatus::Failed, _) => {
            job.error_message.clone().unwrap_or_else(|| format!("{noun} failed"))
        }
    }
}

/// How far a job is: the snapshot, which has the job with it, and progress.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct ProgressMessage<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    progress: f64,
    percentage: f64,
    current: u64,
    total: Option<u64>,
    message: &'a str,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_row: Option<RowNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_row: Option<RowNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobView<'a>>,
}

/// Where a waiting job stands in the queue.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct QueueMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    message: String,
    /// As in the status of the job.
    #[serde(rename = "queuePosition")]
    queue_position: u64,
    timestamp: String,
}

/// Everything else, with the members that each type has.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = JobMessage)]
pub(in crate::http) struct SseMessage<'a> {
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
    row_number: Option<RowNumber>,
    timestamp: &'a str,
    #[serde(flatten)]
    facts: Facts<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Results>,
}

/// What a message says, in members.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = EventFacts)]
enum Facts<'a> {
    /// Nothing beside the members that every message has.
    None {},
    Step(&'a Step),
    Notice(&'a Notice),
    LimitReached {
        notice: &'static str,
    },
    Record {
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        record: Option<Record<'a>>,
    },
    Superseded {
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        superseded_by: Option<RowNumber>,
    },
    Reference {
        reference: &'a CreatedReference,
    },
    RowFailed {
        outcome: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<RowCode>,
        #[serde(skip_serializing_if = "Option::is_none")]
        column: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<&'a str>,
    },
    JobFailed {
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
    },
}

/// How people know the record of a row.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = EventRecord)]
struct Record<'a> {
    key: &'a str,
    key_title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> Record<'a> {
    fn of(label: &'a RecordLabel) -> Option<Self> {
        match label {
            RecordLabel::Parts { key, key_title, name } => {
                Some(Self { key, key_title, name: name.as_deref() })
            }
            RecordLabel::Text(_) => None,
        }
    }
}

impl<'a> Facts<'a> {
    fn of_row(event: &'a RowEvent) -> Self {
        let outcome = event.kind().outcome().unwrap_or_default();
        match &event.facts {
            RowFacts::Created(label) | RowFacts::Updated(label) | RowFacts::Unchanged(label) => {
                Self::Record { outcome, record: Record::of(label) }
            }
            RowFacts::Superseded { by } => Self::Superseded { outcome, superseded_by: *by },
            RowFacts::Failed(fault) => Self::RowFailed {
                outcome,
                code: fault.code,
                column: fault.column.as_deref(),
                value: fault.value.as_deref(),
            },
            RowFacts::ReferenceCreated(reference) => Self::Reference { reference },
            RowFacts::LimitReached => Self::LimitReached { notice: "row_limit_reached" },
        }
    }
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
            facts: Facts::None {},
            data: None,
        }
    }

    fn log(message: &'a str, level: Level, timestamp: &'a str) -> Self {
        Self { level: Some(level), ..Self::new("log", message, timestamp) }
    }

    fn row(event: &'a RowEvent, message: &'a str, percentage: f64, timestamp: &'a str) -> Self {
        let (kind, level) = match event.kind() {
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
            row_number: Some(event.row_number),
            facts: Facts::of_row(event),
            ..Self::new(kind, message, timestamp)
        }
    }
}

fn event(delivered: &DeliveredEvent, frame: Frame<'_>, out: &mut Vec<u8>) {
    let timestamp = job_view::timestamp(delivered.at());
    let number = Some(delivered.number());
    match delivered.event() {
        None => {}
        Some(Event::Log { level, message: text, percentage, step }) => {
            let message = SseMessage {
                percentage: *percentage,
                facts: step.as_ref().map_or(Facts::None {}, Facts::Step),
                ..SseMessage::log(text, *level, &timestamp)
            };
            frame.write(out, number, &message);
        }
        Some(Event::Progress { message, percentage, current, total, first_row, last_row }) => {
            let progress = ProgressMessage {
                kind: "progress",
                progress: *percentage,
                percentage: *percentage,
                current: *current,
                total: Some(*total),
                message,
                timestamp: &timestamp,
                first_row: *first_row,
                last_row: *last_row,
                job: None,
            };
            frame.write(out, number, &progress);
        }
        Some(Event::Error { message: text, code }) => {
            let facts = Facts::JobFailed { code: code.as_deref() };
            frame.write(
                out,
                number,
                &SseMessage { facts, ..SseMessage::new("error", text, &timestamp) },
            );
        }
        Some(Event::Rows(_)) => {
            for (number, event, percentage) in delivered.notes() {
                let text = event.message();
                frame.write(
                    out,
                    Some(number),
                    &SseMessage::row(event, &text, percentage, &timestamp),
                );
            }
        }
        Some(Event::Complete { status, message: text, percentage, results }) => {
            let message = SseMessage {
                status: Some(status.as_str()),
                percentage: Some(*percentage),
                data: Some(results),
                ..SseMessage::new("complete", text, &timestamp)
            };
            frame.write(out, number, &message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job_view::tests::job;

    fn api_events() -> ApiEvents {
        ApiEvents { prefix: PathPrefix::default() }
    }

    fn text(fill: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        fill(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_message_is_one_line_whatever_it_says() {
        let said = "a\nb\r\nc\u{2028}\n\nid: 7\ndata: x";
        let text = text(|out| write(out, None, &SseMessage::log(said, Level::Info, "now")));
        assert_eq!(text.matches('\n').count(), 2, "{text}");
        assert!(!text.contains('\r') && text.ends_with("}\n\n"), "{text}");
        let data = text.trim_end().strip_prefix("data: ").unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!((&data["type"], &data["message"]), (&"log".into(), &said.into()));
    }

    #[test]
    fn a_notice_has_its_name_and_its_numbers() {
        let delivery = Delivery::Notice(Notice::EventsRemoved { first: 2, last: 7 });
        let text = text(|out| api_events().encode(&delivery, out));
        assert!(text.contains(r#""notice":"events_removed","first":2,"last":7}"#), "{text}");
    }

    #[test]
    fn a_stream_begins_with_where_the_job_stands() {
        let text = text(|out| api_events().begin(&job(), None, out));
        let begin = r#"retry: 3000

data: {"type":"snapshot","progress":20.35,"percentage":20.35,"current":50000,"total":700000,"message":"50000 of 700000 rows processed","timestamp":"2026-11-18T11:06:42.000Z","job":{"jobId":123,"#;
        assert!(text.starts_with(begin), "{text}");
    }

    #[test]
    fn a_row_is_a_log_an_error_or_a_master_and_says_so_in_members() {
        let json = |stored: &str| {
            let event: RowEvent = serde_json::from_str(stored).unwrap();
            serde_json::to_string(&SseMessage::row(&event, &event.message(), 15.75, "now")).unwrap()
        };
        insta::assert_snapshot!(json(r#"[2,"c","ARN-30","SKU","Arnica"]"#), @r#"{"type":"log","message":"Row 2: Created 'Arnica' (SKU: ARN-30)","level":"success","percentage":15.75,"row_number":2,"timestamp":"now","outcome":"created","record":{"key":"ARN-30","key_title":"SKU","name":"Arnica"}}"#);
        insta::assert_snapshot!(json(r#"[2,"e","SKU is required","required","sku"]"#), @r#"{"type":"error","message":"Row 2: SKU is required","row_number":2,"timestamp":"now","outcome":"failed","code":"required","column":"sku"}"#);
        insta::assert_snapshot!(json(r#"[2,"m","category","Dilutions","categories"]"#), @r#"{"type":"master","message":"Created category: Dilutions","row_number":2,"timestamp":"now","reference":{"table":"categories","column":"category","name":"Dilutions"}}"#);
        insta::assert_snapshot!(json(r#"[2,"s","9"]"#), @r#"{"type":"log","message":"Row 2: Superseded by row 9 with the same key","level":"warning","percentage":15.75,"row_number":2,"timestamp":"now","outcome":"superseded","superseded_by":9}"#);
        // Stored before there were parts: what is known is said.
        insta::assert_snapshot!(json(r#"[2,"c","'Arnica' (SKU: ARN-30)"]"#), @r#"{"type":"log","message":"Row 2: Created 'Arnica' (SKU: ARN-30)","level":"success","percentage":15.75,"row_number":2,"timestamp":"now","outcome":"created"}"#);
    }
}
