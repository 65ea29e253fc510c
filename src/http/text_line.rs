//! Answers for shells: a job or a refusal as one line of assignments, which `eval` takes, and the
//! counts of a job as headers. No value can end its word: what is not a plain word is quoted.

use std::fmt::Write as _;

use actix_web::http::header::{HeaderName, HeaderValue};

use crate::domain::job::Job;
use crate::domain::job_view::status_url;
use crate::domain::path_prefix::PathPrefix;

/// Media type of a line.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// A job as one line.
pub(super) fn job_line(job: &Job, prefix: &PathPrefix) -> String {
    let mut line = String::new();
    for (name, value) in numbers(job) {
        add(&mut line, name, value.map(|value| value.to_string()).unwrap_or_default().as_str());
    }
    add(&mut line, "job_status", job.status.as_str());
    add(&mut line, "dry_run", if job.options.dry_run { "true" } else { "false" });
    add(&mut line, "status_url", &status_url(job.id, prefix));
    add(&mut line, "file_name", &job.file_name);
    add(&mut line, "error_code", job.error_code.as_deref().unwrap_or_default());
    add(&mut line, "error", job.error_message.as_deref().unwrap_or_default());
    line.push('\n');
    line
}

/// A refusal as one line: there is no job.
pub(super) fn refusal_line(code: &str, detail: &str) -> String {
    let mut line = String::new();
    add(&mut line, "job_id", "");
    add(&mut line, "job_status", "refused");
    add(&mut line, "error_code", code);
    add(&mut line, "error", detail);
    line.push('\n');
    line
}

/// The headers of an answer about a job.
pub(super) fn job_headers(job: &Job) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let words = [
        ("job_status", job.status.as_str()),
        ("dry_run", if job.options.dry_run { "true" } else { "false" }),
    ];
    let words = words.map(|(name, word)| (name, Some(HeaderValue::from_static(word))));
    let numbers = numbers(job).map(|(name, number)| (name, number.map(HeaderValue::from)));
    numbers.into_iter().chain(words).filter_map(|(name, value)| {
        let name = format!("x-{}", name.replace('_', "-"));
        Some((HeaderName::try_from(name).ok()?, value?))
    })
}

/// The numbers of a job; of rows that are not counted yet nothing.
fn numbers(job: &Job) -> [(&'static str, Option<u64>); 10] {
    let counts = &job.counts;
    let unprocessed = job.total_rows.map(|total| total.saturating_sub(counts.processed()));
    [
        ("job_id", Some(job.id.unsigned_abs())),
        ("rows_total", job.total_rows),
        ("rows_processed", Some(counts.processed())),
        ("rows_created", Some(counts.created)),
        ("rows_updated", Some(counts.updated)),
        ("rows_unchanged", Some(counts.unchanged)),
        ("rows_superseded", Some(counts.superseded)),
        ("rows_removed", Some(counts.removed)),
        ("rows_failed", Some(counts.failed)),
        ("rows_unprocessed", unprocessed),
    ]
}

/// Adds an assignment.
fn add(line: &mut String, name: &str, value: &str) {
    if !line.is_empty() {
        line.push(' ');
    }
    let is_word = !value.is_empty()
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    // A `String` takes everything.
    let _infallible = if is_word {
        write!(line, "{name}={value}")
    } else {
        // Within single quotes a shell reads nothing but their end.
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(line, "{name}='{}'", value.replace('\'', r"'\''"))
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::job_view::tests::job;

    #[test]
    fn a_job_is_one_line_of_assignments() {
        insta::assert_snapshot!(job_line(&job(), &PathPrefix::default()), @"job_id=123 rows_total=700000 rows_processed=50000 rows_created=49990 rows_updated=0 rows_unchanged=0 rows_superseded=0 rows_removed=0 rows_failed=10 rows_unprocessed=650000 job_status=processing dry_run=false status_url=/api/v1/import/status/123 file_name=products.csv error_code='' error=''");
    }

    #[test]
    fn a_shell_reads_every_value_as_it_is() {
        for name in ["a b.csv", "it's.csv", "$(touch x)`y`;&|.csv", "\u{b4}'\\''\".csv", ""] {
            let mut job = job();
            job.file_name = name.to_owned();
            let script =
                format!("{}printf %s \"$file_name\"", job_line(&job, &PathPrefix::default()));
            let said = std::process::Command::new("sh").arg("-c").arg(&script).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&said.stdout), name, "{script}");
        }
        let line = refusal_line("missing_column", "The column `Name`\nis missing");
        assert_eq!(
            line,
            "job_id='' job_status=refused error_code=missing_column error='The column `Name` is missing'\n"
        );
    }

    #[test]
    fn the_headers_have_the_names_of_the_line() {
        let headers: Vec<String> = job_headers(&job())
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        assert!(headers.contains(&"x-rows-failed: 10".to_owned()), "{headers:?}");
        assert!(headers.contains(&"x-job-status: processing".to_owned()), "{headers:?}");
        let mut uncounted = job();
        uncounted.total_rows = None;
        assert!(job_headers(&uncounted).all(|(name, _)| name != "x-rows-total"));
    }
}
