//! The messages of this client: what happened to a job as the lines of its log, each with the sign
//! that its page shows. Pure.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use crate::domain::event::{
    Event, FOUND, Level, PARSED, RECEIVED, Results, RowEvent, RowFacts, Step,
};
use crate::domain::row_number::RowNumber;
use crate::domain::status::JobStatus;

/// One message, in the order of its members in JSON.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductMessage)]
pub(in crate::http) struct Message {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "message")]
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_number: Option<RowNumber>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Statistics>,
}

/// The figures of the last message.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductStatistics)]
struct Statistics {
    total_rows: u64,
    inserted: u64,
    updated: u64,
    skipped: u64,
    errors: Vec<String>,
    success_rate: f64,
    process_time: String,
}

/// The first three lines of the log, which come once each and in this order.
const STAGES: [f64; 3] = [RECEIVED, PARSED, FOUND];

/// Writes the messages of one job.
#[derive(Debug, Default)]
pub(super) struct MessageWriter {
    /// How many of [`STAGES`] were written.
    written: usize,
}

impl MessageWriter {
    /// The messages of an event; those of rows are made by [`row`].
    pub(super) fn write(&mut self, event: &Event, at: DateTime<Utc>) -> Vec<Message> {
        match event {
            Event::Log { level: Level::Warning, message, percentage, .. } => {
                vec![Message { percentage: *percentage, ..warning(message, at) }]
            }
            Event::Log { level: Level::Error, message, percentage, .. } => {
                vec![Message::log(format!("❌ {message}"), *percentage, at)]
            }
            Event::Log { percentage, step, .. } => {
                self.stages(percentage.unwrap_or(0.0), step.as_ref(), at)
            }
            Event::Error { message, .. } => vec![Message::of("error", format!("❌ {message}"), at)],
            Event::Complete { status, message, percentage, results } => {
                vec![complete(*status, message, *percentage, results, at)]
            }
            // Every row has its message, which says more.
            Event::Progress { .. } | Event::Rows(_) => Vec::new(),
        }
    }

    /// The lines of the stages that the job has reached since the last time. What else the log says
    /// on the way (format, start, end of the rows) has no line here.
    fn stages(&mut self, percentage: f64, step: Option<&Step>, at: DateTime<Utc>) -> Vec<Message> {
        let mut lines = Vec::new();
        while let Some(stage) = STAGES.get(self.written).filter(|stage| percentage >= **stage) {
            let text = match self.written {
                0 => "📁 File uploaded successfully".to_owned(),
                1 => "🔍 Parsing file...".to_owned(),
                _ => match step {
                    Some(Step::Counted { total }) => format!("✅ Found {total} products to import"),
                    // Of an event that was stored without its members.
                    _ => "✅ Found the products to import".to_owned(),
                },
            };
            lines.push(Message::log(text, Some(*stage), at));
            self.written += 1;
        }
        lines
    }
}

impl Message {
    fn of(kind: &'static str, text: String, at: DateTime<Utc>) -> Self {
        let timestamp = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        Self { kind, text, percentage: None, row_number: None, timestamp, data: None }
    }

    fn log(text: String, percentage: Option<f64>, at: DateTime<Utc>) -> Self {
        Self { percentage, ..Self::of("log", text, at) }
    }
}

/// A line that asks for attention.
pub(super) fn warning(text: &str, at: DateTime<Utc>) -> Message {
    Message::log(format!("⚠️  {text}"), None, at)
}

/// The message of a row.
pub(super) fn row(event: &RowEvent, percentage: f64, at: DateTime<Utc>) -> Message {
    let row_number = event.row_number;
    let (kind, message) = match &event.facts {
        RowFacts::Created(record) => ("log", format!("✅ Row {row_number}: Created {record}")),
        // Its rows are created, updated or failed; nothing else.
        RowFacts::Updated(record) | RowFacts::Unchanged(record) => {
            ("log", format!("🔄 Row {row_number}: Updated {record}"))
        }
        RowFacts::Superseded { by } => {
            let later = by.map_or("a later row".to_owned(), |by| format!("row {by}"));
            ("log", format!("🔄 Row {row_number}: Updated by {later} with the same SKU"))
        }
        RowFacts::Failed(_) => ("error", format!("❌ {}", event.message())),
        RowFacts::ReferenceCreated(reference) => {
            ("master", format!("  {} {}", sign(&reference.column), event.message()))
        }
        RowFacts::LimitReached => ("log", format!("⚠️  {}", event.message())),
    };
    let percentage = (kind == "log").then_some(percentage);
    Message { percentage, row_number: Some(row_number), ..Message::of(kind, message, at) }
}

/// The sign of a record that a row brought with it, by the column that names it.
fn sign(column: &str) -> &'static str {
    match column {
        // The sign is as wide as two letters and drawn as wide as one.
        "category" => "🏷️ ",
        "brand" => "🏢",
        "potency" => "💊",
        "form" => "📦",
        _ => "🆕",
    }
}

