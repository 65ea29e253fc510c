//! The events of the end of a job: its row errors, its counts, its figures.

use super::{noun, warned};
use crate::domain::event::{ErrorGroup, ErrorSummary, Event, Level, Results, Step, percentage};
use crate::domain::job::Job;
use crate::domain::status::JobStatus;

/// Groups of row errors that the summary names; the others are counted.
const GROUPS_NAMED_MAX: usize = 5;

/// The job is over. `groups` are all its row errors, `first_errors` the first of them as sentences.
#[must_use]
pub fn ended(job: &Job, groups: &[ErrorGroup], first_errors: Vec<String>) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(message) = &job.error_message {
        events.push(Event::Error { message: message.clone(), code: job.error_code.clone() });
    }
    let at = percentage(job);
    events.extend(warned(&job.warnings, at, |it| !it.is_of_file()));
    if !groups.is_empty() {
        let (step, message) = summary(job.counts.failed, failed_word(job), groups);
        events.push(Event::log(Level::Warning, percentage(job), step, message));
    }
    events.push(Event::Complete {
        status: job.status,
        message: ending(job),
        percentage: percentage(job),
        results: Box::new(results(job, first_errors)),
    });
    events
}

fn summary(failed: u64, verb: &str, groups: &[ErrorGroup]) -> (Step, String) {
    let named: Vec<ErrorSummary> = groups
        .iter()
        .take(GROUPS_NAMED_MAX)
        .map(|group| ErrorSummary {
            code: group.code,
            column: group.column.clone(),
            count: group.count,
            first_row: group.first_row,
        })
        .collect();
    let others = groups.iter().skip(GROUPS_NAMED_MAX).map(|group| group.count).sum();
    let rows = if failed == 1 { "1 row".to_owned() } else { format!("{failed} rows") };
    let mut errors: Vec<String> = named.iter().map(named_group).collect();
    if others > 0 {
        errors.push(format!("{others} others"));
    }
    let message = format!("{rows} {verb}: {}", errors.join(", "));
    (Step::RowErrors { rows: failed, groups: named, others }, message)
}

fn named_group(group: &ErrorSummary) -> String {
    let column = group.column.as_deref().map_or(String::new(), |it| format!(" in {it}"));
    let (count, code, row) = (group.count, group.code.as_str(), group.first_row);
    format!("{count} × {code}{column} (first in row {row})")
}

/// What a row that failed is called: a rollback leaves it as it is.
fn failed_word(job: &Job) -> &'static str {
    if job.rollback_of.is_some() { "kept" } else { "failed" }
}

fn ending(job: &Job) -> String {
    let counts = &job.counts;
    let mut parts = Vec::new();
    let is_rollback = job.rollback_of.is_some();
    let (created, updated) =
        if is_rollback { ("put back", "restored") } else { ("created", "updated") };
    for (count, word) in [
        (counts.created, created),
        (counts.removed, "removed"),
        (counts.updated, updated),
        (counts.unchanged, "unchanged"),
        (counts.superseded, "superseded"),
        (counts.failed, failed_word(job)),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() {
        parts.push("no rows".to_owned());
    }
    let end = match job.status {
        JobStatus::Completed => "completed",
        JobStatus::Cancelled => "cancelled",
        _ => "failed",
    };
    format!("{} {end}: {}", noun(job), parts.join(", "))
}

fn results(job: &Job, errors: Vec<String>) -> Results {
    let counts = job.counts;
    let millis = job.run_time.millis;
    let tenths = (counts.succeeded() * 1_000).checked_div(counts.processed()).unwrap_or(1_000);
    Results {
        total_rows: job.total_rows.unwrap_or(counts.processed()),
        inserted: counts.created,
        updated: counts.updated + counts.unchanged + counts.superseded,
        skipped: counts.failed,
        errors,
        success_rate: f64::from(u32::try_from(tenths).unwrap_or(1_000)) / 10.0,
        process_time: format!("{}.{}s", millis / 1_000, millis % 1_000 / 100),
        counts,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::row_number::RowNumber;

    #[test]
    fn the_summary_names_the_largest_groups_and_counts_the_others() {
        let group = |count| ErrorGroup {
            code: crate::domain::row_error::RowCode::Required,
            column: Some("sku".to_owned()),
            count,
            first_row: RowNumber::new(5),
            message: String::new(),
            value: None,
        };
        assert_eq!(
            summary(12, "failed", &[group(9), group(3)]).1,
            "12 rows failed: 9 × required in sku (first in row 5), 3 × required in sku (first in row 5)"
        );
        let many: Vec<_> = (0..7).map(|_| group(2)).collect();
        let (step, message) = summary(14, "kept", &many);
        assert!(message.ends_with(", 4 others"), "{message}");
        assert!(matches!(step, Step::RowErrors { rows: 14, others: 4, .. }));
    }
}
