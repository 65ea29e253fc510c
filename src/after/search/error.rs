//! Why records were not passed on.

use crate::store::StoreError;

/// A failure of the sync. All are tried again, as long as somebody waits.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The search engine cannot be asked.
    #[error("Typesense at {host} does not answer")]
    Unreachable {
        /// Its host and port.
        host: String,
        /// What the connection came to.
        #[source]
        source: Box<reqwest::Error>,
    },
    /// It does not do what it is asked for.
    #[error("Typesense answers {status} to {action}: {message}")]
    Refused {
        /// What it was asked for.
        action: &'static str,
        /// The status of HTTP.
        status: u16,
        /// Its own reason.
        message: String,
    },
    /// The client could not be made.
    #[error("the client of Typesense cannot be made")]
    Client(#[source] Box<reqwest::Error>),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another server passes the records of the dataset on by now.
    #[error("another server passes on the records of dataset `{dataset}` by now")]
    LostLease {
        /// The dataset.
        dataset: String,
    },
    /// The server stops.
    #[error("the server stops")]
    Stopped,
}

impl SyncError {
    /// True when the search engine does not know the collection.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// True when a collection of that name is there already.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }

    /// True when fewer documents at a time may be taken: the request is too large for the search engine
    /// or for a proxy before it.
    pub(super) fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused { status: 413 | 400, .. })
    }
}
