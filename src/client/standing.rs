//! How far a job or a bulk is, read from its status.

use serde_json::Value;

/// What an import came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every row of every file is in.
    Completed,
    /// Every file was read to its end, and this many rows failed.
    RowsFailed(u64),
    /// The job, or some files of the bulk, failed or were refused.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// A job or a bulk at one moment.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The very object of the API.
    pub data: Value,
}

impl Standing {
    /// The status: of a job, or of a bulk.
    #[must_use]
    pub fn status(&self) -> &str {
        self.text("status").unwrap_or_default()
    }

    /// True when nothing will change any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self.status(), "completed" | "partial_success" | "failed" | "cancelled")
    }

    /// What it came to; `None` until it has ended.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        Some(match self.status() {
            "completed" if self.failed() > 0 => Outcome::RowsFailed(self.failed()),
            "completed" => Outcome::Completed,
            "failed" | "partial_success" => Outcome::Failed,
            "cancelled" => Outcome::Cancelled,
            _ => return None,
        })
    }

    /// True of a bulk.
    #[must_use]
    pub fn is_bulk(&self) -> bool {
        self.data.get("files").is_some()
    }

    /// The files of a bulk.
    pub fn files(&self) -> impl Iterator<Item = &Value> {
        self.data.get("jobs").and_then(Value::as_array).into_iter().flatten()
    }

    /// Rows with an outcome.
    #[must_use]
    pub fn current(&self) -> u64 {
        self.number(&["progress", "current"]).unwrap_or_default()
    }

    /// Rows of the file; `None` until they are counted.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.number(&["progress", "total"])
    }

    /// Percent, rounded down.
    #[must_use]
    pub fn percentage(&self) -> u64 {
        self.number(&["progress", "percentage"]).unwrap_or_default()
    }

    /// Rows that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.number(&["counts", "failed"]).unwrap_or_default()
    }

    /// Rows per second, as far as it is known.
    #[must_use]
    pub fn rows_per_second(&self) -> Option<f64> {
        self.data.get("rowsPerSecond")?.as_f64()
    }

    /// Bytes that are downloaded, and how many there will be, while the file is not here.
    #[must_use]
    pub fn download(&self) -> Option<(u64, Option<u64>)> {
        let download = self.data.get("download").filter(|it| it.is_object())?;
        let is_complete = download.get("isComplete").and_then(Value::as_bool).unwrap_or(true);
        let received = download.get("receivedBytes").and_then(Value::as_u64)?;
        (!is_complete).then(|| (received, download.get("totalBytes").and_then(Value::as_u64)))
    }

    /// A member that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.data.get(name)?.as_str()
    }

    /// The count of rows with an outcome, by its name.
    #[must_use]
    pub fn count(&self, outcome: &str) -> u64 {
        self.number(&["counts", outcome]).unwrap_or_default()
    }

    /// A member that is a number, found along a path.
    #[must_use]
    pub fn number(&self, path: &[&str]) -> Option<u64> {
        path.iter().try_fold(&self.data, |value, name| value.get(name))?.as_u64()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_outcome_is_that_of_status_and_counts() {
        let outcome = |status: &str, failed: u64| {
            Standing { data: json!({"status": status, "counts": {"failed": failed}}) }.outcome()
        };
        assert_eq!(outcome("processing", 3), None);
        assert_eq!(outcome("completed", 0), Some(Outcome::Completed));
        assert_eq!(outcome("completed", 3), Some(Outcome::RowsFailed(3)));
        assert_eq!(outcome("partial_success", 0), Some(Outcome::Failed));
        assert_eq!(outcome("failed", 3), Some(Outcome::Failed));
        assert_eq!(outcome("cancelled", 0), Some(Outcome::Cancelled));
    }
}
