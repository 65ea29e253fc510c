//! The labels of metrics. Each has few values: the datasets of the server and words of this program, never
//! what a client sends.

use prometheus_client::encoding::EncodeLabelSet;

use super::listening::StreamKind;
use crate::domain::status::JobStatus;

/// Of one dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByDataset {
    dataset: String,
}

/// Rows of one dataset with one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByOutcome {
    dataset: String,
    outcome: &'static str,
}

/// Jobs of one dataset with one status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByStatus {
    dataset: String,
    status: &'static str,
}

/// Of one code of a table of codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByCode {
    code: &'static str,
}

/// Listeners of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByStream {
    stream: &'static str,
}

/// Connections of one pool in one state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByPoolState {
    pub(super) pool: &'static str,
    pub(super) state: &'static str,
}

/// Of one pool.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByPool {
    pub(super) pool: &'static str,
}

/// The program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ByVersion {
    pub(super) version: &'static str,
}

impl ByDataset {
    pub(super) fn of(dataset: &str) -> Self {
        Self { dataset: dataset.to_owned() }
    }
}

impl ByOutcome {
    pub(super) fn of(dataset: &str, outcome: &'static str) -> Self {
        Self { dataset: dataset.to_owned(), outcome }
    }
}

impl ByStatus {
    pub(super) fn of(dataset: &str, status: JobStatus) -> Self {
        Self { dataset: dataset.to_owned(), status: status.as_str() }
    }
}

impl ByCode {
    pub(super) fn of(code: &'static str) -> Self {
        Self { code }
    }
}

impl ByStream {
    pub(super) fn of(kind: StreamKind) -> Self {
        Self { stream: kind.as_str() }
    }
}
