//! The limits of a key, which of them is reached, and what is left of its requests.

use std::time::Duration;

/// The limits of each key; `None` for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Requests a minute to one server.
    pub requests: Option<u32>,
    /// Uploads at the same time to one server.
    pub uploads: Option<u32>,
    /// Bytes of files a day, from midnight in UTC.
    pub bytes: Option<u64>,
    /// Jobs that have not ended.
    pub jobs: Option<u32>,
}

/// Which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Requests a minute.
    Requests,
    /// Uploads at the same time.
    Uploads,
    /// Bytes a day.
    Bytes,
    /// Jobs that have not ended.
    Jobs,
}

impl LimitKind {
    /// The word for clients.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Uploads => "uploads",
            Self::Bytes => "bytes",
            Self::Jobs => "jobs",
        }
    }
}

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", match .kind {
    LimitKind::Requests => format!("the key has sent its {} requests of this minute", .most),
    LimitKind::Uploads => format!("the key has {} uploads under way, which are the most", .most),
    LimitKind::Bytes => format!("the key may upload {} bytes in a day, and this file is too much", .most),
    LimitKind::Jobs => format!("the key has {} jobs that have not ended, which are the most", .most),
})]
pub struct LimitReached {
    /// Which one.
    pub kind: LimitKind,
    /// How many are allowed.
    pub most: u64,
    /// When it makes sense to ask again.
    pub retry_after: Duration,
}

/// How many requests are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestsLeft {
    /// Of so many.
    pub most: u32,
    /// So many.
    pub left: u32,
    /// Until all are there again.
    pub reset: Duration,
}
