//! What became of an import, in sentences for people.

use serde_json::Value;

use super::output::{plain, shown};
use crate::client::{Outcome, Standing};

/// Outcomes of rows, in the order in which they are told.
const OUTCOMES: [&str; 6] = ["created", "updated", "unchanged", "superseded", "removed", "failed"];

/// `3 created, 1 failed`.
fn counts(standing: &Standing) -> String {
    let told: Vec<String> = OUTCOMES
        .iter()
        .map(|outcome| (standing.count(outcome), outcome))
        .filter(|(count, _)| *count > 0)
        .map(|(count, outcome)| format!("{count} {outcome}"))
        .collect();
    if told.is_empty() { "no rows".to_owned() } else { told.join(", ") }
}

/// One line about how far a job or a bulk is.
pub(super) fn progress_line(standing: &Standing) -> String {
    let mut line = format!("{}: {}", name(standing), standing.status());
    if let Some((received, total)) = standing.download() {
        let total = total.map_or_else(String::new, |total| format!(" of {total}"));
        return format!("{line}, {received}{total} bytes downloaded");
    }
    match standing.total() {
        Some(total) => {
            line = format!(
                "{line}, {} of {total} rows ({} %)",
                standing.current(),
                standing.percentage()
            );
        }
        None if standing.current() > 0 => line = format!("{line}, {} rows", standing.current()),
        None => {}
    }
    if let Some(pace) = standing.rows_per_second().filter(|_| !standing.is_final()) {
        line = format!("{line}, {pace:.0} rows/s");
    }
    line
}

/// `job 12 (products.csv)`, or `bulk 0b7c…`.
fn name(standing: &Standing) -> String {
    match standing.text("bulkId").filter(|_| standing.is_bulk()) {
        Some(id) => format!("bulk {id}"),
        None => format!(
            "job {} ({})",
            shown(standing.data.get("jobId")),
            plain(standing.text("fileName").unwrap_or_default())
        ),
    }
}

/// Lines about what an import came to.
pub(super) fn result_lines(standing: &Standing) -> Vec<String> {
    let name = name(standing);
    let dry = standing.data.get("dryRun").and_then(Value::as_bool) == Some(true);
    let dry = if dry { " (dry run: nothing was kept)" } else { "" };
    let first = match standing.outcome() {
        Some(Outcome::Completed | Outcome::RowsFailed(_)) => {
            format!("{name}: completed, {}{dry}", counts(standing))
        }
        Some(Outcome::Failed) => {
            let why =
                standing.text("error").map_or_else(String::new, |why| format!(": {}", plain(why)));
            format!("{name}: {}{why} ({}{dry})", standing.status(), counts(standing))
        }
        Some(Outcome::Cancelled) => format!("{name}: cancelled ({}{dry})", counts(standing)),
        None => progress_line(standing),
    };
    let mut lines = vec![first];
    if standing.is_bulk() {
        lines.extend(standing.files().map(file_line));
    }
    for warning in standing.data.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!("warning: {}", shown(warning.get("message"))));
    }
    lines.extend(new_reference_lines(&standing.data));
    lines
}

/// What the rows of a preview or a dry run would create in other tables, a line for each name.
pub(super) fn new_reference_lines(of: &Value) -> Vec<String> {
    let list = |of: &Value, name: &str| -> Vec<Value> {
        of.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut lines = Vec::new();
    for column in list(of, "newReferences") {
        let (name, table) = (shown(column.get("column")), shown(column.get("table")));
        for new in list(&column, "names") {
            let like = new.get("nearest").map_or_else(String::new, |near| {
                format!("; did you mean `{}`?", shown(near.get("name")))
            });
            let rows = shown(new.get("rows"));
            let text = shown(new.get("name"));
            lines.push(format!("new in {table}: `{text}` ({name}, rows: {rows}){like}"));
        }
        if column.get("more").and_then(Value::as_bool) == Some(true) {
            lines.push(format!("new in {table}: more names than are listed"));
        }
    }
    lines
}

/// A file of a bulk.
fn file_line(file: &Value) -> String {
    let number = |name: &str| file.get(name).and_then(Value::as_u64).unwrap_or_default();
    let job = match file.get("jobId").and_then(Value::as_i64) {
        Some(job) => format!("job {job}"),
        None => "no job".to_owned(),
    };
    let error = match shown(file.get("error")) {
        error if error.is_empty() => String::new(),
        error => format!(": {error}"),
    };
    format!(
        "  {job} ({}): {}, {} rows, {} failed{error}",
        shown(file.get("fileName")),
        shown(file.get("status")),
        number("processedRows"),
        number("errorCount"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slip_is_shown_beside_the_name_that_is_there() {
        let dry_run = json!({"newReferences": [{"column": "brand", "table": "brands", "more": true, "names": [
            {"name": "Acmee", "rows": 2, "firstRow": 4, "nearest": {"name": "ACME", "confidence": 0.8}},
            {"name": "Other", "rows": 1, "firstRow": 5},
        ]}]});
        assert_eq!(
            new_reference_lines(&dry_run),
            [
                "new in brands: `Acmee` (brand, rows: 2); did you mean `ACME`?",
                "new in brands: `Other` (brand, rows: 1)",
                "new in brands: more names than are listed",
            ]
        );
        assert!(new_reference_lines(&json!({})).is_empty());
    }

    #[test]
    fn the_lines_say_what_became_of_an_import() {
        let job = |status: &str| Standing {
            data: json!({
                "jobId": 7, "fileName": "a\u{1b}.csv", "status": status, "error": null,
                "progress": {"current": 5, "total": 5, "percentage": 100},
                "counts": {"created": 3, "updated": 0, "unchanged": 0, "superseded": 1, "failed": 1},
                "dryRun": true, "warnings": [{"message": "Look"}],
            }),
        };
        assert_eq!(
            result_lines(&job("completed")),
            [
                "job 7 (a .csv): completed, 3 created, 1 superseded, 1 failed (dry run: nothing was kept)",
                "warning: Look"
            ]
        );
        assert_eq!(
            progress_line(&job("processing")),
            "job 7 (a .csv): processing, 5 of 5 rows (100 %)"
        );
    }
}
