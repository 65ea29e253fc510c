//! What a command ends with: one number for each way that an import can end, so that a script need not
//! read what is printed.

use std::process::ExitCode;

use crate::access::AccessError;
use crate::client::ClientError;
use crate::config::ConfigFaults;
use crate::files::FileError;
use crate::store::StoreError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// All rows are in, or what was asked for was done.
    Done,
    /// Something on this machine went wrong.
    Fault,
    /// The command line or a file that it names cannot be used.
    Usage,
    /// The import is finished, and rows failed.
    RowsFailed,
    /// The job failed, or the server refused.
    Refused,
    /// The job was cancelled.
    Cancelled,
    /// The time of `--wait` is over, and the job goes on.
    WaitOver,
    /// The server cannot be reached.
    Unreachable,
    /// The key is missing or has no right to this.
    NotAllowed,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Exit {
    /// Every way to end, in the order of the documentation.
    pub(super) const ALL: [Self; 11] = [
        Self::Done,
        Self::Fault,
        Self::Usage,
        Self::RowsFailed,
        Self::Refused,
        Self::Cancelled,
        Self::WaitOver,
        Self::Unreachable,
        Self::NotAllowed,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Fault => 1,
            Self::Usage => 2,
            Self::RowsFailed => 3,
            Self::Refused => 4,
            Self::Cancelled => 5,
            Self::WaitOver => 6,
            Self::Unreachable => 7,
            Self::NotAllowed => 8,
            // 128 and the number of the signal, as shells have it.
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What the number means.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Done => "all rows are in, or what was asked for was done",
            Self::Fault => "something on this machine went wrong",
            Self::Usage => "the command line, or a file that it names, cannot be used",
            Self::RowsFailed => "the import is finished, and rows failed",
            Self::Refused => "the job failed, or the server refused",
            Self::Cancelled => "the job was cancelled",
            Self::WaitOver => "the time of --wait is over, and the job goes on",
            Self::Unreachable => "the server cannot be reached",
            Self::NotAllowed => "the key is missing or has no right to this",
            Self::Interrupted => "Ctrl-C",
            Self::Terminated => "SIGTERM",
        }
    }

    /// How a command ends that failed with `fault`.
    pub(super) fn of(fault: &anyhow::Error) -> Self {
        if let Some(fault) = fault.downcast_ref::<ClientError>() {
            return match fault {
                ClientError::Unreachable { .. } | ClientError::Strange { .. } => Self::Unreachable,
                ClientError::NotAllowed(_) => Self::NotAllowed,
                ClientError::Refused(_) => Self::Refused,
                ClientError::Read { .. } => Self::Usage,
                ClientError::Write { .. } | ClientError::Setup { .. } => Self::Fault,
            };
        }
        if fault.is::<UsageFault>() || fault.is::<ConfigFaults>() {
            return Self::Usage;
        }
        if let Some(fault) = fault.downcast_ref::<AccessError>() {
            return match fault {
                AccessError::Store(_) => Self::Unreachable,
                AccessError::NoRandomness | AccessError::Panicked => Self::Fault,
                _ => Self::Refused,
            };
        }
        match fault.downcast_ref::<FileError>() {
            // The data directory is another server's.
            Some(FileError::InUse { .. }) => return Self::Refused,
            Some(_) => return Self::Fault,
            None => {}
        }
        if fault.is::<StoreError>() { Self::Unreachable } else { Self::Fault }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// A command line that asks for what cannot be done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageFault(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_has_a_number_of_its_own() {
        let numbers: std::collections::BTreeSet<_> = Exit::ALL.map(Exit::number).into();
        assert_eq!(numbers.len(), Exit::ALL.len());
    }
}