fn complete(
    status: JobStatus,
    message: &str,
    percentage: f64,
    results: &Results,
    at: DateTime<Utc>,
) -> Message {
    let message = match status {
        JobStatus::Completed => "🎉 Import completed successfully!".to_owned(),
        JobStatus::Cancelled => format!("⚠️  {message}"),
        _ => format!("❌ {message}"),
    };
    let results = results.clone();
    let data = Statistics {
        total_rows: results.total_rows,
        inserted: results.inserted,
        updated: results.updated,
        skipped: results.skipped,
        errors: results.errors,
        success_rate: results.success_rate,
        process_time: results.process_time,
    };
    let percentage = Some(percentage);
    Message { percentage, data: Some(data), ..Message::of("complete", message, at) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::counts::Counts;
    use crate::domain::event::RowEventBatch;

    fn at() -> DateTime<Utc> {
        "2025-10-25T12:30:00.987Z".parse().unwrap()
    }

    fn written(writer: &mut MessageWriter, event: &Event) -> Vec<String> {
        writer.write(event, at()).iter().map(|it| serde_json::to_string(it).unwrap()).collect()
    }

    #[test]
    fn the_three_stages_come_once_in_their_order() {
        let mut writer = MessageWriter::default();
        let mut log = |level, percentage, step: Option<Step>| {
            let (message, percentage) = ("Text".to_owned(), Some(percentage));
            written(&mut writer, &Event::Log { level, message, percentage, step })
        };
        assert_eq!(
            log(Level::Info, RECEIVED, Some(Step::Started)),
            [
                r#"{"type":"log","message":"📁 File uploaded successfully","percentage":5.0,"timestamp":"2025-10-25T12:30:00Z"}"#
            ]
        );
        assert!(log(Level::Info, RECEIVED, None).is_empty());
        assert_eq!(
            log(Level::Warning, RECEIVED, Some(Step::DryRun)),
            [
                r#"{"type":"log","message":"⚠️  Text","percentage":5.0,"timestamp":"2025-10-25T12:30:00Z"}"#
            ]
        );
        assert_eq!(
            log(Level::Success, FOUND, Some(Step::Counted { total: 100 })),
            [
                r#"{"type":"log","message":"🔍 Parsing file...","percentage":10.0,"timestamp":"2025-10-25T12:30:00Z"}"#,
                r#"{"type":"log","message":"✅ Found 100 products to import","percentage":15.0,"timestamp":"2025-10-25T12:30:00Z"}"#,
            ]
        );
        assert!(log(Level::Info, 90.0, Some(Step::RowsDone)).is_empty());
    }

    #[test]
    fn every_row_has_the_sign_of_its_outcome() {
        let notes = [
            r#"[2,"m","category","Dilutions","categories"]"#,
            r#"[2,"m","brand","SBL","brands"]"#,
            r#"[2,"m","potency","30C","potencies"]"#,
            r#"[2,"m","form","Liquid","forms"]"#,
            r#"[2,"c","ARM-30C-10ML","SKU","Arnica Montana 30C"]"#,
            r#"[3,"u","BEL","SKU","Belladonna 200C"]"#,
            r#"[4,"=","NUX","SKU","Nux"]"#,
            r#"[5,"s","9"]"#,
            r#"[6,"e","SKU is required","required","sku",null]"#,
        ];
        let notes = notes.map(|stored| serde_json::from_str(stored).unwrap()).to_vec();
        let rows = RowEventBatch { processed: 0, total: 100, every_row: true, notes };
        let lines = rows.numbered(1).map(|(_, note, percentage)| {
            serde_json::to_string(&row(note, percentage, at())).unwrap()
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(lines, @r#"
        {"type":"master","message":"  🏷️  Created category: Dilutions","row_number":2,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"master","message":"  🏢 Created brand: SBL","row_number":2,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"master","message":"  💊 Created potency: 30C","row_number":2,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"master","message":"  📦 Created form: Liquid","row_number":2,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"log","message":"✅ Row 2: Created 'Arnica Montana 30C' (SKU: ARM-30C-10ML)","percentage":15.75,"row_number":2,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"log","message":"🔄 Row 3: Updated 'Belladonna 200C' (SKU: BEL)","percentage":16.5,"row_number":3,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"log","message":"🔄 Row 4: Updated 'Nux' (SKU: NUX)","percentage":17.25,"row_number":4,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"log","message":"🔄 Row 5: Updated by row 9 with the same SKU","percentage":18.0,"row_number":5,"timestamp":"2025-10-25T12:30:00Z"}
        {"type":"error","message":"❌ Row 6: SKU is required","row_number":6,"timestamp":"2025-10-25T12:30:00Z"}
        "#);
    }

    #[test]
    fn the_last_message_has_the_documented_figures_and_no_others() {
        let complete = |status, percentage| Event::Complete {
            status,
            message: "Import failed: 95 created".to_owned(),
            percentage,
            results: Box::new(Results {
                total_rows: 100,
                inserted: 85,
                updated: 10,
                skipped: 5,
                errors: vec!["Row 4: SKU is required".to_owned()],
                success_rate: 95.0,
                process_time: "43.2s".to_owned(),
                counts: Counts::default(),
            }),
        };
        let done =
            written(&mut MessageWriter::default(), &complete(JobStatus::Completed, 100.0)).concat();
        insta::assert_snapshot!(done, @r#"{"type":"complete","message":"🎉 Import completed successfully!","percentage":100.0,"timestamp":"2025-10-25T12:30:00Z","data":{"total_rows":100,"inserted":85,"updated":10,"skipped":5,"errors":["Row 4: SKU is required"],"success_rate":95.0,"process_time":"43.2s"}}"#);
        let failed =
            written(&mut MessageWriter::default(), &complete(JobStatus::Failed, 42.0)).concat();
        assert!(failed.contains(r#""message":"❌ Import failed: 95 created"#), "{failed}");
        assert!(failed.contains(r#""percentage":42.0"#), "{failed}");
    }
}
