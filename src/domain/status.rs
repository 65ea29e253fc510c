//! The status of a job and the one table of its legal edges.
//!
//! The store changes a status only by compare-and-set along an edge of [`EDGES`]; the HTTP layer
//! derives the legal actions from it.

use serde::{Deserialize, Serialize};

/// Where a job stands. `import_log` stores it in capitals, the API speaks lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Accepted and stored; waits for a free place. Set by the upload.
    Pending,
    /// Taken up: a server holds its lease, or the next one takes it up from its checkpoint.
    Processing,
    /// Paused on request or for lack of space; keeps its checkpoint.
    Paused,
    /// Every row has an outcome. Row errors do not change that. Terminal.
    Completed,
    /// Could not continue; `error_code` says why. What was committed stays. Terminal.
    Failed,
    /// Ended on request; what was committed stays. Terminal.
    Cancelled,
}

/// A legal change of status and when it is taken.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// The status before.
    pub from: JobStatus,
    /// The status after.
    pub to: JobStatus,
    /// When this edge is taken.
    pub condition: &'static str,
}

use JobStatus::{Cancelled, Completed, Failed, Paused, Pending, Processing};

/// Every legal change of status.
pub const EDGES: &[Edge] = &[
    Edge { from: Pending, to: Processing, condition: "a server claims the job" },
    Edge {
        from: Pending,
        to: Cancelled,
        condition: "cancel is requested before a server claims the job",
    },
    Edge { from: Processing, to: Completed, condition: "every row has an outcome" },
    Edge {
        from: Processing,
        to: Failed,
        condition: "the file or the database does not let the job continue",
    },
    Edge {
        from: Processing,
        to: Cancelled,
        condition: "cancel is requested; the chunk in flight may still commit",
    },
    Edge {
        from: Processing,
        to: Paused,
        condition: "pause is requested, or the disk is full; the chunk in flight may still commit",
    },
    Edge {
        from: Paused,
        to: Processing,
        condition: "resume is requested, or there may be space again; a server continues from the checkpoint",
    },
    Edge { from: Paused, to: Cancelled, condition: "cancel is requested while the job is paused" },
];

impl JobStatus {
    /// Every status, in the order of a job's life.
    pub const ALL: [Self; 6] = [Pending, Processing, Paused, Completed, Failed, Cancelled];

    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Pending => "pending",
            Processing => "processing",
            Paused => "paused",
            Completed => "completed",
            Failed => "failed",
            Cancelled => "cancelled",
        }
    }

    /// The word of the `import_log` table.
    #[must_use]
    pub fn as_stored(self) -> &'static str {
        match self {
            Pending => "PENDING",
            Processing => "PROCESSING",
            Paused => "PAUSED",
            Completed => "COMPLETED",
            Failed => "FAILED",
            Cancelled => "CANCELLED",
        }
    }

    /// Reads either spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str().eq_ignore_ascii_case(text))
    }

    /// True when no edge leaves this status.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        !EDGES.iter().any(|edge| edge.from == self)
    }

    /// True when [`EDGES`] has an edge from here to `to`.
    #[must_use]
    pub fn may_become(self, to: Self) -> bool {
        EDGES.iter().any(|edge| edge.from == self && edge.to == to)
    }
}

impl std::fmt::Display for JobStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_three_ends_are_terminal() {
        let ends: Vec<_> = JobStatus::ALL.into_iter().filter(|s| s.is_terminal()).collect();
        assert_eq!(ends, [Completed, Failed, Cancelled]);
    }

    #[test]
    fn both_spellings_are_read_back() {
        for status in JobStatus::ALL {
            assert_eq!(JobStatus::parse(status.as_str()), Some(status));
            assert_eq!(JobStatus::parse(status.as_stored()), Some(status));
        }
        assert_eq!(JobStatus::parse("done"), None);
    }
}
