//! A line of the log as one JSON object. What spans say, such as the number of the job, stands among the
//! fields of the line, so that a program finds it in one place.

use std::fmt;

use serde_json::{Map, Value, json};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Writes such lines.
#[derive(Debug)]
pub(super) struct JsonLine;

impl<S> FormatEvent<S, JsonFields> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (mut timestamp, mut own) = (String::new(), String::new());
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        context.format_fields(Writer::new(&mut own), event)?;
        let mut fields = members(&own);
        // The innermost span first: what is nearer to the line is said of it.
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let Some(said) = extensions.get::<FormattedFields<JsonFields>>() else { continue };
            for (name, value) in members(&said.fields) {
                fields.entry(name).or_insert(value);
            }
        }
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        let line = json!({
            "timestamp": timestamp,
            "level": level,
            "fields": fields,
            "target": target,
        });
        writeln!(writer, "{line}")
    }
}

/// The members of an object; none of a span that says nothing.
fn members(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_the_spans_of_a_line_say_stands_among_its_fields() {
        let written = Written::default();
        let out = written.clone();
        let lines = tracing_subscriber::fmt()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine)
            .with_writer(move || out.clone())
            .finish();
        tracing::subscriber::with_default(lines, || {
            let job = tracing::error_span!("job", job_id = 7, trace_id = tracing::field::Empty);
            job.record("trace_id", "4bf9");
            let _in_job = job.entered();
            let _in_chunk = tracing::error_span!("chunk", chunk = 2, job_id = 8).entered();
            tracing::warn!(event = "one", job_id = 9, "first");
            tracing::warn!(event = "two", "second");
        });
        let bytes = written.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lines: Vec<Value> = String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let first = json!({
            "message": "first", "event": "one", "job_id": 9, "chunk": 2, "trace_id": "4bf9"
        });
        assert_eq!(lines[0]["fields"], first);
        let second = json!({
            "message": "second", "event": "two", "job_id": 8, "chunk": 2, "trace_id": "4bf9"
        });
        assert_eq!(lines[1]["fields"], second);
        assert_eq!(lines[0]["level"], "WARN");
        assert!(lines[0]["timestamp"].is_string() && lines[0]["target"].is_string());
    }
}
