//! The actions on a job and when each is legal: the one table from which the API derives the legal
//! actions of a job and `docs/job-lifecycle.md` its table.

use super::job::Job;
use super::status::JobStatus::{self, Cancelled, Completed, Failed, Paused, Pending, Processing};

/// An action on a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Pause it; it keeps its checkpoint.
    Pause,
    /// Continue from the checkpoint.
    Resume,
    /// End it; what is committed stays.
    Cancel,
    /// Run it next.
    Force,
    /// Import its rows, or some of them, again, as a job of its own.
    Retry,
    /// Roll back what it did, as a job of its own.
    Rollback,
    /// Import the file of a dry run, as a job of its own.
    Confirm,
    /// Forget it with its files.
    Delete,
}

/// When an action is legal, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The action.
    pub action: Action,
    /// The statuses that allow it.
    pub from: &'static [JobStatus],
    /// What it does.
    pub effect: &'static str,
    /// What must hold besides the status.
    pub requires: Option<&'static str>,
}

/// Every action, in the order in which a job shows those that it allows.
pub const RULES: &[Rule] = &[
    Rule {
        action: Action::Pause,
        from: &[Processing],
        effect: "pauses the job; it keeps its checkpoint",
        requires: None,
    },
    Rule {
        action: Action::Resume,
        from: &[Paused],
        effect: "continues the job from its checkpoint as soon as a slot is free",
        requires: None,
    },
    Rule {
        action: Action::Cancel,
        from: &[Pending, Processing, Paused],
        effect: "ends the job; what is committed stays",
        requires: None,
    },
    Rule {
        action: Action::Force,
        from: &[Pending],
        effect: "runs the job next",
        requires: Some("a `processing` job must be stuck; it is then taken from its server"),
    },
    Rule {
        action: Action::Retry,
        from: &[Completed, Failed, Cancelled],
        effect: "imports all, the failed or the unprocessed rows again, as a job of its own",
        requires: Some("the job is an import, its file is still kept and has rows"),
    },
    Rule {
        action: Action::Rollback,
        from: &[Completed, Failed, Cancelled],
        effect: "rolls back what the job did, as a job of its own",
        requires: Some("the upload asked for `undo=true` and the journal is still kept"),
    },
    Rule {
        action: Action::Confirm,
        from: &[Completed],
        effect: "imports the file of a dry run, as a job of its own",
        requires: Some("the job is a dry run, its file is still kept and has rows"),
    },
    Rule {
        action: Action::Delete,
        from: &[Completed, Failed, Cancelled],
        effect: "removes the job, its events, row errors and files; the imported rows stay",
        requires: None,
    },
];

impl Action {
    /// The word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Force => "force",
            Self::Retry => "retry",
            Self::Rollback => "rollback",
            Self::Confirm => "confirm",
            Self::Delete => "delete",
        }
    }

    /// True when the status alone allows it.
    #[must_use]
    pub fn is_legal_when(self, status: JobStatus) -> bool {
        RULES.iter().any(|rule| rule.action == self && rule.from.contains(&status))
    }

    /// True when the job allows it now.
    #[must_use]
    pub fn is_legal(self, job: &Job) -> bool {
        self.is_legal_when(job.status)
            && match self {
                Self::Retry => {
                    job.rollback_of.is_none()
                        && job.files_removed_at.is_none()
                        && job.total_rows != Some(0)
                }
                Self::Rollback => can_be_undone(job),
                Self::Confirm => {
                    job.options.dry_run
                        && job.files_removed_at.is_none()
                        && job.total_rows != Some(0)
                }
                Self::Pause | Self::Resume | Self::Cancel | Self::Force | Self::Delete => true,
            }
    }
}

/// The job kept what it changed and still does.
fn can_be_undone(job: &Job) -> bool {
    job.options.undo
        && !job.options.dry_run
        && job.rollback_of.is_none()
        && job.files_removed_at.is_none()
        && job.counts.created + job.counts.updated + job.counts.removed > 0
}

/// The actions that the job allows now. A job that is processing may also be forced while it is
/// stuck, which only the database's clock can tell.
pub fn legal(job: &Job) -> impl Iterator<Item = Action> {
    RULES.iter().map(|rule| rule.action).filter(|action| action.is_legal(job))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_that_changes_the_status_follows_an_edge() {
        for (action, to) in
            [(Action::Pause, Paused), (Action::Resume, Processing), (Action::Cancel, Cancelled)]
        {
            for status in JobStatus::ALL {
                if action.is_legal_when(status) {
                    assert!(status.may_become(to), "{} from {status}", action.as_str());
                }
            }
        }
    }

    #[test]
    fn every_status_that_may_be_cancelled_says_so() {
        for status in JobStatus::ALL {
            let may = status.may_become(Cancelled);
            assert_eq!(Action::Cancel.is_legal_when(status), may, "{status}");
        }
    }

    #[test]
    fn what_needs_a_finished_job_needs_a_terminal_status() {
        for action in [Action::Retry, Action::Rollback, Action::Delete] {
            for status in JobStatus::ALL {
                assert_eq!(action.is_legal_when(status), status.is_terminal(), "{status}");
            }
        }
    }
}
