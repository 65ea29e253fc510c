//! The messages of this client: progress and log, and nothing else. Pure.

use serde::Serialize;

use crate::domain::event::{DONE, Event, Level, RowEvent, RowFacts};
use crate::domain::status::JobStatus;

/// One message, with the members that its clients know.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(in crate::http) enum SessionMessage {
    /// How far the import is, from 0 to 100.
    Progress { progress: f64, message: String },
    /// A line of the log.
    Log { message: String, level: Level },
}

impl SessionMessage {
    pub(super) fn log(level: Level, message: impl Into<String>) -> Self {
        Self::Log { message: message.into(), level }
    }
}

/// What happened to the job, as its messages in their order.
pub(super) fn of_event(event: &Event) -> Vec<SessionMessage> {
    let progress = |progress: f64, message: &str| SessionMessage::Progress {
        progress,
        message: message.to_owned(),
    };
    match event {
        Event::Log { level, message, percentage, .. } => {
            let log = SessionMessage::log(*level, message);
            // What asks for attention is no step forward.
            let is_step = matches!(level, Level::Info | Level::Success);
            let reached = percentage.filter(|_| is_step);
            let reached = reached.map(|percentage| progress(percentage, message));
            [Some(log), reached].into_iter().flatten().collect()
        }
        Event::Progress { message, percentage, .. } => vec![progress(*percentage, message)],
        Event::Error { message, .. } => vec![SessionMessage::log(Level::Error, message)],
        Event::Rows(_) => Vec::new(),
        Event::Complete { status, message, percentage, .. } => {
            let (level, percentage) = match status {
                JobStatus::Completed => (Level::Success, DONE),
                JobStatus::Cancelled => (Level::Warning, *percentage),
                _ => (Level::Error, *percentage),
            };
            vec![progress(percentage, message), SessionMessage::log(level, message)]
        }
    }
}

/// What became of a row, where that needs somebody.
pub(super) fn of_row(event: &RowEvent) -> Option<SessionMessage> {
    let level = match &event.facts {
        RowFacts::Failed(_) => Level::Error,
        RowFacts::LimitReached => Level::Warning,
        RowFacts::Created(_)
        | RowFacts::Updated(_)
        | RowFacts::Unchanged(_)
        | RowFacts::Superseded { .. }
        | RowFacts::ReferenceCreated(_) => return None,
    };
    Some(SessionMessage::log(level, event.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Step;

    fn texts(event: &Event) -> Vec<String> {
        of_event(event).iter().map(|it| serde_json::to_string(it).unwrap()).collect()
    }

    #[test]
    fn a_step_is_a_line_of_the_log_and_progress() {
        let step = Event::log(Level::Success, 15.0, Step::Counted { total: 150 }, "Found 150 rows");
        assert_eq!(
            texts(&step),
            [
                r#"{"type":"log","message":"Found 150 rows","level":"success"}"#,
                r#"{"type":"progress","progress":15.0,"message":"Found 150 rows"}"#,
            ]
        );
    }

    #[test]
    fn a_warning_is_no_progress() {
        let (message, percentage) = ("Trying again".to_owned(), Some(5.0));
        let warning = Event::Log { level: Level::Warning, message, percentage, step: None };
        assert_eq!(
            texts(&warning),
            [r#"{"type":"log","message":"Trying again","level":"warning"}"#]
        );
    }

    #[test]
    fn a_failed_job_ends_with_an_error() {
        let failed = Event::Error { message: "The list ends early".to_owned(), code: None };
        assert_eq!(
            texts(&failed),
            [r#"{"type":"log","message":"The list ends early","level":"error"}"#]
        );
    }
}
